"""Two warehouses of one source: what is the same, and every kind of difference that can be planted, on a real file and a real server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from candu_source.destinations.warehouse.compare import UNDER_WAY, compare
from candu_source.destinations.warehouse.comparison import Comparison, Rows, Sample, Values
from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.dialects.duckdb import DuckDbWarehouse
from candu_source.destinations.warehouse.parity import Tolerated
from candu_source.destinations.warehouse.sides import side
from candu_source.destinations.warehouse.tables import TableLoad, Type
from candu_source.errors import UsageError
from tests.warehouse.loads import SCHEMA, at, change, load, put

# In the order of their bytes; in that of a language they are a, B, é, z.
IDS = ("B", "a", *(f"m{place:02}" for place in range(8)), "z", "é")
TYPES = {"sent_at": Type.TIMESTAMP, "tutorial_id": Type.INTEGER, "event_name": Type.STRING, "price": Type.FLOAT, "roles": Type.STRING}
INSIDE = {"since": at(-1), "until": at(1_000)}
DELAYED = timedelta(milliseconds=80)


def interactions(table: str = "tutorial_interaction", *, delay: timedelta = timedelta()) -> TableLoad:
    """Return a row every half hour from noon on."""
    times = [at(30 * place) for place in range(len(IDS))]
    rows = [(name, time + delay, time + delay, 417, "click", 1.5, '["a","b"]') for name, time in zip(IDS, times, strict=True)]
    return load(table, *rows, more=TYPES, new=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return files that are loaded, to be copied: ours, and one that received the same events a moment later."""
    files = {name: tmp_path_factory.mktemp("loaded") / f"{name}.duckdb" for name in ("here", "other")}
    put(DuckDbWarehouse(files["here"], read_copy=False), interactions("tracks"), interactions())
    put(DuckDbWarehouse(files["other"], read_copy=False), interactions("tracks", delay=DELAYED), interactions(delay=DELAYED))
    return files


@pytest.fixture
def here(loaded: Mapping[str, Path], tmp_path: Path) -> Warehouse:
    """Return our warehouse, loaded."""
    return DuckDbWarehouse(Path(shutil.copy(loaded["here"], tmp_path)), read_copy=False)


@pytest.fixture
def other(loaded: Mapping[str, Path], tmp_path: Path) -> Warehouse:
    """Return the other, where it does not matter of which dialect it is."""
    return DuckDbWarehouse(Path(shutil.copy(loaded["other"], tmp_path)), read_copy=False)


@pytest.fixture
def there(warehouse: Warehouse) -> Warehouse:
    """Return the other, of each dialect in turn."""
    put(warehouse, interactions("tracks", delay=DELAYED), interactions(delay=DELAYED))
    return warehouse


def compared(here: Warehouse, there: Warehouse, *, schema: str = SCHEMA, samples: int = 5, **words: Any) -> Comparison:
    """Compare both, within the time that holds all rows unless told otherwise."""
    with side(here, SCHEMA) as ours, side(there, schema) as theirs:
        return compare(ours, theirs, samples=samples, **{"tell": lambda done, total: None, **INSIDE, **words})


def planted(there: Warehouse, *changes: str) -> None:
    """Change the other's table of interactions."""
    change(there, *(each.format(f"{SCHEMA}.tutorial_interaction") for each in changes))


def test_the_same_rows_are_the_same(here: Warehouse, there: Warehouse) -> None:
    told: list[tuple[int, int]] = []
    found = compared(here, there, tell=lambda done, total: told.append((done, total)))
    assert found.same
    assert found.verdict() == "The same schema; all 24 rows are on both sides with the same values."
    assert [table.table for table in found.tables] == ["tracks", "tutorial_interaction"]
    assert {table.rows for table in found.tables} == {len(IDS)}
    assert all(table.tolerated[Tolerated.CLOCK] == 2 * len(IDS) for table in found.tables)
    assert told == [(12, 24), (24, 24)]


def test_rows_that_are_missing_on_either_side(here: Warehouse, there: Warehouse) -> None:
    planted(there, "DELETE FROM {} WHERE id IN ('m03', 'z', 'é')", "UPDATE {} SET id = 'C' WHERE id = 'B'")
    planted(here, "DELETE FROM {} WHERE id = 'm05'")
    found = compared(here, there)
    assert not found.same
    assert found.verdict() == "The same schema; 4 of 25 rows are missing there: B, m03, z, é; 2 of 25 rows are missing here: C, m05."


