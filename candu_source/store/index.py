"""Read on in what came in, so that events can be found and counted. Implements ports.Index."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import Any, NamedTuple

from candu_source.errors import StaleLease
from candu_source.store.chunks import unpack_bytes
from candu_source.store.counts import Counted, add_counts, see_doors
from candu_source.store.sqlite import Database
from candu_source.terms import VERSION, placed_terms

# A reading ends at so many bytes of messages, however few events that are.
_READING_BYTES = 2**19
_LOG = "log"
# Reader -> what its inputs are counted as; the statement that reads them is new_<reader>, new_chunks for the log.
_SOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {_LOG: ("new_chunks", "accepted"), "filtered": ("new_filtered", "filtered"), "rejects": ("new_rejects", "rejected")}
)
INDEX_CURSOR, _RULES_CURSOR = "index:log", "index:rules"


class Arrival(NamedTuple):
    """Hold what came in together: `place` is the last one's in the log, else an id; `messages` are those of the log."""

    place: int
    connection: str
    door: str
    at: float
    inputs: int
    messages: list[bytes] | None


class SqlIndex:
    """Keep the terms of every event of the log, the counts of what came by each door, and when something came last.

    The log is read by place, filtered events and rejects by id. Cursors move in the transaction that writes what was read up to there;
    what leaves the log leaves the index by a trigger.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def read_on(self, most: int) -> int:
        """Read about `most` inputs of each kind that were not read yet, oldest first; return how many that were.

        Raises StaleLease when another has read on meanwhile and StoreFull when there is no room; nothing of that kind is written then.
        """
        self._insist_on_rules()
        return sum(self._read(source, most) for source in _SOURCES)

    def _insist_on_rules(self) -> None:
        """Begin anew when the index was made under other rules."""
        row = self._database.row("reading", {"name": _RULES_CURSOR})
        if row and row[0] == VERSION:
            return
        with self._database.write() as db:
            db.execute(self._sql["forget_terms"])
            db.execute(self._sql["set_reading"], {"name": INDEX_CURSOR, "read_to": 0})
            db.execute(self._sql["set_reading"], {"name": _RULES_CURSOR, "read_to": VERSION})

    def _read(self, source: str, most: int) -> int:
        statement, name = _SOURCES[source]
        cursor = INDEX_CURSOR if source == _LOG else _counter(source)
        with self._database.read() as db:
            after, counted_to = _cursor(db, self._sql["reading"], cursor), _cursor(db, self._sql["reading"], _counter(source))
            # Closed at once: a statement that is left open holds its view of the file, and keeps the WAL from being emptied.
            with closing(db.execute(self._sql[statement], {"after": after, "most": most})) as rows:
                arrivals = _some(map(_arrival, rows), most)
        if not arrivals:
            return 0
        found = [(each.place, list(_rows(each))) for each in arrivals if each.messages is not None]
        new = [each for each in arrivals if each.place > counted_to]
        self._database.check_room()
        with self._database.write() as db:
            self._move(db, cursor, after, arrivals[-1].place)
            self._add_terms(db, found, {"after": after, "read_to": arrivals[-1].place})
            if new:
                db.execute(self._sql["set_reading"], {"name": _counter(source), "read_to": arrivals[-1].place})
                self._count(db, new, name)
        return sum(each.inputs for each in arrivals)

    def _move(self, db: sqlite3.Connection, cursor: str, after: int, read_to: int) -> None:
        if not db.execute(self._sql["move_reading"], {"name": cursor, "after": after, "read_to": read_to}).rowcount:
            raise StaleLease(f"another has read on in {cursor}; what this one read was not kept")

    def _add_terms(self, db: sqlite3.Connection, found: Sequence[tuple[int, list[tuple[int, str]]]], read: dict[str, int]) -> None:
        """Index the events of the chunks that are still there: those that are gone would stay in the index for ever."""
        there = {place for (place,) in db.execute(self._sql["places_left"], read)} if found else set()
        db.executemany(self._sql["add_terms"], [row for place, rows in found if place in there for row in rows])

    def _count(self, db: sqlite3.Connection, arrivals: Iterable[Arrival], name: str) -> None:
        counts: Counter[Counted] = Counter()
        seen: dict[tuple[str, str], float] = {}
        for each in arrivals:
            counts[Counted(each.connection, f"door:{each.door}", name, each.at)] += each.inputs
            door = each.connection, each.door
            seen[door] = max(seen.get(door, 0.0), each.at)
        add_counts(db, self._sql, counts)
        see_doors(db, self._sql, ((*door, at) for door, at in seen.items()))


def _rows(chunk: Arrival) -> Iterator[tuple[int, str]]:
    """Yield the place of each event of a chunk, and its terms."""
    assert chunk.messages is not None
    for place, message in enumerate(chunk.messages, chunk.place - chunk.inputs + 1):
        if found := placed_terms(chunk.connection, place, message):
            yield place, found


def _arrival(row: Any) -> Arrival:
    place, connection, door, at, inputs, messages = row
    return Arrival(place, connection, door, at, inputs, None if messages is None else unpack_bytes(messages))


def _some(arrivals: Iterable[Arrival], most: int) -> list[Arrival]:
    read: list[Arrival] = []
    inputs = size = 0
    for each in arrivals:
        read.append(each)
        inputs, size = inputs + each.inputs, size + sum(map(len, each.messages or ()))
        if inputs >= most or size >= _READING_BYTES:
            break
    return read


def _cursor(db: sqlite3.Connection, statement: str, name: str) -> int:
    row: Any = db.execute(statement, {"name": name}).fetchone()
    return int(row[0]) if row else 0


def _counter(source: str) -> str:
    return f"counts:{source}"
