"""What only a DuckDB file has: a lock, a copy for readers, and walls around both."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
from pathlib import Path

import pytest

from candu_source.destinations.warehouse.dialects.duckdb import DuckDbWarehouse
from candu_source.destinations.warehouse.tables import Type
from candu_source.errors import WarehouseBusy, WarehouseError
from tests.warehouse.loads import NOON, SCHEMA, SOURCE, load, put, rows, seen

_HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file whose folder is not there yet."""
    return tmp_path / "a folder's" / "warehouse.duckdb"


@pytest.fixture
def warehouse(file: Path) -> DuckDbWarehouse:
    """Return the warehouse of this file."""
    return DuckDbWarehouse(file, patience=0.1)


@pytest.fixture
def loaded(warehouse: DuckDbWarehouse) -> DuckDbWarehouse:
    """Load one row."""
    put(warehouse, load("screens", ("m1", NOON), new=True))
    return warehouse


def test_a_reader_keeps_the_copy_that_it_opened(loaded: DuckDbWarehouse, file: Path) -> None:
    copy = file.with_name("warehouse.read.duckdb")
    before = copy.stat()
    with loaded.look() as early:
        put(loaded, load("screens", ("m2", NOON)))
        with loaded.look() as late:
            assert rows(early, "screens", "id") == [("m1",)]
            assert rows(late, "screens", "id") == [("m1",), ("m2",)]
    assert copy.stat().st_ino != before.st_ino
    assert sorted(path.name for path in file.parent.iterdir()) == ["warehouse.duckdb", "warehouse.duckdb.rows", "warehouse.read.duckdb"]


def test_a_copy_is_made_only_of_what_changed_and_made_up_for_when_it_is_missing(loaded: DuckDbWarehouse, file: Path) -> None:
    copy = file.with_name("warehouse.read.duckdb")
    before = copy.stat().st_ino
    with loaded.open(SOURCE):
        pass
    assert copy.stat().st_ino == before
    copy.unlink()
    with pytest.raises(WarehouseError, match="the first sync makes it"), loaded.look():
        pass
    with loaded.open(SOURCE):
        pass
    assert seen(loaded, "screens", "id") == [("m1",)]


def test_a_copy_that_a_killed_sync_left_behind_is_caught_up_with(file: Path, warehouse: DuckDbWarehouse) -> None:
    put(DuckDbWarehouse(file, read_copy=False), load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE):
        pass
    put(DuckDbWarehouse(file, read_copy=False), load("screens", ("m2", NOON)))
    assert seen(warehouse, "screens", "id") == [("m1",)]
    with warehouse.open(SOURCE):
        pass
    assert seen(warehouse, "screens", "id") == [("m1",), ("m2",)]


def test_both_files_are_their_owners_and_a_copy_that_others_may_read_stays_so(file: Path, loaded: DuckDbWarehouse) -> None:
    copy = file.with_name("warehouse.read.duckdb")
    assert [each.stat().st_mode & 0o777 for each in (file, copy)] == [0o600, 0o600]
    copy.chmod(0o640)
    put(loaded, load("screens", ("m2", NOON)))
    assert copy.stat().st_mode & 0o777 == 0o640


def test_without_a_copy_readers_wait_for_the_file_itself(file: Path) -> None:
    warehouse = DuckDbWarehouse(file, read_copy=False, patience=0.1)
    put(warehouse, load("screens", ("m1", NOON), new=True))
    assert seen(warehouse, "screens", "id") == [("m1",)]
    with warehouse.open(SOURCE), pytest.raises(WarehouseBusy), warehouse.look():
        pass
    with warehouse.look(), pytest.raises(WarehouseBusy), warehouse.open(SOURCE):
        pass
    assert [path.name for path in file.parent.glob("*.read*")] == []


def test_a_program_that_has_the_file_open_is_named(loaded: DuckDbWarehouse, file: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WarehouseBusy, match=f"PID {holder.pid}"), loaded.open(SOURCE):
            pass
        assert seen(loaded, "screens", "id") == [("m1",)]
        holder.communicate()
    assert put(loaded, load("screens", ("m2", NOON))) == [1]


def test_another_source_waits_for_the_file(loaded: DuckDbWarehouse) -> None:
    with loaded.open(SOURCE), pytest.raises(WarehouseBusy, match="another sync"), loaded.open("cn_2"):
        pass


def test_what_is_not_a_warehouse_is_told(file: Path, warehouse: DuckDbWarehouse, tmp_path: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"something else, of some length" * 1_000)
    with pytest.raises(WarehouseError, match="look at the file"), warehouse.open(SOURCE):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(WarehouseError, match="File exists"), DuckDbWarehouse(tmp_path / "file" / "w.duckdb").open(SOURCE):
        pass


def test_rows_do_not_stay_beside_the_warehouse(loaded: DuckDbWarehouse, file: Path) -> None:
    staging = file.with_name("warehouse.duckdb.rows")
    assert (staging.stat().st_size, staging.stat().st_mode & 0o777) == (0, 0o600)


def test_no_schema_is_taken_for_the_file(file: Path, warehouse: DuckDbWarehouse) -> None:
    for schema in ("warehouse", "temp", "memory", "system", "main"):
        assert put(warehouse, load("screens", ("m1", NOON), new=True), schema=schema) == [1]
        assert put(warehouse, load("screens", ("m2", NOON), fold=True), schema=schema) == [1]
    assert seen(warehouse, "screens", "id", schema="warehouse") == [("m1",), ("m2",)]


def test_rows_without_end_have_one(loaded: DuckDbWarehouse) -> None:
    with loaded.look() as reader, pytest.raises(WarehouseError, match="longer than it may"):
        collections.deque(reader.ask("SELECT i FROM range(100000000000) AS endless(i)", seconds=0.2).rows, maxlen=0)


def test_neither_writing_nor_reading_reaches_other_files(loaded: DuckDbWarehouse, file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    questions = (f"SELECT * FROM read_text('{secret}')", f"FROM '{file}'", "SELECT * FROM read_csv('https://example.com/x.csv')")
    changes = (
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    )
    with loaded.look() as reader:
        for sql in (*questions, *changes):
            with pytest.raises(WarehouseError):
                list(reader.ask(sql).rows)
    with loaded.open(SOURCE) as dialect:
        for sql in (*questions, *changes):
            with pytest.raises(WarehouseError):
                dialect.run(sql)
    assert sorted(os.listdir(tmp_path)) == ["a folder's", "secret.txt"]


def test_rows_as_wide_and_as_large_as_they_come_fit_in_little_memory(warehouse: DuckDbWarehouse) -> None:
    columns, most = {f"c{number:03}": Type.STRING for number in range(1_000)}, 320
    cells = [("x" * 100 if number < most else None) for number in range(len(columns))]
    given = load("screens", *((f"m{number}", NOON, *cells[number:], *cells[:number]) for number in range(500)), new=True, more=columns)
    assert put(warehouse, given) == [500]
    with warehouse.look() as reader:
        assert list(reader.ask(f"SELECT count(*), count(c000) FROM {SCHEMA}.screens").rows) == [(500, 320)]
