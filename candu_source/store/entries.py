"""Read the log on for warehouses, and let their lanes follow how far those have come."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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
        with self._database.read() as db:
            rows = db.execute(self._sql["warehouse_chunks"], {"connection": connection, "after": after})
            refs, messages, accepted = _stretch(rows, after, until, most, most_bytes)
            sent = _sent(refs, self._tries(db, connection, refs)) if refs else []
        return list(map(Entry, refs, messages, accepted, sent))

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

    def _tries(self, db: sqlite3.Connection, connection: str, refs: Sequence[int]) -> Iterable[tuple[int, int, float]]:
        stretch = {"first": refs[0], "last": refs[-1], "most": BATCH_EVENTS}
        return db.execute(self._sql["sent_between"], {"connection": connection, "destination": SEGMENT_LANE, **stretch})


def _stretch(rows: Iterable[Any], after: int, until: int, most: int, most_bytes: int) -> tuple[list[int], list[bytes], list[float]]:
    """Return the places, the messages and the times of acceptance that rows (last_seq, events, messages, accepted_at) hold.

    Column by column, because a sync reads a million of them; a chunk is not cut for its bytes.
    """
    refs: list[int] = []
    messages: list[bytes] = []
    accepted: list[float] = []
    size = 0
    for last, events, column, accepted_at in rows:
        first = last - events + 1
        wanted = range(max(first, after + 1), min(last, until) + 1)[: most - len(refs)]
        some = chunks.unpack_bytes(column)[wanted.start - first : wanted.stop - first] if wanted else []
        refs += wanted
        messages += some
        accepted += [accepted_at] * len(some)
        size += sum(map(len, some))
        if last >= until or len(refs) == most or size >= most_bytes:
            break
    return refs, messages, accepted


def _sent(refs: Sequence[int], tries: Iterable[tuple[int, int, float]]) -> list[float | None]:
    """Return when each event was delivered to Segment. Retention may have left gaps between their places."""
    sent: list[float | None] = [None] * len(refs)
    for begins, ends, sent_at in tries:
        first, beyond = bisect_left(refs, begins), bisect_right(refs, ends)
        sent[first:beyond] = [sent_at] * (beyond - first)
    return sent
