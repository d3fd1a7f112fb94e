"""Speak to warehouses: one file a dialect, and nothing else knows whose SQL it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from candu_source.destinations.warehouse.tables import Catalog, TableLoad


class Dialect(Protocol):
    """One open warehouse; all writing happens in `transaction`, DDL with it."""

    name_bytes: int

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what happens inside together, or nothing of it; raise WarehouseError."""
        ...

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now; empty where there is no such schema."""
        ...

    def put(self, schema: str, load: TableLoad) -> int:
        """Make what the load's table lacks, and write its rows; return how many are new there."""
        ...

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement that all dialects know, `?` for each parameter, and return its rows."""
        ...


class Answer(NamedTuple):
    """Hold what a question gave: column names, and rows as they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Reader(Protocol):
    """One warehouse, open without the right to write."""

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now; empty where there is no such schema."""
        ...

    def ask(self, sql: str, parameters: Sequence[Any] = (), *, seconds: float = 0) -> Answer:
        """Run one question, for so many seconds at most (0: as long as it takes); raise WarehouseError with the warehouse's words."""
        ...


class Warehouse(Protocol):
    """A place where a warehouse is."""

    def open(self, source: str) -> AbstractContextManager[Dialect]:
        """Open it for writing, as the only one who syncs this source; raise WarehouseBusy or WarehouseError."""
        ...

    def look(self) -> AbstractContextManager[Reader]:
        """Open it for reading; what is being written by others does not disturb."""
        ...
