"""What every dialect promises, on a real file and a real server."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from candu_source.destinations.warehouse.dialects import Dialect, Warehouse
from candu_source.destinations.warehouse.tables import Cell, Column, TableLoad, Type
from candu_source.errors import WarehouseBusy, WarehouseError
from tests.warehouse.loads import ENVELOPE, NOON, SCHEMA, SOURCE, adding, at, change, load, put, rows, seen

PHYSICAL = {
    "duckdb": ("VARCHAR", "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"),
    "postgres": ("character varying(1024)", "text", "bigint", "numeric", "boolean", "timestamp with time zone"),
}
ONE_OF_EACH = {"s": Type.STRING, "i": Type.INTEGER, "f": Type.FLOAT, "b": Type.BOOLEAN, "t": Type.TIMESTAMP}


def test_a_new_table_has_segments_physical_types(warehouse: Warehouse, dialect_name: str) -> None:
    put(warehouse, load("screens", ("m1", NOON, "x", 1, 1.5, True, NOON), new=True, more=ONE_OF_EACH))
    with warehouse.open(SOURCE) as dialect:
        columns = dialect.catalog(SCHEMA)["screens"]
        assert dialect.catalog("elsewhere") == {}
    assert set(columns) == {*ENVELOPE, *ONE_OF_EACH}
    assert [columns[name].physical for name in ("id", *ONE_OF_EACH)] == list(PHYSICAL[dialect_name])
    assert {name: column.type for name, column in columns.items()} == {**ENVELOPE, **ONE_OF_EACH}
    with warehouse.look() as reader:
        assert reader.catalog(SCHEMA)["screens"] == columns


def test_cells_come_out_as_they_went_in(warehouse: Warehouse) -> None:
    texts = ["", " a ", "null", "\\N", "2026-01-01", "'; DROP TABLE x; --", '"', "\u2028\U0001f600\x7f\x01\t\r\n\\", "1", "x" * 2_500_000]
    integers = [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)]
    numbers: list[Cell] = [0.1, 1 / 3, 1e308, 5e-324, -2.5, 7, Decimal("1.25")]
    times = [datetime(1, 1, 1, 0, 0, 0, 1, UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), NOON]
    cells: list[tuple[str, Cell]] = [
        *(("s", text) for text in texts),
        *(("i", number) for number in integers),
        *(("f", number) for number in numbers),
        *(("b", truth) for truth in (True, False)),
        *(("t", time) for time in times),
    ]
    given: list[tuple[Cell, ...]] = [
        (f"m{place:02}", NOON, *(cell if name == kind else None for name in ONE_OF_EACH)) for place, (kind, cell) in enumerate(cells)
    ]
    assert put(warehouse, load("screens", *given, new=True, more=ONE_OF_EACH)) == [len(given)]
    found = seen(warehouse, "screens", "id", "received_at", *ONE_OF_EACH)
    assert [_with_float(row) for row in found] == [_with_float(row) for row in given]


def _with_float(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(float(cell) if type(cell) in (int, Decimal) and place == 4 else cell for place, cell in enumerate(row))


def test_a_row_is_loaded_once(warehouse: Warehouse) -> None:
    first = load("screens", ("m1", NOON), ("m2", NOON), new=True)
    assert put(warehouse, first) == [2]
    assert put(warehouse, load("screens", ("m2", at(9)), ("m3", at(9)))) == [1]
    assert put(warehouse, load("screens", ("m1", NOON), ("m3", NOON))) == [0]
    assert put(warehouse, load("screens")) == [0]
    assert seen(warehouse, "screens", "id", "received_at") == [("m1", NOON), ("m2", NOON), ("m3", at(9))]


def test_columns_are_added_to_a_table_that_is_there(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    more = {"name": Type.STRING, "tutorial_id": Type.INTEGER}
    assert put(warehouse, adding("screens", ("m2", NOON, "tutorial.view", 417), more=more)) == [1]
    assert seen(warehouse, "screens", "id", "name", "tutorial_id") == [("m1", None, None), ("m2", "tutorial.view", 417)]


def test_the_newer_row_has_the_word_and_silence_erases_nothing(warehouse: Warehouse) -> None:
    traits = {"email": Type.STRING, "plan": Type.STRING, "age": Type.INTEGER, "score": Type.FLOAT}
    put(
        warehouse,
        load("users", ("u1", at(5), "a@x.io", None, 30, 0.5), ("u2", at(5), "b@x.io", "free", 1, None), new=True, fold=True, more=traits),
    )
    newer, older = ("u1", at(6), None, "pro", 31, None), ("u2", at(4), "old@x.io", "old", 9, 2.5)
    assert put(warehouse, load("users", newer, older, ("u3", at(1), "c@x.io", None, None, None), fold=True, more=traits)) == [1]
    assert put(warehouse, load("users", ("u3", at(1), "same@x.io", None, None, None), fold=True, more=traits)) == [0]
    assert seen(warehouse, "users", "id", "received_at", *traits) == [
        ("u1", at(6), "a@x.io", "pro", 31, 0.5),
        ("u2", at(5), "b@x.io", "free", 1, 2.5),
        ("u3", at(1), "same@x.io", None, None, None),
    ]


def test_the_time_of_working_only_moves_forward(warehouse: Warehouse) -> None:
    def worked(received: float, worked_on: float) -> TableLoad:
        return dataclasses.replace(load("users", fold=True), columns=tuple(ENVELOPE), rows=[("u1", at(received), at(worked_on))])

    put(warehouse, load("users", new=True, fold=True))
    put(warehouse, worked(5, 6), worked(1, 9), worked(5, 8))
    assert seen(warehouse, "users", "received_at", "uuid_ts") == [(at(5), at(9))]


def test_a_transaction_counts_whole_or_not_at_all(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE) as dialect:
        before = dialect.catalog(SCHEMA)
        with pytest.raises(ZeroDivisionError):
            _load_and_fail(dialect)
        assert dialect.catalog(SCHEMA) == before
        assert dialect.catalog("another") == {}
        with dialect.transaction():
            assert dialect.put(SCHEMA, load("screens", ("m2", NOON))) == 1
    assert seen(warehouse, "screens", "id") == [("m1",), ("m2",)]


def _load_and_fail(dialect: Dialect) -> None:
    with dialect.transaction():
        dialect.put(SCHEMA, load("tracks", ("m2", NOON), new=True))
        dialect.put(SCHEMA, adding("screens", ("m2", NOON, 1), more={"x": Type.INTEGER}))
        dialect.put("another", load("screens", ("m2", NOON), new=True))
        raise ZeroDivisionError


def test_a_table_that_a_user_dropped_is_named(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True), load("tracks", ("m1", NOON), new=True))
    change(warehouse, f"DROP TABLE {SCHEMA}.screens")
    with pytest.raises(WarehouseError, match=r"candu_prod\.screens .*next sync"):
        put(warehouse, load("tracks", ("m2", NOON)), load("screens", ("m2", NOON)))
    assert seen(warehouse, "tracks", "id") == [("m1",)]
    assert put(warehouse, load("screens", ("m2", NOON), new=True)) == [1]


def test_a_column_that_a_user_retyped_takes_what_fits(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON, 1, NOON, 1.5), new=True, more={"n": Type.INTEGER, "t": Type.TIMESTAMP, "f": Type.FLOAT}))
    change(
        warehouse,
        f"ALTER TABLE {SCHEMA}.screens ALTER COLUMN n TYPE smallint",
        f"ALTER TABLE {SCHEMA}.screens ALTER COLUMN t TYPE date",
        f"ALTER TABLE {SCHEMA}.screens ALTER COLUMN f TYPE decimal(5, 2)",
    )
    with warehouse.open(SOURCE) as dialect:
        columns = dialect.catalog(SCHEMA)["screens"]
    assert (columns["n"].type, columns["n"].bits) == (Type.INTEGER, 16)
    assert (columns["t"].type, columns["f"].type, columns["f"].largest) == (Type.TIMESTAMP, Type.FLOAT, 999.0)
    more = load("screens", ("m2", NOON, 2, NOON, 2.345), more={"n": Type.INTEGER, "t": Type.TIMESTAMP, "f": Type.FLOAT})
    assert put(warehouse, more) == [1]
    assert seen(warehouse, "screens", "n", "t", "f")[1][:2] == (2, date(2026, 11, 1))


def test_types_that_only_users_make(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", new=True))
    made = {"uuid": None, "time": None, "real": Type.FLOAT, "timestamp": Type.TIMESTAMP}
    change(warehouse, *(f"ALTER TABLE {SCHEMA}.screens ADD COLUMN own_{kind} {kind}" for kind in made))
    with warehouse.open(SOURCE) as dialect:
        columns = dialect.catalog(SCHEMA)["screens"]
    assert {kind: columns[f"own_{kind}"].type for kind in made} == made
    with pytest.raises(WarehouseError, match=r"(?i)own_uuid of type uuid"):
        put(warehouse, load("screens", ("m1", NOON, "x"), more={"own_uuid": Type.STRING}))


def test_text_that_a_user_made_short_says_how_short(warehouse: Warehouse, dialect_name: str) -> None:
    put(warehouse, load("screens", new=True))
    change(warehouse, f"ALTER TABLE {SCHEMA}.screens ADD COLUMN short varchar(20)")
    with warehouse.open(SOURCE) as dialect:
        short = dialect.catalog(SCHEMA)["screens"]["short"]
    # DuckDB takes the length, and forgets it.
    assert short == (Column(Type.STRING, "VARCHAR") if dialect_name == "duckdb" else Column(Type.STRING, "character varying(20)", 20))


def test_a_constraint_of_a_user_is_told_with_what_to_do(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", new=True))
    change(warehouse, f"ALTER TABLE {SCHEMA}.screens ADD COLUMN own integer", f"CREATE UNIQUE INDEX only_one ON {SCHEMA}.screens (own)")
    with pytest.raises(WarehouseError, match=r"candu_prod\.screens.*drop that constraint"):
        put(warehouse, load("screens", ("m1", NOON, 1), ("m2", NOON, 1), more={"own": Type.INTEGER}))
    assert seen(warehouse) == []
    change(warehouse, f"DROP INDEX {SCHEMA}.only_one")
    change(warehouse, f"ALTER TABLE {SCHEMA}.screens ALTER COLUMN own SET NOT NULL")
    with pytest.raises(WarehouseError, match=r"candu_prod\.screens.*own.*drop that constraint"):
        put(warehouse, load("screens", ("m1", NOON)))


def test_an_adopted_table_without_a_key_is_loaded_once_all_the_same(warehouse: Warehouse) -> None:
    change(
        warehouse,
        f"CREATE SCHEMA {SCHEMA}",
        f"CREATE TABLE {SCHEMA}.screens (received_at timestamptz, id varchar(255), own integer)",
        f"INSERT INTO {SCHEMA}.screens VALUES ('2026-01-01 00:00:00Z', 'm1', 7)",
    )
    assert put(warehouse, load("screens", ("m1", NOON), ("m2", NOON))) == [1]
    assert put(warehouse, load("screens", ("m1", NOON), ("m2", NOON), fold=True)) == [0]
    assert seen(warehouse, "screens", "id", "received_at", "own") == [("m1", NOON, 7), ("m2", NOON, None)]


def test_a_view_is_not_taken_for_a_table(warehouse: Warehouse) -> None:
    change(warehouse, f"CREATE SCHEMA {SCHEMA}", f"CREATE VIEW {SCHEMA}.screens AS SELECT 'm1' AS id")
    with warehouse.open(SOURCE) as dialect:
        assert dialect.catalog(SCHEMA) == {}
    with pytest.raises(WarehouseError, match=r"candu_prod\.screens.*drop or rename"):
        put(warehouse, load("screens", ("m1", NOON), new=True))


HOSTILE = (
    '"; drop schema candu_prod cascade; --',
    "a'b%s%(x)s?$1{}",
    "é" * 31 + "x",
    "ω" * 31,
    "select",
    "a.b",
    " ",
    "a\\b",
    "line\nbreak",
)


def test_hostile_names_are_names(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        for name in HOSTILE:
            later = {f"{name[:20]}2": Type.STRING}
            with dialect.transaction():
                assert dialect.put(name, load(name, ("m1", NOON, "x"), new=True, more={name: Type.STRING})) == 1
                assert dialect.put(name, adding(name, ("m2", NOON, "y"), more=later)) == 1
                assert dialect.put(name, load(name, ("m2", NOON, "z"), fold=True, more=later)) == 0
            assert rows(dialect, name, "id", name, *later, schema=name) == [("m1", "x", None), ("m2", None, "z")]
    with warehouse.look() as reader:
        assert [set(reader.catalog(name)) for name in HOSTILE] == [{name} for name in HOSTILE]


def test_cells_that_never_come_are_errors_and_nothing_else(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", new=True, more={"s": Type.STRING, "i": Type.INTEGER}))
    with warehouse.open(SOURCE) as dialect:
        for name, kind, cell in (("s", Type.STRING, "half \ud800 a character"), ("i", Type.INTEGER, 2**64), ("i", Type.INTEGER, 2**200)):
            with pytest.raises(WarehouseError, match=r"candu_prod\.screens"), dialect.transaction():
                dialect.put(SCHEMA, load("screens", ("m1", NOON, cell), more={name: kind}))
        with dialect.transaction():
            assert dialect.put(SCHEMA, load("screens", ("m1", NOON))) == 1


def test_nul_is_kept_or_refused(warehouse: Warehouse, dialect_name: str) -> None:
    nul = load("screens", ("m1", NOON, "a\0b"), new=True, more={"s": Type.STRING})
    if dialect_name == "duckdb":
        assert put(warehouse, nul) == [1]
        assert seen(warehouse, "screens", "s") == [("a\0b",)]
    else:
        with pytest.raises(WarehouseError, match="0x00"):
            put(warehouse, nul)
    with pytest.raises(WarehouseError, match="NUL"):
        put(warehouse, load("a\0b", ("m1", NOON), new=True))


def test_one_sync_of_a_source_at_a_time(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as first, first.transaction():
        first.put(SCHEMA, load("screens", ("m1", NOON), new=True))
        with pytest.raises(WarehouseBusy, match="in use"), warehouse.open(SOURCE):
            pass
    assert put(warehouse, load("screens", ("m2", NOON))) == [1]


def test_reading_sees_what_is_committed_and_cannot_write(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE) as dialect, dialect.transaction(), warehouse.look() as reader:
        dialect.put(SCHEMA, load("screens", ("m2", NOON)))
        assert rows(reader, "screens", "id") == [("m1",)]
        for sql in (
            f"DELETE FROM {SCHEMA}.screens",
            f"DROP TABLE {SCHEMA}.screens",
            f"SELECT 1; DROP TABLE {SCHEMA}.screens",
            f"SELECT 1; COMMIT; DROP TABLE {SCHEMA}.screens",
            f"CREATE TABLE {SCHEMA}.x (i integer)",
            "SET TimeZone = 'Asia/Tokyo'",
            "nonsense",
            "",
        ):
            with pytest.raises(WarehouseError, match="question"):
                list(reader.ask(sql).rows)
        assert rows(reader, "screens", "id") == [("m1",)]


def test_a_question_has_parameters_names_and_an_end(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", *((f"m{number:04}", at(number)) for number in range(2_500)), new=True))
    with warehouse.look() as reader:
        answer = reader.ask(f"SELECT id, '100%' AS share FROM {SCHEMA}.screens WHERE id >= ? ORDER BY id", ["m0001"])
        assert answer.columns == ("id", "share")
        assert [row[0] for row in answer.rows] == [f"m{number:04}" for number in range(1, 2_500)]
        assert list(reader.ask("SELECT '50%' AS half").rows) == [("50%",)]
        with pytest.raises(WarehouseError, match="longer than it may"):
            list(reader.ask("SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b", seconds=0.2).rows)
        with pytest.raises(WarehouseError, match=r"^.{20,500}$"):
            list(reader.ask(f"SELECT CAST('{'x' * 9_999}' AS integer)").rows)
        assert list(reader.ask("SELECT 1", seconds=60).rows) == [(1,)]


def test_statements_of_changes_return_no_rows(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        assert dialect.run("CREATE TABLE x (t text, n bigint)") == []
        assert dialect.run("INSERT INTO x VALUES (?, ?)", ["50% of ?", 1]) == []
        assert dialect.run("SELECT t, n FROM x WHERE t LIKE '%of%' AND n = ?", [1]) == [("50% of ?", 1)]
        with pytest.raises(WarehouseError):
            dialect.run("SELECT nothing FROM nowhere")
