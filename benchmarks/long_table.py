"""A long table: what 1 000 new rows cost where ten million are, and where none is."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import duckdb

from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from candu_source.destinations.warehouse.dialects.duckdb import DuckDb, DuckDbWarehouse
from candu_source.destinations.warehouse.dialects.readcopy import publish
from candu_source.destinations.warehouse.tables import TableLoad, Type

ROUNDS = 9
LONG, LONG_QUICK = 10_000_000, 1_000_000
NEW = 1_000
_SCHEMA, _TABLE = "bench", "screens"
_COLUMNS = {
    "id": Type.STRING,
    "received_at": Type.TIMESTAMP,
    "uuid_ts": Type.TIMESTAMP,
    "sent_at": Type.TIMESTAMP,
    "original_timestamp": Type.TIMESTAMP,
    "timestamp": Type.TIMESTAMP,
    "user_id": Type.STRING,
    "context_library_name": Type.STRING,
    "context_library_version": Type.STRING,
    "context_page_url": Type.STRING,
    "name": Type.STRING,
    "tutorial_id": Type.INTEGER,
    "segment_id": Type.STRING,
    "portal_id": Type.INTEGER,
    "version_id": Type.STRING,
}
# Rows as different from each other as those of real views.
_GROW = """
    INSERT INTO bench.screens
    SELECT 'candu:0123456789:' || md5(n::VARCHAR), seen, seen, seen, seen, seen, 'user-' || n % 5000, 'analytics-python', '2.4.0',
      'https://app.example.com/page-' || n % 200, 'tutorial.view', 48000 + n % 40, 'Everyone', 311, md5((n % 90)::VARCHAR)
    FROM (SELECT range AS n, TIMESTAMPTZ '2026-01-01 00:00:00Z' + to_milliseconds(range * 500) AS seen FROM range(?))
"""
_SEARCH = "SELECT count(*) FROM unnest(?) AS new(id) WHERE NOT EXISTS (SELECT 1 FROM bench.screens AS kept WHERE kept.id = new.id)"


def rows(bench: Bench) -> list[Row]:
    """Return how much more they cost there, and how much of it is looking for their ids."""
    long = LONG_QUICK if bench.quick else LONG
    file, number = _made(bench.directory / "long.duckdb"), itertools.count()
    _grow(file, long)

    def none() -> Path:
        return _made(bench.directory / f"empty-{next(number)}.duckdb")

    runs: Mapping[str, Callable[[], float]] = {
        "load into none": lambda: _load(none()),
        "load into many": lambda: _load(file),
        "search in none": lambda: _search(none()),
        "search in many": lambda: _search(file),
    }
    took = bench.interleave(f"warehouse, {NEW:,} rows, ms", runs, bench.rounds(ROUNDS))
    share = [many - few for many, few in zip(took["search in many"], took["search in none"], strict=True)]
    rest = [whole - part for whole, part in zip(took["load into many"], share, strict=True)]
    what = f"duckdb: {NEW:,} rows into {long:,}"
    absolute = {name: rate(took[name], "ms") for name in ("load into many", "load into none")}
    return [
        Row("warehouse", f"{what} / into none", ratios(took["load into many"], took["load into none"]), absolute=absolute),
        Row("warehouse", f"{what}, search apart / into none", ratios(rest, took["load into none"]), target=Target("<=", 3.0)),
        Row("warehouse", f"{what}: the search", share, "ms", note="for ids that are there already"),
        Row("warehouse", f"duckdb: a copy of {file.stat().st_size / 1e6:,.0f} MB for readers", [_copy(file)], "ms", note="once a sync"),
    ]


def _made(file: Path) -> Path:
    """Make a file with the table and no row in it."""
    with _opened(file) as dialect, dialect.transaction():
        dialect.put(_SCHEMA, TableLoad(_TABLE, new=True, added=_COLUMNS, columns=tuple(_COLUMNS), rows=()))
    return file


def _grow(file: Path, long: int) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_GROW, [long])


def _load(file: Path) -> float:
    """Return the milliseconds of a sync's work in the warehouse, from opening the file to closing it."""
    at = datetime.now(UTC)
    cells = (at, at, at, at, at, "user-7", "analytics-python", "2.4.0", None, "tutorial.view", 48213, "Everyone", 311, "v1")
    load = TableLoad(_TABLE, new=False, added={}, columns=tuple(_COLUMNS), rows=[(identifier, *cells) for identifier in _ids()])
    began = time.perf_counter()
    with _opened(file) as dialect, dialect.transaction():
        added = dialect.put(_SCHEMA, load)
    milliseconds = (time.perf_counter() - began) * 1000
    if added != NEW:
        raise RuntimeError(f"{added} rows were new")
    return milliseconds


def _search(file: Path) -> float:
    """Return the milliseconds of looking for new ids among those that are there."""
    ids = _ids()
    with _opened(file) as dialect:
        began = time.perf_counter()
        dialect.run(_SEARCH, [ids])
        return (time.perf_counter() - began) * 1000


def _copy(file: Path) -> float:
    began = time.perf_counter()
    publish(file)
    return (time.perf_counter() - began) * 1000


def _opened(file: Path) -> AbstractContextManager[DuckDb]:
    return DuckDbWarehouse(file, read_copy=False).open("bench")


def _ids() -> list[str]:
    return [f"candu:0123456789:{uuid4().hex}" for _ in range(NEW)]
