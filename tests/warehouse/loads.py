"""Make small loads, and look at what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from candu_source.destinations.warehouse.dialects import Dialect, Reader, Warehouse
from candu_source.destinations.warehouse.dialects.statements import quoted
from candu_source.destinations.warehouse.tables import Cell, TableLoad, Type

SCHEMA, SOURCE = "candu_prod", "cn_1"
NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, UTC)
ENVELOPE = {"id": Type.STRING, "received_at": Type.TIMESTAMP, "uuid_ts": Type.TIMESTAMP}


def load(
    table: str, *rows: tuple[Cell, ...], more: Mapping[str, Type] = MappingProxyType({}), new: bool = False, fold: bool = False
) -> TableLoad:
    """Return a load whose rows begin with id and received_at; `more` names columns that follow, made with a new table."""
    columns = ("id", "received_at", *more)
    return TableLoad(table, new, {**ENVELOPE, **more} if new else {}, columns, rows, fold)


def adding(table: str, *rows: tuple[Cell, ...], more: Mapping[str, Type]) -> TableLoad:
    """Return a load that adds to a table the columns that `more` names."""
    return replace(load(table, *rows, more=more), added=more)


def at(minutes: float) -> datetime:
    """Return a time so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def put(warehouse: Warehouse, *loads: TableLoad, schema: str = SCHEMA) -> list[int]:
    """Load in one transaction, and return how many rows were new each time."""
    with warehouse.open(SOURCE) as dialect, dialect.transaction():
        return [dialect.put(schema, each) for each in loads]


def rows(asked: Dialect | Reader, table: str = "screens", *columns: str, schema: str = SCHEMA) -> list[tuple[Any, ...]]:
    """Return rows by id."""
    names = ", ".join(map(quoted, columns)) if columns else "*"
    sql = f"SELECT {names} FROM {quoted(schema, table)} ORDER BY {quoted('id')}"
    return list(asked.ask(sql).rows) if hasattr(asked, "ask") else asked.run(sql)


def seen(warehouse: Warehouse, table: str = "screens", *columns: str, schema: str = SCHEMA) -> list[tuple[Any, ...]]:
    """Return rows by id, as one who reads sees them."""
    with warehouse.look() as reader:
        return rows(reader, table, *columns, schema=schema)


def change(warehouse: Warehouse, *statements: str) -> None:
    """Do what a user does with a warehouse that is theirs."""
    with warehouse.open("user") as dialect:
        run(dialect, statements)


def run(dialect: Dialect, statements: Sequence[str]) -> None:
    """Run statements one by one."""
    for statement in statements:
        dialect.run(statement)