def test_one_missing_row_is_one(here: Warehouse, other: Warehouse) -> None:
    planted(other, "DELETE FROM {} WHERE id = 'é'")
    assert compared(here, other).verdict() == "The same schema; 1 of 24 rows is missing there: é."


def test_of_many_missing_rows_some_are_named(here: Warehouse, other: Warehouse) -> None:
    planted(other, "DELETE FROM {}")
    assert compared(here, other).verdict() == "The same schema; 12 of 24 rows are missing there: B, a, m00, m01, m02 and 7 more."


def test_values_that_differ(here: Warehouse, there: Warehouse) -> None:
    planted(there, "UPDATE {} SET tutorial_id = 418 WHERE id < 'm02'", "UPDATE {} SET event_name = NULL WHERE id = 'a'")
    found = compared(here, there)
    assert (found.same, found.same_schema) == (False, True)
    assert found.verdict() == (
        "The same schema; values differ in tutorial_interaction.event_name (1), tutorial_interaction.tutorial_id (4)."
    )


def test_samples_show_both_values(here: Warehouse, other: Warehouse) -> None:
    planted(other, "UPDATE {} SET tutorial_id = 418, event_name = 'hover' WHERE id >= 'm02'", "DELETE FROM {} WHERE id < 'm02'")
    table = compared(here, other, samples=2).tables[1]
    assert table.missing_there == Rows(4, ("B", "a"))
    assert table.values == {
        "event_name": Values(8, (Sample("m02", "click", "hover"), Sample("m03", "click", "hover"))),
        "tutorial_id": Values(8, (Sample("m02", 417, 418), Sample("m03", 417, 418))),
    }


def test_tables_columns_and_types_that_differ(here: Warehouse, there: Warehouse, dialect_name: str) -> None:
    put(here, load("pages", ("p1", at(0)), new=True))
    put(there, load("_users", ("u1", at(0)), new=True))
    planted(
        there,
        "ALTER TABLE {} ADD COLUMN more text",
        "ALTER TABLE {} ADD COLUMN context_ip text",
        "ALTER TABLE {} DROP COLUMN roles",
        "ALTER TABLE {} ALTER COLUMN tutorial_id TYPE text",
    )
    found = compared(here, there)
    assert (found.tables_here, found.tables_there) == (["pages"], ["_users"])
    table = found.tables[1]
    assert (table.columns_here, table.columns_there) == (["roles"], ["context_ip", "more"])
    assert table.types == {"tutorial_id": ("BIGINT", {"duckdb": "VARCHAR", "postgres": "text"}[dialect_name])}
    assert (table.values, table.tolerated[Tolerated.TYPE]) == ({}, len(IDS))
    assert found.verdict() == (
        "Another schema (tables only here: pages; tables only there: _users; columns: tutorial_interaction.roles, "
        "tutorial_interaction.more, tutorial_interaction.tutorial_id); all 24 rows are on both sides with the same values."
    )


def test_what_is_tolerated_is_named(here: Warehouse, there: Warehouse) -> None:
    planted(
        there,
        'UPDATE {} SET roles = \'["a", "b"]\'',
        "ALTER TABLE {} ADD COLUMN context_ip text",
        "UPDATE {} SET context_ip = '192.0.2.1'",
        "UPDATE {} SET uuid_ts = received_at + INTERVAL '3 days'",
    )
    planted(here, "ALTER TABLE {} ADD COLUMN context_ip text", "UPDATE {} SET sent_at = NULL WHERE id = 'a'")
    found = compared(here, there)
    assert found.same
    clocks = {Tolerated.CLOCK: 2 * len(IDS) - 1, Tolerated.UNSENT: 1}
    numbers = {name: times for name, times in found.tables[1].tolerated.items() if name is not Tolerated.NUMBER}
    assert numbers == {**clocks, Tolerated.JSON: len(IDS), Tolerated.ADDED: len(IDS)}


def test_a_row_that_came_much_later_is_found_and_not_called_missing(here: Warehouse, other: Warehouse) -> None:
    planted(other, "UPDATE {} SET received_at = received_at + INTERVAL '2 days' WHERE id = 'm01'")
    planted(here, "UPDATE {} SET received_at = received_at - INTERVAL '2 days' WHERE id = 'm05'")
    found = compared(here, other)
    assert found.verdict() == "The same schema; values differ in tutorial_interaction.received_at (2)."


def test_states_that_moved_on_are_no_difference(here: Warehouse, other: Warehouse) -> None:
    for each, minute, plan in ((here, 5, "free"), (other, 2_000, "pro")):
        put(each, load("users", ("u1", at(minute), plan), ("u2", at(7), "free"), more={"plan": Type.STRING}, new=True, fold=True))
    found = compared(here, other)
    assert found.same
    assert found.tables[2].tolerated[Tolerated.STATE] == 1


