"""Find events of one connection, newest first, in bounded work: the index proposes, the event itself decides."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import msgspec

from candu_source.store.candidates import Candidates, Head, Source, Taken, chained
from candu_source.store.chunks import find_seq, unpack_bytes
from candu_source.store.index import INDEX_CURSOR
from candu_source.store.query import END, Found, Hit, Query, Where, all_hold, criteria, is_within, position_of
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database
from candu_source.store.standing import Standing, standings
from candu_source.terms import event_name, kept_words, term, words

# What one call looks at, at the most: so many candidates at a time, so often, so many bytes of messages to look at them, and so many
# blocks of the index, a quarter of a million places each.
_AT_A_TIME, _MOST_TIMES, _MOST_BYTES, _MOST_BLOCKS = 64, 64, 16 * 2**20, 6
# The newest events that the index does not have yet are looked at one by one, so many of them.
FRESH_MOST = 2_000
# Clocks are set back by so many seconds at the most: time bounds are found by halving a log that is in order but for that.
_CLOCK_JUMP = 300.0
_decode = msgspec.json.Decoder().decode


class _Logged(NamedTuple):
    seq: int
    accepted_at: float
    door: str
    message: dict[str, Any]


class _Chunk(NamedTuple):
    first: int
    accepted_at: float
    door: str
    messages: list[bytes]


class SqlSearch:
    """Search by what the index knows, by time and by state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, connection: str, query: Query, most: int = 50, before: str | None = None) -> Found:
        """Return up to `most` events that a query describes; raise UsageError when `before` is not what a page gave as `next`.

        A page may hold fewer, even none, and still have a next one: each call looks at so many events and no more.
        """
        position = position_of(before)
        with self._database.read() as db:
            db.execute("BEGIN")
            try:
                find = _Kept if query.where is Where.FILTERED else _Search
                return find(db, self._database.sql, connection, query).page(most, position)
            finally:
                db.execute("COMMIT")


class _Search:
    """Search one connection's log, in one snapshot."""

    def __init__(self, db: sqlite3.Connection, sql: Statements, connection: str, query: Query) -> None:
        self._db = db
        self._sql = sql
        self._connection = connection
        self._query = query
        self._criteria = criteria(query)
        self._candidates = Candidates(db, sql, connection)
        self._read_bytes = 0
        self._behind = 0

    def page(self, most: int, position: int) -> Found:
        """Look at block after block until the page is full, the log ends or enough was looked at."""
        after, end = self._stretch()
        source = self._source(after)
        hits: list[Hit] = []
        reached: int | None = min(position, end)
        for _ in range(_MOST_TIMES):
            if reached is None or len(hits) >= most or self._has_looked_enough():
                break
            taken = source(reached, _AT_A_TIME)
            hits += self._hits(taken.seqs)
            reached = taken.position
        if len(hits) > most:
            hits = hits[:most]
            reached = hits[-1].seq
        if not hits and self._query.message_id is not None and self._query.where is None:
            return _Kept(self._db, self._sql, self._connection, self._query).page(most, END)
        return Found(tuple(hits), None if reached is None else str(reached), self._time_of(reached), self._behind)

    def _has_looked_enough(self) -> bool:
        return self._read_bytes >= _MOST_BYTES or self._candidates.blocks_read >= _MOST_BLOCKS

    def _stretch(self) -> tuple[int, int]:
        """Return the seqs between which, both excluded, the events of the time and the state asked for stand."""
        query, after, before = self._query, 0, END
        if query.since is not None:
            early = query.since - _CLOCK_JUMP
            after = self._candidates.first(lambda chunk: chunk.accepted_at > early) - 1
        if query.until is not None:
            late = query.until + _CLOCK_JUMP
            before = self._candidates.first(lambda chunk: chunk.accepted_at > late)
        if query.where is Where.DELIVERED:
            before = min(before, 1 + max(self._ended_to(*lane) for lane in self._lanes()))
        return after, before

    def _source(self, after: int) -> Source:
        """Choose what knows best where to look."""
        query, lanes = self._query, self._lanes()
        names = [lane for lane, _ in lanes]
        if query.message_id is not None:
            return self._one(query.message_id)
        if query.where is Where.DEAD:
            return self._candidates.listed("dead_before", names, after)
        if query.where is Where.CONFIRMED and not self._criteria:
            return self._candidates.listed("confirmed_before", names, after)
        if query.where is Where.PENDING:
            low = max(after, min(cursor for _, cursor in lanes))
            return chained((low, self._everywhere(low)), (after, self._candidates.listed("replaying_before", names, after)))
        return self._everywhere(after)

    def _everywhere(self, after: int) -> Source:
        """Walk the log; where something is named that the index knows, only what it does not have yet."""
        if not self._criteria:
            return self._candidates.walk(after, self._is_in_time)
        row = self._db.execute(self._sql["reading"], {"name": INDEX_CURSOR}).fetchone()
        indexed_to = row[0] if row else 0
        fresh = self._candidates.first(lambda chunk: chunk.place > indexed_to)
        newest = max(fresh, self._candidates.head() + 1 - FRESH_MOST)
        self._behind = newest - fresh
        low = max(after, newest - 1)
        terms = [f"({' OR '.join(sorted(term(self._connection, word) for word in each))})" for each in self._criteria]
        return chained((low, self._candidates.walk(low, self._is_in_time)), (after, self._candidates.found(terms, after)))

    def _one(self, message_id: str) -> Source:
        seq = find_seq(self._db, self._sql, self._connection, message_id)
        return lambda before, _: Taken([seq] if seq is not None and seq < before else [], None)

    def _lanes(self) -> list[tuple[str, int]]:
        return self._db.execute(self._sql["searched_lanes"], {"connection": self._connection}).fetchall() or [("", 0)]

    def _ended_to(self, destination: str, cursor: int) -> int:
        """Return the last seq that was ended on a lane."""
        lane = {"connection": self._connection, "destination": destination, "cursor": cursor}
        return max([cursor, *(int(last) for _, last in self._db.execute(self._sql["settled_beyond"], lane))])

    def _hits(self, seqs: Sequence[int]) -> list[Hit]:
        """Return those of some candidates that the query describes."""
        where = self._query.where
        if where is not None:
            standing = standings(self._db, self._sql, self._connection, seqs)
            seqs = [seq for seq in seqs if _stands(standing[seq], where)]
        events = [event for event in self._events(seqs) if self._describes(event)]
        if where is None:
            standing = standings(self._db, self._sql, self._connection, [event.seq for event in events])
        return [_hit(event, standing[event.seq]) for event in events]

    def _events(self, seqs: Iterable[int]) -> Iterator[_Logged]:
        """Read events, those left out that the log no longer has; neighbours are read together."""
        here: _Chunk | None = None
        for seq in seqs:
            if here is None or not here.first <= seq < here.first + len(here.messages):
                here = self._chunk(seq)
            if here is not None and here.first <= seq:
                yield _Logged(seq, here.accepted_at, here.door, _decode(here.messages[seq - here.first]))

    def _chunk(self, seq: int) -> _Chunk | None:
        row = self._db.execute(self._sql["chunk_messages"], {"connection": self._connection, "seq": seq}).fetchone()
        if row is None:
            return None
        last, count, accepted_at, door, column = row
        messages = unpack_bytes(column)
        self._read_bytes += sum(map(len, messages))
        return _Chunk(last - count + 1, accepted_at, door, messages)

    def _describes(self, event: _Logged) -> bool:
        query = self._query
        if query.message_id not in (None, event.message["messageId"]) or not is_within(event.accepted_at, query):
            return False
        return not self._criteria or all_hold(self._criteria, words(event.message))

    def _is_in_time(self, chunk: Head) -> bool:
        return is_within(chunk.accepted_at, self._query)

    def _time_of(self, seq: int | None) -> float | None:
        chunk = None if seq is None else self._candidates.at(seq)
        return chunk.accepted_at if chunk else None


