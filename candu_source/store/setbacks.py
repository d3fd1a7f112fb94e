"""Tell what of a sync did not go through at once: how much is parked, until when, and what went wrong last."""

from __future__ import annotations

from typing import NamedTuple

from candu_source.store.sqlite import Database


class Setback(NamedTuple):
    """Hold what went wrong with an event: when (epoch), a reason code, and the masked detail."""

    at: float
    reason: str
    detail: str


class Setbacks(NamedTuple):
    """Count the parked events of a sync; the first of them is due at `next_try` (epoch). `last` is of those parked or dead now."""

    parked: int
    next_try: float | None
    last: Setback | None


class SqlSetbacks:
    """Read them; every call names its connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, connection: str, destination: str) -> Setbacks:
        """Return those of one sync."""
        lane = {"connection": connection, "destination": destination}
        parked, due_at = self._database.row("parked_count", lane)
        last = self._database.row("last_setback", lane)
        return Setbacks(parked, due_at, None if last is None else Setback._make(last))
