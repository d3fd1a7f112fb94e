"""Read the log on for warehouses, and let their lanes follow how far those have come."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from candu_source.deliveries import Advance, Outcome
from candu_source.errors import NotFound, Reason
from candu_source.limits import BATCH_EVENTS
from candu_source.store import chunks
from candu_source.store.connections import SEGMENT_LANE
from candu_source.store.lanes import attempts
from candu_source.store.sqlite import Database
from candu_source.warehouses import Entry, Warehouse

_END = 2**62


class SqlEntries:
    """Hand out the log of a connection in order; every call names it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def read(self, connection: str, after: int, *, until: int = _END, most: int, most_bytes: int) -> list[Entry]:
        """Return the next events beyond `after`, up to `until`, at most so many, and about so many bytes; empty at the end."""
        entries: list[Entry] = []
        size = 0
        with self._database.read() as db:
            rows = db.execute(self._sql["warehouse_chunks"], {"connection": connection, "after": after})
            for stored in chunks.stored(rows, after, until + 1):
                entries.append(Entry(stored.ref, stored.message, stored.accepted_at, None))
                size += len(stored.message)
                if len(entries) == most or size >= most_bytes:
                    break
            return _sent(entries, list(self._tries(db, connection, entries))) if entries else []

    def head(self, connection: str) -> int:
        """Return the place of the last event; raise NotFound."""
        row = self._database.row("head", {"connection": connection})
        if row is None:
            raise NotFound(f"connection {connection} was deleted")
        return int(row[0])

    def oldest(self, connection: str) -> float | None:
        """Return when the oldest event that the log keeps was accepted (seconds since the epoch); None for an empty log."""
        row = self._database.row("oldest_event", {"connection": connection})
        return float(row[0]) if row else None

    def passed(self, warehouse: Warehouse, ref: int, *, started_at: float, seconds: float) -> None:
        """Let the lane follow: the warehouse has committed everything up to `ref`. Raises NotFound when the warehouse was removed.

        What the lane has passed already is not passed again. Charts of deliveries do not count it: syncs tell what they loaded.
        """
        lane = {"connection": warehouse.connection, "destination": warehouse.name}
        with self._database.write() as db:
            row = db.execute(self._sql["lane_standing"], lane).fetchone()
            if row is None:
                raise NotFound(f"the warehouse {warehouse.name} was removed")
            (cursor,) = row
            if ref <= cursor:
                return
            for first in range(cursor + 1, ref + 1, BATCH_EVENTS):
                seqs = range(first, min(first + BATCH_EVENTS, ref + 1))
                tried = attempts(lane, seqs, Outcome(Reason.ACCEPTED), Advance(), started_at, seconds)
                db.executemany(self._sql["add_attempt"], [{**each, "replay": False, "settled": True} for each in tried])
            db.execute(self._sql["lane_passed"], {**lane, "cursor": ref})

    def _tries(self, db: sqlite3.Connection, connection: str, entries: list[Entry]) -> Iterator[Any]:
        stretch = {"first": entries[0].ref, "last": entries[-1].ref, "most": BATCH_EVENTS}
        return db.execute(self._sql["sent_between"], {"connection": connection, "destination": SEGMENT_LANE, **stretch})


def _sent(entries: list[Entry], tries: list[tuple[int, int, float]]) -> list[Entry]:
    """Return entries with when each was delivered to Segment."""
    first = entries[0].ref
    known = entries.copy()
    for begins, ends, sent_at in tries:
        for place in range(max(begins - first, 0), min(ends - first + 1, len(known))):
            known[place] = known[place]._replace(sent_at=sent_at)
    return known