def test_an_id_that_stands_twice_is_said(here: Warehouse, there: Warehouse, dialect_name: str) -> None:
    if dialect_name == "postgres":
        planted(there, "ALTER TABLE {} DROP CONSTRAINT tutorial_interaction_pkey")
    planted(there, "INSERT INTO {0} SELECT * FROM {0} WHERE id IN ('a', 'm01')", "INSERT INTO {0} SELECT * FROM {0} WHERE id = 'z'")
    found = compared(here, there)
    assert found.verdict() == "The same schema; 3 ids stand there more than once: a, m01, z."
    assert found.tables[1].rows == len(IDS)


def test_the_order_of_a_column_does_not_matter(here: Warehouse, tmp_path: Path) -> None:
    there = DuckDbWarehouse(tmp_path / "there.duckdb", read_copy=False)
    change(
        there, f"CREATE SCHEMA {SCHEMA}", f"CREATE TABLE {SCHEMA}.tracks (id text COLLATE nocase, received_at timestamptz, event_name text)"
    )
    put(there, load("tracks", *((name, at(0), "click") for name in IDS), more={"event_name": Type.STRING}))
    found = compared(here, there, only=["tracks"]).tables[0]
    assert (found.rows, found.missing_here, found.missing_there) == (len(IDS), Rows(), Rows())


def test_time_is_compared_that_both_reach_less_what_is_under_way(here: Warehouse, other: Warehouse) -> None:
    change(other, f"DELETE FROM {SCHEMA}.tracks WHERE id < 'm00'", f"DELETE FROM {SCHEMA}.tutorial_interaction WHERE id < 'm00'")
    found = compared(here, other, since=None, until=None)
    assert found.since == at(60) + DELAYED
    assert found.until == at(330) - UNDER_WAY
    assert [table.rows for table in found.tables] == [7, 7]
    assert found.same


def test_rows_of_the_time_asked_for_are_compared(here: Warehouse, other: Warehouse) -> None:
    planted(other, "UPDATE {} SET tutorial_id = 418")
    found = compared(here, other, since=at(60), until=at(120))
    assert [table.rows for table in found.tables] == [2, 2]
    assert found.tables[1].values["tutorial_id"].samples == (Sample("m00", 417, 418), Sample("m01", 417, 418))


def test_only_some_tables_are_compared(here: Warehouse, other: Warehouse) -> None:
    planted(other, "UPDATE {} SET tutorial_id = 418")
    assert compared(here, other, only=["tracks"]).same
    with pytest.raises(UsageError, match="neither has 'nothing'; there are tracks, tutorial_interaction"):
        compared(here, other, only=["nothing"])


def test_where_no_time_is_left_that_is_said(here: Warehouse, other: Warehouse) -> None:
    with pytest.raises(UsageError, match=r"no time to compare from .* choose it with --since and --until"):
        compared(here, other, since=at(10_000), until=None)
    planted(other, "DELETE FROM {}")
    with pytest.raises(UsageError, match="no rows to compare there"):
        compared(here, other, since=None, until=None, only=["tutorial_interaction"])


def test_a_schema_without_tables_is_said(here: Warehouse, other: Warehouse) -> None:
    with pytest.raises(UsageError, match="the schema elsewhere holds no table of Segment's there; --schema"):
        compared(here, other, schema="elsewhere")


def test_a_table_of_somebody_elses_is_no_concern(here: Warehouse, other: Warehouse) -> None:
    change(other, f"CREATE TABLE {SCHEMA}.reports (id bigint, received_at timestamptz)", f"CREATE TABLE {SCHEMA}.notes (text text)")
    assert compared(here, other).same


def test_another_schema_may_be_compared(here: Warehouse, other: Warehouse) -> None:
    put(other, interactions("tracks"), schema="older")
    found = compared(here, other, schema="older")
    assert (found.tables_here, found.tables_there) == (["tutorial_interaction"], [])
    assert found.tables[0].tolerated.get(Tolerated.CLOCK) is None


def test_a_column_more_is_another_schema_unless_segment_adds_it(here: Warehouse, other: Warehouse) -> None:
    planted(other, "ALTER TABLE {} ADD COLUMN context_ip text")
    assert compared(here, other).same
    planted(other, "ALTER TABLE {} ADD COLUMN more text")
    found = compared(here, other)
    assert (found.same, found.same_schema) == (False, False)
    assert found.verdict().startswith("Another schema (columns: tutorial_interaction.more); all 24 rows")
