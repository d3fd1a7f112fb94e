"""Carry out one sync of a warehouse and write down what it did. A use case beside the delivery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from candu_source.errors import CanduSourceError
from candu_source.ports import Observer
from candu_source.warehouses import Loaded, Sync, Table, Upkeep, Warehouse


class Warehouses(Protocol):
    """What is written down about warehouses; needed by syncs."""

    def upkeep(self, warehouse: Warehouse) -> Upkeep:
        """Tell how a warehouse is."""
        ...

    def begun(self, warehouse: Warehouse) -> None:
        """Note that a sync of it is under way."""
        ...

    def noted(self, warehouse: Warehouse, asked: frozenset[str]) -> None:
        """Note that the warehouse keeps by itself from where on it loads again what it was asked for."""
        ...

    def ended(
        self, warehouse: Warehouse, sync: Sync, *, now: float, tables: Sequence[Table] | None = None, asked: frozenset[str] | None = None
    ) -> None:
        """Write down what a sync did."""
        ...


def carry_out(
    warehouses: Warehouses,
    warehouse: Warehouse,
    load: Callable[[Loaded, Iterable[str], Callable[[], None]], None],
    observer: Observer,
    *,
    again: Iterable[str] = (),
) -> Sync:
    """Load what waits, what somebody asked for, and `again` the tables named; return what the sync did, its error among it.

    What `load` is handed last it calls when the warehouse has written down what is to be loaded again: a sync that is cut short after
    that goes on, in place of beginning again. Raises NotFound when the warehouse was removed, and StoreError.
    """
    asked = warehouses.upkeep(warehouse).asked
    started_at, began, loaded, error = time.time(), time.perf_counter(), Loaded(), ""
    warehouses.begun(warehouse)
    try:
        load(loaded, {*again, *(asked or ())}, partial(warehouses.noted, warehouse, asked or frozenset()))
    except CanduSourceError as reason:
        error = str(reason)
    sync = Sync(started_at, time.perf_counter() - began, loaded.events, loaded.rows, loaded.remarks, error)
    warehouses.ended(warehouse, sync, now=time.time(), tables=loaded.tables or None, asked=None if asked is None else frozenset())
    observer.tell(
        "warehouse.synced",
        connection=warehouse.connection,
        warehouse=warehouse.name,
        events=sync.events,
        rows=sync.rows,
        remarks=len(sync.remarks),
        error=error,
        ms=round(sync.seconds * 1000, 1),
    )
    return sync
