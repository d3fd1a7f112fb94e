"""Give the seqs of a connection that a search has to look at, newest first, without walking the log where an index knows better."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from candu_source.store.chunks import CHUNK_EVENTS
from candu_source.store.query import END
from candu_source.store.sql import Statements
from candu_source.terms import BLOCK_PLACES, block


class Taken(NamedTuple):
    """Hold candidates, newest first, and where to go on: before this seq; None when there is nothing more."""

    seqs: list[int]
    position: int | None


# Return up to so many candidates before a seq: source(before, most).
Source = Callable[[int, int], Taken]


class Head(NamedTuple):
    """Hold where a chunk stands, without its events."""

    last_seq: int
    events: int
    accepted_at: float
    place: int

    @property
    def first_seq(self) -> int:
        """Return the seq of its first event."""
        return self.last_seq - self.events + 1


class Candidates:
    """Look for candidates in one connection's log, between two seqs, both excluded.

    `blocks_read` counts the blocks of the index that were searched through to their end.
    """

    def __init__(self, db: sqlite3.Connection, sql: Statements, connection: str) -> None:
        self._db = db
        self._sql = sql
        self._connection = connection
        self.blocks_read = 0

    def head(self) -> int:
        """Return the last seq."""
        row = self._db.execute(self._sql["head"], {"connection": self._connection}).fetchone()
        return int(row[0]) if row else 0

    def at(self, seq: int) -> Head | None:
        """Return the chunk that holds a seq, or the next one."""
        row = self._db.execute(self._sql["chunk_head"], {"connection": self._connection, "seq": seq}).fetchone()
        return Head._make(row) if row else None

    def first(self, is_beyond: Callable[[Head], bool]) -> int:
        """Return the seq at which the chunks begin that are beyond something that grows along the log, by halving."""
        low, high = 1, self.head()
        while low <= high:
            middle = (low + high) // 2
            chunk = self.at(middle)
            if chunk is None or is_beyond(chunk):
                high = min(middle, chunk.first_seq if chunk else middle) - 1
            else:
                low = chunk.last_seq + 1
        return low

    def walk(self, after: int, keep: Callable[[Head], bool]) -> Source:
        """Take every event of the chunks to keep."""

        def take(before: int, most: int) -> Taken:
            span = {"connection": self._connection, "after": after, "before": before, "reach": CHUNK_EVENTS, "most": most}
            heads = [Head._make(row) for row in self._db.execute(self._sql["chunk_heads"], span)]
            seqs: list[int] = []
            for chunk in heads:
                low = max(chunk.first_seq, after + 1)
                if keep(chunk):
                    here = range(min(chunk.last_seq, before - 1), low - 1, -1)[: most - len(seqs)]
                    seqs += here
                    low = here[-1] if len(here) else low
                if len(seqs) == most:
                    return Taken(seqs, low)
            return Taken(seqs, heads[-1].first_seq if len(heads) == most else None)

        return take

    def listed(self, statement: str, lanes: Iterable[str], after: int) -> Source:
        """Take what a table lists by lane and seq."""

        def take(before: int, most: int) -> Taken:
            seqs: set[int] = set()
            more = False
            for lane in lanes:
                span = {"connection": self._connection, "destination": lane, "after": after, "before": before, "most": most}
                rows = self._db.execute(self._sql[statement], span).fetchall()
                seqs.update(seq for (seq,) in rows)
                more = more or len(rows) == most
            newest = sorted(seqs, reverse=True)[:most]
            return Taken(newest, newest[-1] if more or len(seqs) > most else None)

        return take

    def found(self, terms: Sequence[str], after: int) -> Source:
        """Take what the index finds by every one of some expressions of terms."""
        low = self._place(after)

        def take(before: int, most: int) -> Taken:
            high: int | None = self._place(before)
            while high is not None:
                places, high = self._common(terms, low, high, most) if len(terms) > 1 else self._single(terms[0], low, high, most)
                seqs = [seq for seq in self._seqs(places) if seq > after]
                position = None if high is None else self._seq_from(high)
                if seqs or position is None or position < before:
                    return Taken(seqs, position)
            return Taken([], None)

        return take

    def _single(self, terms: str, low: int, high: int, most: int) -> tuple[list[int], int | None]:
        places = self._places(terms, low, high, most)
        return places, places[-1] if len(places) == most else None

    def _common(self, terms: Sequence[str], low: int, high: int, most: int) -> tuple[list[int], int | None]:
        """Return places that all expressions find, of the newest block in which each finds anything, and where to go on."""
        newest = [self._places(each, low, high, 1) for each in terms]
        if not all(newest):
            return [], None
        top = min(place for (place,) in newest)
        bottom = max(low, top // BLOCK_PLACES * BLOCK_PLACES - 1)
        places = self._places(" AND ".join([*terms, block(top)]), bottom, top + 1, most)
        if len(places) == most:
            return places, places[-1]
        self.blocks_read += 1
        return places, bottom + 1 if bottom > low else None

    def _places(self, terms: str, after: int, before: int, most: int) -> list[int]:
        span = {"terms": terms, "after": after, "before": before, "most": most}
        return [place for (place,) in self._db.execute(self._sql["found_places"], span)]

    def _place(self, seq: int) -> int:
        """Return the place of a seq; of one that the log no longer has, the last place before the next one it has."""
        chunk = self.at(seq)
        return max(chunk.place - chunk.events, chunk.place - (chunk.last_seq - seq)) if chunk else END

    def _seq_from(self, place: int) -> int:
        """Return the first seq that stands at a place or beyond."""
        start = self.first(lambda chunk: chunk.place >= place)
        chunk = self.at(start)
        return max(start, chunk.last_seq - (chunk.place - place)) if chunk else start

    def _seqs(self, places: Iterable[int]) -> Iterator[int]:
        """Yield the seqs of places, those left out that are not this connection's any more."""
        chunk: Head | None = None
        for place in places:
            if chunk is None or not chunk.place - chunk.events < place <= chunk.place:
                chunk = self._chunk_at(place)
            if chunk is not None and place > chunk.place - chunk.events:
                yield chunk.last_seq - (chunk.place - place)

    def _chunk_at(self, place: int) -> Head | None:
        row = self._db.execute(self._sql["chunk_at_place"], {"connection": self._connection, "place": place}).fetchone()
        return Head._make(row) if row else None


def chained(*parts: tuple[int, Source]) -> Source:
    """Take from one source after the other; each has what is above its seq."""

    def take(before: int, most: int) -> Taken:
        for after, source in parts:
            if before > after + 1:
                taken = source(before, most)
                return taken if taken.position is not None else Taken(taken.seqs, after + 1)
        return Taken([], None)

    return take