class _Kept:
    """Search what was filtered: it is not in the log, and found by what came in."""

    def __init__(self, db: sqlite3.Connection, sql: Statements, connection: str, query: Query) -> None:
        self._db = db
        self._sql = sql
        self._connection = connection
        self._query = query
        self._criteria = criteria(query)

    def page(self, most: int, position: int) -> Found:
        """Walk until the page is full, the shelf ends or enough was looked at."""
        hits: list[Hit] = []
        read = looked_at = 0
        looked_to = None
        with closing(self._rows(position)) as rows:
            for identifier, message_id, name, reason, door, at, raw in rows:
                if len(hits) == most or looked_at == _AT_A_TIME * _MOST_TIMES or read >= _MOST_BYTES:
                    return Found(tuple(hits), str(position), looked_to, 0)
                position, looked_to, read, looked_at = identifier, at, read + len(raw), looked_at + 1
                if is_within(at, self._query) and all_hold(self._criteria, kept_words(name, raw)):
                    hits.append(Hit(None, message_id, at, door, "", name, None, {"": (Where.FILTERED, reason)}, {}))
        return Found(tuple(hits), None, None, 0)

    def _rows(self, position: int) -> sqlite3.Cursor:
        if self._query.message_id is None:
            return self._db.execute(self._sql["filtered_before"], {"connection": self._connection, "before": position})
        return self._db.execute(self._sql["filtered_named"], {"connection": self._connection, "message_id": self._query.message_id})


def _stands(standing: Standing, where: Where) -> bool:
    if where is Where.CONFIRMED:
        return bool(standing.confirmed)
    return any(state == where for state, _ in standing.states.values())


def _hit(event: _Logged, standing: Standing) -> Hit:
    message = event.message
    return Hit(
        seq=event.seq,
        message_id=message["messageId"],
        accepted_at=event.accepted_at,
        door=event.door,
        type=message.get("type", ""),
        event=event_name(message) or "",
        user=message.get("userId") or message.get("anonymousId"),
        states=standing.states,
        confirmed=standing.confirmed,
    )
