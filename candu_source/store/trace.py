"""Tell the whole life of an event: door, raw bytes, message, every try, and where it stands."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from candu_source.errors import NotFound
from candu_source.limits import BATCH_EVENTS
from candu_source.store.chunks import LoggedEvent, find_seq, logged, logged_at
from candu_source.store.sqlite import Database
from candu_source.store.standing import State, standings


class Try(NamedTuple):
    """Hold one try that had the event in it, with the seq range of its batch."""

    destination: str
    first_seq: int
    last_seq: int
    events: int
    replay: int
    started_at: float
    seconds: float
    outcome: str
    status: int | None
    detail: str
    decision: str


@dataclass(frozen=True, slots=True)
class Life:
    """Hold everything known of one event; `states` is destination -> (state, reason), `confirmed` destination -> when it came back."""

    event: LoggedEvent
    tries: list[Try]
    states: dict[str, State]
    confirmed: dict[str, float]


class SqlTrace:
    """Read the log back for people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tail(self, connection: str, *, after: int = 0, most: int = 20) -> list[LoggedEvent]:
        """Return the latest events beyond a seq, oldest first."""
        with self._database.read() as db:
            rows = db.execute(self._database.sql["tail"], {"connection": connection, "after": after})
            latest = (event for row in rows for event in reversed(logged(row)) if event.seq > after)
            return list(islice(latest, most))[::-1]

    def life(self, connection: str, message_id: str) -> Life:
        """Return everything known of one event; raise NotFound, saying so when it was filtered."""
        with self._database.read() as db:
            seq = find_seq(db, self._database.sql, connection, message_id)
            event = None if seq is None else next(logged_at(db, self._database.sql, connection, [seq]), None)
            life = None if event is None else self._life(db, event)
        if life is None:
            raise NotFound(self._why_not(connection, message_id))
        return life

    def _life(self, db: sqlite3.Connection, event: LoggedEvent) -> Life:
        wanted = {"connection": event.connection, "seq": event.seq, "most": BATCH_EVENTS}
        tries = [Try._make(found) for found in db.execute(self._database.sql["event_attempts"], wanted)]
        standing = standings(db, self._database.sql, event.connection, [event.seq])[event.seq]
        return Life(event, tries, standing.states, standing.confirmed)

    def states(self, event: LoggedEvent) -> dict[str, State]:
        """Return destination -> (delivered, dead or pending; reason)."""
        with self._database.read() as db:
            return standings(db, self._database.sql, event.connection, [event.seq])[event.seq].states

    def _why_not(self, connection: str, message_id: str) -> str:
        kept: Any = self._database.row("filtered_event", {"connection": connection, "message_id": message_id})
        if kept:
            return f"event {message_id} ({kept[1]}) was filtered: {kept[2]}; `filtered list` tells more"
        return f"there is no event {message_id!r} on this connection; `events tail` shows the latest"
