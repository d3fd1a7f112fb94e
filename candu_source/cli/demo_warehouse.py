"""Fill the demo's warehouse with what the samples brought, and ask it a first question."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candu_source import app
from candu_source.cli.show import actor
from candu_source.destinations.warehouse.dialects import Reader
from candu_source.destinations.warehouse.dialects.places import shown
from candu_source.destinations.warehouse.dialects.statements import quoted
from candu_source.destinations.warehouse.questions import QUESTIONS, answer
from candu_source.model import Connection, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.warehouses import Warehouse

# The tables that have one row for each event; others repeat what is in these, or fold it.
_CALLS = ("screens", "tracks", "identifies", "groups", "pages", "aliases")
_FIRST = QUESTIONS["views_per_tutorial"]
_ANSWER_SECONDS, _ANSWER_ROWS = 10.0, 3
# Whoever sends an event of their own wants to see it soon.
_EVERY = 1


@dataclass(frozen=True, slots=True)
class Filled:
    """Say what a warehouse holds now: rows by table, the message ids of its calls, and the answer to the first question."""

    tables: dict[str, int]
    ids: list[str]
    answer: list[dict[str, Any]]
    error: str = ""


def add_warehouse(store: Store, connection: Connection, file: Path) -> Warehouse:
    """Give the demo's connection a warehouse in a DuckDB file."""
    place = Secret(f"duckdb:///{file}")
    draft = Warehouse(connection.id, "warehouse", shown(place), connection.slug, every=_EVERY)
    return store.warehouses.add(connection, draft, place, by=actor())


def fill(settings: Settings, store: Store, warehouse: Warehouse) -> Filled:
    """Sync now, and read back what is there; what goes wrong is in `error`."""
    done = app.sync_warehouse(settings, store, warehouse, Telltale(io.StringIO()))
    if done.error:
        return Filled({}, [], [], done.error)
    tables = {table.name: table.rows for table in store.warehouses.upkeep(warehouse).tables}
    with app.build_warehouse(settings, store, warehouse).look() as reader:
        ids = list(_ids(reader, warehouse.schema))
        said = answer(reader, _FIRST, warehouse.schema, seconds=_ANSWER_SECONDS, most=_ANSWER_ROWS) if "screens" in tables else None
    return Filled(tables, ids, [dict(zip(said.columns, row, strict=True)) for row in said.rows] if said else [])


def told(filled: Filled) -> str:
    """Return what there is to say in two lines."""
    if filled.error:
        return f"Warehouse: {filled.error}"
    tables = ", ".join(f"{name} {rows}" for name, rows in filled.tables.items())
    rows = ["; ".join(f"{name} {cell}" for name, cell in row.items()) for row in filled.answer]
    return f"Warehouse: {sum(filled.tables.values())} rows ({tables})\n           {_FIRST.asks} {' · '.join(rows)}"


def _ids(reader: Reader, schema: str) -> Iterator[str]:
    there = reader.catalog(schema)
    for table in _CALLS:
        if table in there:
            for (identifier,) in reader.ask(f"SELECT id FROM {quoted(schema, table)}").rows:  # noqa: S608 - quoted
                yield str(identifier)
