"""A sync loads each event once, whatever was done to the warehouse or to the store since the one before."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from candu_source import app
from candu_source.destinations.warehouse import gathering
from candu_source.errors import StoreError
from candu_source.model import Secret
from candu_source.observe import Telltale
from candu_source.store import open_store
from candu_source.warehouses import Sync
from tests.warehouse.postgres import PostgresServer
from tests.warehouse.syncing import Scene, open_scene

RETYPED = "ALTER TABLE %.screens ALTER COLUMN tutorial_id SET DATA TYPE text"


@pytest.fixture
def loaded(scene: Scene) -> Scene:
    """Load twelve events."""
    scene.append(range(12))
    assert scene.sync().error == ""
    return scene


def test_what_waits_is_loaded_and_what_is_there_is_not_loaded_again(loaded: Scene) -> None:
    loaded.prove(range(12))
    idle = loaded.sync()
    assert (idle.events, idle.rows, idle.error) == (0, 0, "")
    loaded.append(range(12, 20))
    assert loaded.sync().events == 8
    loaded.prove(range(20))


def test_the_store_says_what_there_is(loaded: Scene) -> None:
    upkeep = loaded.store.warehouses.upkeep(loaded.warehouse)
    assert {table.name: table.rows for table in upkeep.tables} == {
        "identifies": 4,
        "screens": 4,
        "tracks": 4,
        "tutorial_interaction": 4,
        "users": 4,
    }
    assert upkeep.last is not None
    assert (upkeep.last.events, upkeep.pending, upkeep.failures, upkeep.asked) == (12, 0, 0, None)


def test_a_lane_that_did_not_hear_of_a_commit_hears_of_it_with_the_next_sync(loaded: Scene) -> None:
    with loaded.store.database.write() as db:
        db.execute("DELETE FROM attempts")
        db.execute("UPDATE lanes SET cursor = 0 WHERE kind = 'warehouse'")
    assert loaded.sync().events == 0
    loaded.prove(range(12))


def test_a_dropped_table_gets_what_comes_from_then_on_and_the_rest_when_asked(loaded: Scene) -> None:
    loaded.run("DROP TABLE %.tutorial_interaction", "DROP TABLE %.users")
    loaded.append(range(12, 15))
    assert loaded.sync().error == ""
    assert loaded.ids("tutorial_interaction") == ["m13"]
    assert len(loaded.ids("tracks")) == 5
    assert loaded.sync("tutorial_interaction", "users").error == ""
    loaded.prove(range(15))


def test_a_backfill_leaves_the_other_tables_alone(loaded: Scene) -> None:
    loaded.run("DROP TABLE %.screens", "DROP TABLE %.tracks")
    assert loaded.sync("screens").rows == 4
    assert "tracks" not in loaded.tables()
    assert loaded.sync("*").rows == 4
    loaded.prove(range(12))


@pytest.mark.parametrize("asked", ["screens", "*"])
def test_what_is_loaded_again_and_is_cut_short_goes_on_where_it_was(loaded: Scene, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(gathering, "BATCH_EVENTS", 5)
    loaded.run("DROP TABLE %.screens")
    loaded.store.warehouses.ask(loaded.connection, loaded.warehouse, [asked], by="test")
    told: list[int] = []

    def tell(done: int, _total: int) -> None:
        told.append(done)
        if len(told) == 1:
            raise StoreError("cut short")

    def sync() -> Sync:
        return app.sync_warehouse(loaded.settings, loaded.store, loaded.warehouse, Telltale(io.StringIO()), tell=tell)

    assert sync().error == "cut short"
    assert loaded.store.warehouses.upkeep(loaded.warehouse).asked == frozenset()
    assert loaded.ids("screens") == ["m0", "m3"]
    assert sync().error == ""
    assert loaded.store.warehouses.upkeep(loaded.warehouse).asked is None
    assert told == ([5, 10, 12] if asked == "screens" else [5, 5, 7])
    loaded.prove(range(12))


def test_a_dropped_column_comes_back_with_what_comes(loaded: Scene) -> None:
    loaded.run("ALTER TABLE %.screens DROP COLUMN segment_id")
    loaded.append(range(12, 15))
    assert loaded.sync().error == ""
    assert loaded.ask("SELECT id, segment_id FROM %.screens WHERE segment_id IS NOT NULL") == [("m12", "Everyone")]
    loaded.prove(range(15))


def test_a_retyped_column_is_taken_as_it_is(loaded: Scene) -> None:
    loaded.run(RETYPED)
    loaded.append(range(12, 15))
    assert loaded.sync().error == ""
    assert loaded.ask("SELECT tutorial_id FROM %.screens WHERE id = 'm12'") == [("12",)]
    loaded.prove(range(15))


def test_a_dropped_schema_comes_back(loaded: Scene) -> None:
    loaded.run("DROP SCHEMA % CASCADE")
    loaded.append(range(12, 15))
    assert loaded.sync().error == ""
    assert loaded.ids("screens") == ["m12"]
    assert loaded.sync("*").error == ""
    loaded.prove(range(15))


def test_where_its_own_notes_are_dropped_everything_is_read_again_and_nothing_doubled(loaded: Scene) -> None:
    loaded.run("DROP SCHEMA _candu_sync CASCADE")
    again = loaded.sync()
    assert (again.events, again.rows, again.error) == (12, 0, "")
    loaded.prove(range(12))


def test_what_a_user_put_in_the_way_stops_the_sync_and_nothing_else(loaded: Scene) -> None:
    loaded.run("ALTER TABLE %.tracks RENAME TO mine", "CREATE VIEW %.tracks AS SELECT * FROM %.mine")
    loaded.append(range(12, 15))
    failed = loaded.sync()
    assert "tracks" in failed.error
    assert loaded.store.warehouses.upkeep(loaded.warehouse).failures == 1
    assert len(loaded.ids("screens")) == 4
    loaded.run("DROP VIEW %.tracks", "ALTER TABLE %.mine RENAME TO tracks")
    assert loaded.sync().error == ""
    assert loaded.store.warehouses.upkeep(loaded.warehouse).failures == 0
    loaded.prove(range(15))


def test_a_store_that_was_put_back_is_loaded_from_its_beginning(loaded: Scene, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with loaded.store.database.read() as db:
        db.execute("VACUUM INTO ?", (str(backup),))
    loaded.append(range(12, 18))
    assert loaded.sync().error == ""
    _put_back(loaded, backup)
    put_back = loaded.sync()
    assert (put_back.rows, put_back.error) == (0, "")
    assert [remark.what for remark in put_back.remarks] == ["the store was put back to an earlier state: loaded again from its beginning"]
    loaded.append(range(30, 36))
    assert loaded.sync().rows > 0
    loaded.prove([*range(18), *range(30, 36)])


def test_a_store_that_was_put_back_and_went_on_is_known_by_its_messages(loaded: Scene, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with loaded.store.database.read() as db:
        db.execute("VACUUM INTO ?", (str(backup),))
    loaded.append(range(12, 18))
    assert loaded.sync().error == ""
    _put_back(loaded, backup)
    loaded.append(range(30, 42))
    assert loaded.sync().error == ""
    loaded.prove([*range(18), *range(30, 42)])


def test_a_source_that_is_turned_off_keeps_its_place(loaded: Scene) -> None:
    on = loaded.warehouse
    loaded.warehouse = replace(on, selection={"enabled": False})
    loaded.append(range(12, 15))
    assert (loaded.sync().error, loaded.ids("screens")) == ("", ["m0", "m3", "m6", "m9"])
    loaded.warehouse = on
    assert loaded.sync().error == ""
    loaded.prove(range(15))


def test_of_a_deleted_file_everything_comes_back_that_the_log_keeps(tmp_path: Path) -> None:
    scene = open_scene(tmp_path, Secret(f"duckdb:///{tmp_path}/warehouse.duckdb"))
    scene.append(range(12))
    assert scene.sync().error == ""
    (tmp_path / "warehouse.duckdb").unlink()
    assert scene.sync().events == 12
    scene.prove(range(12))
    scene.store.close()


def test_a_server_that_stops_is_no_end(tmp_path: Path, postgres: PostgresServer) -> None:
    scene = open_scene(tmp_path, Secret(postgres.database()))
    scene.append(range(12))
    assert scene.sync().error == ""
    scene.append(range(12, 18))
    postgres.stop()
    try:
        errors = [scene.sync().error for _ in range(3)]
    finally:
        postgres.start()
    assert all(errors)
    upkeep = scene.store.warehouses.upkeep(scene.warehouse)
    assert (upkeep.failures, upkeep.pending) == (3, 6)
    assert scene.sync().error == ""
    assert scene.store.warehouses.upkeep(scene.warehouse).failures == 0
    scene.prove(range(18))
    scene.store.close()


def _put_back(scene: Scene, backup: Path) -> None:
    """Restore the store from a backup."""
    file = scene.store.database.path
    scene.store.close()
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    shutil.copyfile(backup, file)
    scene.store = open_store(scene.settings)
