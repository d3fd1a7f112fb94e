"""Run golden cases against a real warehouse: `python -m tests.warehouse.golden FILE --dialect duckdb|postgres`.

Every inner list of a case is a sync: catalogue, plan, and put in one transaction. Prints every miss, and ends with 1 when there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects import Dialect
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.destinations.warehouse.plan import plan
from candu_source.destinations.warehouse.selection import ALWAYS, Selection
from candu_source.destinations.warehouse.tables import Catalog
from candu_source.errors import UsageError
from candu_source.model import Secret
from candu_source.naming import schema_name
from candu_source.warehouses import Entry
from tests.warehouse.postgres import serving

SHARED = Path(__file__).with_name("golden.json")
DIALECTS = ("duckdb", "postgres")
NOW = datetime.fromisoformat("2026-11-02T00:00:00Z").timestamp()
_PRIMARY_KEY = """
    SELECT constraint_name, column_name, is_nullable FROM information_schema.table_constraints
    JOIN information_schema.key_column_usage USING (constraint_schema, constraint_name, table_schema, table_name)
    JOIN information_schema.columns USING (table_schema, table_name, column_name)
    WHERE constraint_type = 'PRIMARY KEY' AND table_schema = ? AND table_name = ?
"""


def misses(case: Mapping[str, Any], dialect: Dialect, physical: Mapping[str, str]) -> list[str]:
    """Run one case in a schema of its own, and return a line for each miss; `physical` are the dialect's words for the logical types."""
    schema = schema_name(case["nickname"])
    found = [] if schema == case["schema"] else [f"schema {schema}, not {case['schema']}"]
    for messages in case["syncs"]:
        _sync(dialect, schema, messages, _selection(case.get("select", {})))
    catalog = dialect.catalog(schema)
    found += _tables(case, catalog)
    for table, wanted in case["tables"].items():
        found += [f"{table}: {miss}" for miss in _table(dialect, schema, table, wanted, physical)]
    with dialect.transaction():
        dialect.run(f'DROP SCHEMA "{schema}" CASCADE')
    return found


def _sync(dialect: Dialect, schema: str, messages: Sequence[Mapping[str, Any]], selection: Selection) -> None:
    entries = [Entry(place, msgspec.json.encode(message), NOW, None) for place, message in enumerate(messages, 1)]
    catalog = dialect.catalog(schema)
    load = plan(entries, catalog, choices=Choices(), selection=selection, name_bytes=dialect.name_bytes, now=NOW)
    with dialect.transaction():
        for each in load.tables:
            dialect.put(schema, each)


def _selection(select: Mapping[str, Any]) -> Selection:
    """Return a case's selection, {table: false or {column: false}}; what cannot be turned off is refused, and left out here then."""
    collections: dict[str, Any] = {}
    for table, word in select.items():
        off = [] if isinstance(word, bool) else [column for column, loaded in word.items() if not loaded]
        collections[table] = word if isinstance(word, bool) else {"exclude": [column for column in off if column not in ALWAYS]}
        for column in ALWAYS.intersection(off):
            with contextlib.suppress(UsageError):
                Selection.read({"collections": {table: {"exclude": [column]}}})
                raise AssertionError(f"{column} can be turned off")
    return Selection.read({"collections": collections})


def _tables(case: Mapping[str, Any], there: Catalog) -> Iterator[str]:
    for table in case["tables"].keys() - there.keys():
        yield f"no table {table}"
    for table in there.keys() & set(case.get("absent_tables", [])):
        yield f"a table {table}"
    if "only_tables" in case and there.keys() != set(case["only_tables"]):
        yield f"tables {sorted(there)}, not {sorted(case['only_tables'])}"
    for table, columns in case.get("absent_columns", {}).items():
        yield from (f"a column {table}.{column}" for column in there.get(table, {}).keys() & set(columns))


def _table(dialect: Dialect, schema: str, table: str, wanted: Mapping[str, Any], physical: Mapping[str, str]) -> Iterator[str]:
    there = dialect.catalog(schema).get(table, {})
    types = {name: str(column.type) for name, column in there.items()}
    if "columns" in wanted and types != wanted["columns"]:
        differing = types.items() ^ wanted["columns"].items()
        yield f"columns differ in {sorted(differing)}"
    yield from _physical(dialect, schema, table, physical)
    if "rows" in wanted:
        names = ", ".join(f'"{name}"' for name in there)
        cells = dialect.run(f'SELECT {names} FROM "{schema}"."{table}"')
        rows = [{name: cell for name, cell in zip(there, row, strict=True) if cell is not None} for row in cells]
        yield from _rows(rows, wanted["rows"])


def _physical(dialect: Dialect, schema: str, table: str, physical: Mapping[str, str]) -> Iterator[str]:
    for name, column in dialect.catalog(schema).get(table, {}).items():
        word = physical.get(name if name == "id" else str(column.type), physical[str(column.type)])
        if word.partition(" NOT NULL")[0] != column.physical:
            yield f"{name} is {column.physical}, not {word}"
    if "PRIMARY KEY" in physical.get("id", ""):
        key = dialect.run(_PRIMARY_KEY, [schema, table])
        if key != [(f"{table}_pkey", "id", "NO")]:
            yield f"primary key is {key}"


def _rows(rows: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    left = list(rows)
    for row in wanted:
        alike = next((each for each in left if _alike(each, row)), None)
        if alike is None:
            yield f"no row {dict(row)}"
        else:
            left.remove(alike)
    yield from (f"a row {row}" for row in left)


def _alike(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return row.keys() == wanted.keys() and all(_same(row[name], word) for name, word in wanted.items())


def _same(cell: Any, word: Any) -> bool:
    if word == "*":
        return True
    if isinstance(cell, datetime):
        return isinstance(word, str) and cell == datetime.fromisoformat(word)
    if isinstance(cell, (bool, str)) or isinstance(word, (bool, str)):
        return type(cell) is type(word) and bool(cell == word)
    return bool(float(cell) == word)


@contextlib.contextmanager
def _place(dialect: str) -> Iterator[str]:
    """Yield the place of a new warehouse."""
    if dialect == "postgres":
        with serving() as server:
            yield server.database()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/warehouse.duckdb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a file's cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.warehouse.golden", description=__doc__)
    parser.add_argument("file", type=Path, help="cases with their physical types")
    parser.add_argument("--dialect", choices=DIALECTS, required=True)
    options = parser.parse_args(arguments)
    file = json.loads(options.file.read_text())
    with _place(options.dialect) as place, warehouse_at(Secret(place), allow_private=True).open("golden") as dialect:
        missed = [
            f"{case['id']} {case['title']}: {miss}"
            for case in file["cases"]
            for miss in misses(case, dialect, file["physical_types"][options.dialect])
        ]
    print("\n".join(missed) or f"{len(file['cases'])} cases, every one as it should be")  # noqa: T201 - a command
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
