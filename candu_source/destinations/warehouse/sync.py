"""Load what came since the last sync: read the log, plan a batch, commit rows and place together, go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects import Dialect, Warehouse
from candu_source.destinations.warehouse.plan import plan
from candu_source.destinations.warehouse.selection import Selection
from candu_source.destinations.warehouse.tables import Load
from candu_source.warehouses import Entry, Loaded, Remark

# Events of one transaction, and about how many bytes of messages: what bounds the memory of a sync.
BATCH_EVENTS, BATCH_BYTES = 20_000, 16 * 2**20
EVERYTHING = "*"


class Log(Protocol):
    """The log of connections; needed by syncs."""

    def read(self, connection: str, after: int, *, until: int = ..., most: int, most_bytes: int) -> list[Entry]:
        """Return the next events beyond `after`, up to `until`; empty at the end."""
        ...

    def head(self, connection: str) -> int:
        """Return the place of the last event; raise NotFound."""
        ...


class Follow(Protocol):
    """What is told how far the warehouse has come."""

    def __call__(self, ref: int, *, started_at: float, seconds: float) -> None:
        """Note that everything up to `ref` is committed."""
        ...


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="messageId", default="")


_named = msgspec.json.Decoder(_Named).decode


@dataclass(frozen=True, slots=True)
class Loader:
    """Load one connection's log into one schema of one warehouse.

    `tell` hears events done and events to do; `follow` how far the log is loaded. Both are called after each commit.
    """

    source: str
    schema: str
    log: Log
    warehouse: Warehouse
    selection: Selection
    choices: Choices
    follow: Follow
    tell: Callable[[int, int], None]

    def load(self, loaded: Loaded, again: Iterable[str] = ()) -> None:
        """Load all that waits, and again from the log's beginning what is asked: tables, or `*`; write down in `loaded` how far it came.

        A source that is turned off keeps its place, and catches up later (Segment, "Warehouse Selective Sync").
        Raises WarehouseError, WarehouseBusy, NotFound or StoreError; what was committed by then stays, and the next run goes on from there.
        """
        with self.warehouse.open(self.source) as dialect:
            state.prepare(dialect)
            place = self._place(dialect, loaded)
            if place:  # the sync before may have been cut short between its commit and saying so
                self.follow(place, started_at=time.time(), seconds=0.0)
            place = self._begin_again(dialect, again, place)
            if self.selection.enabled:
                for backfill in state.backfills(dialect, self.source):
                    self._backfill(dialect, backfill, loaded)
                self._go_on(dialect, place, loaded)
            loaded.tables = state.tables(dialect, self.source, dialect.catalog(self.schema))

    def _place(self, dialect: Dialect, loaded: Loaded) -> int:
        """Return up to where the log is loaded; its beginning where the warehouse speaks of another log."""
        bookmark = state.bookmark(dialect, self.source)
        if bookmark is None:
            return 0
        if self._is_ours(bookmark):
            return bookmark.position
        loaded.remarks.append(Remark("", "", "the store was put back to an earlier state: loaded again from its beginning", 1, ""))
        return 0

    def _is_ours(self, bookmark: state.Bookmark) -> bool:
        if bookmark.position > self.log.head(self.source):
            return False
        there = self.log.read(self.source, bookmark.position - 1, until=bookmark.position, most=1, most_bytes=1)
        return not there or _named(there[0].message).id == bookmark.message_id

    def _begin_again(self, dialect: Dialect, again: Iterable[str], place: int) -> int:
        """Write down what is to be loaded again, so that a sync that is cut short goes on with it; return the place to load from."""
        tables = frozenset(again)
        if EVERYTHING in tables:
            with dialect.transaction():
                state.forget_place(dialect, self.source)
            return 0
        with dialect.transaction():
            for table in sorted(tables):
                state.add_backfill(dialect, self.source, table, until=place)
        return place

    def _backfill(self, dialect: Dialect, backfill: state.Backfill, loaded: Loaded) -> None:
        place = backfill.position
        while last := self._load_again(dialect, backfill, place, loaded):
            place = last.ref
            self.tell(place, backfill.until)
        with dialect.transaction():
            state.end_backfill(dialect, self.source, backfill.table)

    def _load_again(self, dialect: Dialect, backfill: state.Backfill, place: int, loaded: Loaded) -> Entry | None:
        """Load the next batch for one table; return its last event, None at the end."""
        entries = self._read(place, backfill.until)
        if not entries:
            return None
        load = self._plan(dialect, entries, only=frozenset({backfill.table}))
        with dialect.transaction():
            self._put(dialect, load, loaded)
            state.move_backfill(dialect, self.source, backfill.table, entries[-1].ref)
        return entries[-1]

    def _go_on(self, dialect: Dialect, place: int, loaded: Loaded) -> None:
        until, began_at = self.log.head(self.source), place
        while last := self._load_next(dialect, place, until, loaded):
            place = last.ref
            self.tell(place - began_at, until - began_at)

    def _load_next(self, dialect: Dialect, place: int, until: int, loaded: Loaded) -> Entry | None:
        """Load the next batch and let the lane follow; return its last event, None at the end. The batch is forgotten with it."""
        started_at, began = time.time(), time.perf_counter()
        entries = self._read(place, until)
        if not entries:
            return None
        load, last = self._plan(dialect, entries), entries[-1]
        with dialect.transaction():
            self._put(dialect, load, loaded)
            state.move(dialect, self.source, last.ref, _named(last.message).id)
        loaded.events += len(entries)
        self.follow(last.ref, started_at=started_at, seconds=time.perf_counter() - began)
        return last

    def _read(self, place: int, until: int) -> list[Entry]:
        return self.log.read(self.source, place, until=until, most=BATCH_EVENTS, most_bytes=BATCH_BYTES)

    def _plan(self, dialect: Dialect, entries: Sequence[Entry], only: frozenset[str] | None = None) -> Load:
        return plan(
            entries,
            dialect.catalog(self.schema),
            choices=self.choices,
            selection=self.selection,
            name_bytes=dialect.name_bytes,
            now=time.time(),
            only=only,
        )

    def _put(self, dialect: Dialect, load: Load, loaded: Loaded) -> None:
        for each in load.tables:
            rows = dialect.put(self.schema, each)
            state.count_rows(dialect, self.source, each.table, rows, new=each.new)
            loaded.rows += rows
        state.note(dialect, self.source, load.remarks, time.time())
        loaded.remarks += load.remarks
