"""Read what goes out next on a lane: dead letters and parked events whose time has come, else the log beyond the cursor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from candu_source.deliveries import Batch, LaneKind, Stored
from candu_source.limits import BATCH_BYTES, BATCH_EVENTS
from candu_source.store import chunks
from candu_source.store.chunks import LoggedEvent
from candu_source.store.sql import Statements

# A destination that answers event by event takes a while for each: what a batch holds is settled together, and sent again after a kill.
STREAM_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Lane:
    """Name a lane, and say what it leads to and up to where all is ended."""

    connection: str
    destination: str
    kind: LaneKind
    cursor: int

    @property
    def key(self) -> dict[str, str]:
        """Return what statements bind."""
        return {"connection": self.connection, "destination": self.destination}

    @property
    def batch_events(self) -> int:
        """Return how many events go out together."""
        return STREAM_EVENTS if self.kind is LaneKind.STREAM else BATCH_EVENTS


def read_batches(db: sqlite3.Connection, sql: Statements, lane: Lane, most: int) -> list[Batch]:
    """Return up to `most` batches: what is sent again goes first."""
    return _again(db, sql, lane, most) or _beyond_cursor(db, sql, lane, most)


def _again(db: sqlite3.Connection, sql: Statements, lane: Lane, most: int) -> list[Batch]:
    due = dict(db.execute(sql["replay_seqs"], {**lane.key, "most": most * lane.batch_events}).fetchall())
    events = chunks.logged_at(db, sql, lane.connection, due)
    return _cut((_stored(lane, event, due[event.seq]) for event in events), most, lane.batch_events, replay=True)


def _beyond_cursor(db: sqlite3.Connection, sql: Statements, lane: Lane, most: int) -> list[Batch]:
    batches: list[Batch] = []
    for after, before in open_stretches(db, sql, lane.key, lane.cursor):
        batches += _cut(_between(db, sql, lane, after, before), most - len(batches), lane.batch_events, replay=False)
        if len(batches) == most:
            break
    return batches


def _between(db: sqlite3.Connection, sql: Statements, lane: Lane, after: int, before: int) -> Iterator[Stored]:
    """Yield the events between two seqs, both exclusive."""
    stretch = {"connection": lane.connection, "after": after, "before": before}
    if lane.kind is not LaneKind.STREAM:
        yield from chunks.stored(db.execute(sql["waiting_chunks"], stretch), after, before)
        return
    for row in db.execute(sql["waiting_whole"], stretch):
        yield from (_stored(lane, event, 0) for event in chunks.logged(row) if after < event.seq < before)


def _stored(lane: Lane, event: LoggedEvent, tries: int) -> Stored:
    """Return an event on its way out, for a sync with what it came as."""
    if lane.kind is not LaneKind.STREAM:
        return Stored(event.seq, event.message, event.accepted_at)
    return event.stored(tries)


def open_stretches(db: sqlite3.Connection, sql: Statements, lane: Mapping[str, str], cursor: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches (after, before), both exclusive, between what is ended already; the last has no end."""
    for first, last in db.execute(sql["settled_beyond"], {**lane, "cursor": cursor}).fetchall():
        if first > cursor + 1:
            yield cursor, first
        cursor = last
    yield cursor, 2**62


def _cut(waiting: Iterable[Stored], most: int, most_events: int, *, replay: bool) -> list[Batch]:
    """Fill up to `most` batches within Segment's limit of bytes; the comma between two messages counts."""
    batches: list[Batch] = []
    events: list[Stored] = []
    size = 0
    for event in waiting:
        bytes_ = len(event.message) + len(event.raw) + 1
        size += bytes_
        if events and (size > BATCH_BYTES or len(events) == most_events):
            batches.append(Batch(tuple(events), replay))
            if len(batches) == most:
                return batches
            events, size = [], bytes_
        events.append(event)
    return [*batches, Batch(tuple(events), replay)] if events else batches
