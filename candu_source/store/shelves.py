"""Keep what went aside: dead letters, rejects, filtered events; and how far imports got."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from candu_source.errors import NotFound
from candu_source.store.chunks import logged_at
from candu_source.store.sqlite import Database


class DeadLetter(NamedTuple):
    """Hold an event a lane gave up on."""

    destination: str
    seq: int
    message_id: str
    reason: str
    detail: str
    died_at: float
    replay_at: float | None
    message: bytes


class KeptReject(NamedTuple):
    """Hold an input a door refused; `errors` is JSON {field: [message]}."""

    id: int
    door: str
    code: str
    errors: str
    times: int
    first_at: float
    last_at: float
    raw: bytes


class KeptFiltered(NamedTuple):
    """Hold an event that went nowhere."""

    message_id: str
    name: str
    reason: str
    door: str
    accepted_at: float
    raw: bytes


class SqlShelves:
    """List and show what went aside; every call names its connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def dead(self, connection: str, most: int) -> list[DeadLetter]:
        """List dead letters, oldest first."""
        with self._database.read() as db:
            rows = db.execute(self._database.sql["dead_letters"], {"connection": connection, "most": most}).fetchall()
            events = {event.seq: event for event in logged_at(db, self._database.sql, connection, [row[1] for row in rows])}
        return [
            DeadLetter(destination, seq, events[seq].message_id, reason, detail, died_at, replay_at, events[seq].message)
            for destination, seq, reason, detail, died_at, replay_at in rows
            if seq in events
        ]

    def rejects(self, connection: str, most: int) -> list[KeptReject]:
        """List rejects, latest first."""
        return [KeptReject._make(row) for row in self._database.rows("rejects", {"connection": connection, "most": most})]

    def reject(self, connection: str, identifier: int) -> KeptReject:
        """Find one reject; raise NotFound."""
        row = self._database.row("reject", {"connection": connection, "id": identifier})
        if row is None:
            raise NotFound(f"there is no reject {identifier} on this connection; `rejects list` shows them")
        return KeptReject._make(row)

    def reject_count(self, connection: str) -> tuple[int, int]:
        """Count rejects, and how often they came."""
        row = self._database.row("reject_count", {"connection": connection})
        return int(row[0]), int(row[1])

    def import_state(self, connection: str, file: bytes) -> tuple[int, bytes]:
        """Read how far an import got, in bytes, and the digest of what stood before that."""
        row = self._database.row("import_state", {"connection": connection, "file": file})
        return (row[0], row[1]) if row else (0, b"")

    def move_import(self, connection: str, file: bytes, read_to: int, before: bytes) -> None:
        """Write down how far an import got, and the digest of what stood before that."""
        self._database.run("move_import", {"connection": connection, "file": file, "read_to": read_to, "before": before})


def errors_of(reject: KeptReject) -> dict[str, list[str]]:
    """Return the errors of a reject by field."""
    errors: dict[str, Any] = json.loads(reject.errors)
    return errors
