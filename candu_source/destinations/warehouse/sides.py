"""Read one of two warehouses that are compared: in the order of ids, or single rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from candu_source.destinations.warehouse.dialects import Reader, Warehouse
from candu_source.destinations.warehouse.dialects.statements import ID, RECEIVED_AT, quoted
from candu_source.destinations.warehouse.parity import zoned
from candu_source.destinations.warehouse.tables import Catalog, Column, Type

# What makes a table one of Segment's; others in the schema are no concern of ours.
_KEYS = {ID: Type.STRING, RECEIVED_AT: Type.TIMESTAMP}
_WITHIN = f"{quoted(RECEIVED_AT)} >= ? AND {quoted(RECEIVED_AT)} < ?"
# By the bytes, as Python compares text; a database's own order may be that of a language.
_IN_ORDER = f'{quoted(ID)} IS NOT NULL ORDER BY {quoted(ID)} COLLATE "C"'

Row = tuple[Any, ...]


class Span(NamedTuple):
    """Hold the time compared: rows received from `since` on and before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Side:
    """Hold one warehouse, open: `stream` gives rows in order, `point` answers meanwhile."""

    stream: Reader
    point: Reader
    schema: str
    tables: Catalog

    def rows(self, table: str, columns: Sequence[str], span: Span) -> Iterator[Row]:
        """Read a table's rows of a span by their ids, which come first."""
        return self.stream.ask(f"{self._select(table, columns)} WHERE {_WITHIN} AND {_IN_ORDER}", span).rows

    def named(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> dict[str, Row]:
        """Read rows by their ids, whenever they were received."""
        if not ids:
            return {}
        sql = f"{self._select(table, columns)} WHERE {quoted(ID)} IN ({', '.join('?' * len(ids))})"
        return {row[0]: row for row in self.point.ask(sql, ids).rows}

    def count(self, table: str, span: Span) -> int:
        """Count a table's rows of a span."""
        sql = f"SELECT count(*) FROM {quoted(self.schema, table)} WHERE {_WITHIN}"  # noqa: S608 - names are quoted
        return int(self._one(sql, span)[0])

    def reach(self, tables: Iterable[str]) -> Span | None:
        """Return the first and the last time at which rows of these tables were received; None where there are none."""
        ends = f"min({quoted(RECEIVED_AT)}), max({quoted(RECEIVED_AT)})"
        rows = [self._one(f"SELECT {ends} FROM {quoted(self.schema, table)}") for table in tables]  # noqa: S608 - names are quoted
        times = [zoned(at) for row in rows for at in row if at is not None]
        return Span(min(times), max(times)) if times else None

    def _select(self, table: str, columns: Sequence[str]) -> str:
        return f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(self.schema, table)}"  # noqa: S608 - names are quoted

    def _one(self, sql: str, parameters: Sequence[Any] = ()) -> Row:
        return next(self.point.ask(sql, parameters).rows)


@contextlib.contextmanager
def side(warehouse: Warehouse, schema: str) -> Iterator[Side]:
    """Open one of the two; raise WarehouseError."""
    with warehouse.look() as stream, warehouse.look() as point:
        tables = {table: columns for table, columns in stream.catalog(schema).items() if _is_segments(columns)}
        yield Side(stream, point, schema, tables)


def _is_segments(columns: Mapping[str, Column]) -> bool:
    return all(name in columns and columns[name].type is kind for name, kind in _KEYS.items())
