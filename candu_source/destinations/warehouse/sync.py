"""Load what came since the last sync: read the log, plan a batch, commit rows and place together, go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import msgspec

from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects import Dialect, Warehouse
from candu_source.destinations.warehouse.gathering import Gathered, Log, ahead, gather
from candu_source.destinations.warehouse.plan import Batch
from candu_source.destinations.warehouse.selection import Selection
from candu_source.warehouses import EVERYTHING, Loaded, Remark


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

    `tell` hears events done and events to do; `follow` how far the log is loaded. Both are called after each commit. `noted` hears that
    the warehouse has written down what it is to load again.
    """

    source: str
    schema: str
    log: Log
    warehouse: Warehouse
    selection: Selection
    choices: Choices
    noted: Callable[[], None]
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
            self.noted()
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
        with self._batches(dialect, backfill.position, backfill.until, frozenset({backfill.table})) as batches:
            for batch, last, _ in batches:
                move = partial(state.move_backfill, dialect, self.source, backfill.table, last.ref)
                self._commit(dialect, batch, move, loaded)
                self.tell(last.ref, backfill.until)
        with dialect.transaction():
            state.end_backfill(dialect, self.source, backfill.table)

    def _go_on(self, dialect: Dialect, place: int, loaded: Loaded) -> None:
        until = self.log.head(self.source)
        with self._batches(dialect, place, until) as batches:
            for batch, last, events in batches:
                started_at, began = time.time(), time.perf_counter()
                move = partial(state.move, dialect, self.source, last.ref, _named(last.message).id)
                self._commit(dialect, batch, move, loaded)
                loaded.events += events
                self.follow(last.ref, started_at=started_at, seconds=time.perf_counter() - began)
                self.tell(last.ref - place, until - place)

    def _batches(
        self, dialect: Dialect, after: int, until: int, only: frozenset[str] | None = None
    ) -> AbstractContextManager[Iterator[Gathered]]:
        empty = partial(Batch, self.choices, self.selection, dialect.name_bytes, only)
        return ahead(gather(self.log, self.source, after, until, empty))

    def _commit(self, dialect: Dialect, batch: Batch, move: Callable[[], None], loaded: Loaded) -> None:
        """Commit what a batch brings to the warehouse as it is now, and with it the place it leads to."""
        load, rows = batch.load(dialect.catalog(self.schema), datetime.now(UTC)), 0
        with dialect.transaction():
            for each in load.tables:
                new = dialect.put(self.schema, each)
                state.count_rows(dialect, self.source, each.table, new, new=each.new)
                rows += new
            state.note(dialect, self.source, load.remarks, time.time())
            move()
        loaded.rows += rows
        loaded.remarks += load.remarks
