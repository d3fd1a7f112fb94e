"""Show what went aside by reason, a group with a few of its latest; no group costs more to look at for being large."""

from __future__ import annotations

from typing import NamedTuple

from candu_source.store.chunks import logged_at
from candu_source.store.shelves import DeadLetter, KeptFiltered, KeptReject
from candu_source.store.sqlite import Database

_LAST = 2**62


class RejectGroup(NamedTuple):
    """Count refused inputs of one reason; `times` is how often they came."""

    code: str
    inputs: int
    times: int
    last_at: float


class DeadGroup(NamedTuple):
    """Count dead letters of one reason on one lane; `replaying` of them are on their way again."""

    reason: str
    destination: str
    events: int
    replaying: int
    last_at: float


class SetAside(NamedTuple):
    """Hold an event that one lane set aside at `at`, why, and how often it was tried; of a parked one, when it is `due_at`."""

    message_id: str
    reason: str
    detail: str
    at: float
    due_at: float
    tries: int


class FilteredGroup(NamedTuple):
    """Count filtered events of one reason and name."""

    reason: str
    name: str
    events: int
    first_at: float
    last_at: float


class SqlGroups:
    """Count and sample what went aside; every call names its connection (by id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rejects(self, connection: str) -> list[RejectGroup]:
        """Count refused inputs by reason, the latest first."""
        return [RejectGroup._make(row) for row in self._database.rows("reject_groups", {"connection": connection})]

    def rejects_of(self, connection: str, code: str, most: int, *, before: tuple[float, int] = (_LAST, _LAST)) -> list[KeptReject]:
        """List refused inputs of one reason, latest first; go on from (last_at, id) of the last one."""
        wanted = {"connection": connection, "code": code, "most": most, "before": before[0], "before_id": before[1]}
        return [KeptReject._make(row) for row in self._database.rows("rejects_of", wanted)]

    def dead(self, connection: str) -> list[DeadGroup]:
        """Count dead letters by reason and lane, the largest group first."""
        return [DeadGroup._make(row) for row in self._database.rows("dead_groups", {"connection": connection})]

    def dead_of(self, connection: str, destination: str, reason: str, most: int, *, before: int = _LAST) -> list[DeadLetter]:
        """List dead letters of one reason on one lane, latest first; go on from the seq of the last one."""
        with self._database.read() as db:
            wanted = {"connection": connection, "destination": destination, "reason": reason, "most": most, "before": before}
            rows = db.execute(self._database.sql["dead_of"], wanted).fetchall()
            events = {event.seq: event for event in logged_at(db, self._database.sql, connection, [row[1] for row in rows])}
        return [
            DeadLetter(destination, seq, events[seq].message_id, reason, detail, died_at, replay_at, events[seq].message)
            for destination, seq, reason, detail, died_at, replay_at in rows
            if seq in events
        ]

    def dead_on(self, connection: str, destination: str, most: int) -> list[SetAside]:
        """List dead letters of one lane that nobody asked for again, latest first."""
        return self._set_aside("dead_on", connection, destination, most)

    def parked_on(self, connection: str, destination: str, most: int) -> list[SetAside]:
        """List the events that one lane parked, those that are due first."""
        return self._set_aside("parked_on", connection, destination, most)

    def _set_aside(self, statement: str, connection: str, destination: str, most: int) -> list[SetAside]:
        with self._database.read() as db:
            wanted = {"connection": connection, "destination": destination, "most": most}
            rows = db.execute(self._database.sql[statement], wanted).fetchall()
            ids = {event.seq: event.message_id for event in logged_at(db, self._database.sql, connection, [row[0] for row in rows])}
        return [SetAside(ids[seq], *rest) for seq, *rest in rows if seq in ids]

    def filtered(self, connection: str) -> list[FilteredGroup]:
        """Count filtered events by reason and name."""
        return [FilteredGroup._make(row) for row in self._database.rows("filtered_groups", {"connection": connection})]

    def filtered_of(self, connection: str, reason: str, name: str, most: int) -> list[KeptFiltered]:
        """List filtered events of one reason and name, latest first."""
        wanted = {"connection": connection, "reason": reason, "name": name, "most": most}
        return [KeptFiltered._make(row) for row in self._database.rows("filtered_of", wanted)]
