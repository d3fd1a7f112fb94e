"""What the warehouse keeps about syncs: it commits with the rows, source by source."""

from __future__ import annotations

import threading

import pytest

from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.model import Secret
from candu_source.warehouses import Remark
from tests.warehouse.loads import NOON, SCHEMA, SOURCE, load
from tests.warehouse.postgres import PostgresServer

OTHER = "cn_2"


def test_places_of_sources_are_kept_apart(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        state.prepare(dialect)
        state.prepare(dialect)
        assert state.bookmark(dialect, SOURCE) is None
        with dialect.transaction():
            state.move(dialect, SOURCE, 1, "m1")
            state.move(dialect, SOURCE, 7, "m7\0")
            state.move(dialect, OTHER, 3, "m3")
        assert state.bookmark(dialect, SOURCE) == state.Bookmark(7, "m7")
        with dialect.transaction():
            state.forget_place(dialect, SOURCE)
        assert state.bookmark(dialect, SOURCE) is None
        assert state.bookmark(dialect, OTHER) == state.Bookmark(3, "m3")
        with dialect.transaction():
            state.move(dialect, SOURCE, 2, "m2")
    with warehouse.open(SOURCE) as dialect:
        assert state.bookmark(dialect, SOURCE) == state.Bookmark(2, "m2")


def test_a_place_that_is_not_committed_is_not_kept(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        state.prepare(dialect)
        with pytest.raises(ZeroDivisionError), dialect.transaction():
            state.move(dialect, SOURCE, 1 // 0, "m1")
        assert state.bookmark(dialect, SOURCE) is None


def test_backfills_go_on_and_end(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        state.prepare(dialect)
        with dialect.transaction():
            state.add_backfill(dialect, SOURCE, "screens", until=9)
            state.add_backfill(dialect, SOURCE, "tracks", until=9)
            state.add_backfill(dialect, OTHER, "screens", until=5)
            state.move_backfill(dialect, SOURCE, "screens", 4)
        assert state.backfills(dialect, SOURCE) == [state.Backfill("screens", 4, 9), state.Backfill("tracks", 0, 9)]
        with dialect.transaction():
            state.add_backfill(dialect, SOURCE, "screens", until=11)
            state.end_backfill(dialect, SOURCE, "tracks")
        assert state.backfills(dialect, SOURCE) == [state.Backfill("screens", 0, 11)]
        with dialect.transaction():
            state.forget_place(dialect, SOURCE)
        assert state.backfills(dialect, SOURCE) == []
        assert state.backfills(dialect, OTHER) == [state.Backfill("screens", 0, 5)]


def test_rows_are_counted_by_table_as_long_as_it_is_there(warehouse: Warehouse) -> None:
    with warehouse.open(SOURCE) as dialect:
        state.prepare(dialect)
        with dialect.transaction():
            for table in ("screens", "tracks"):
                state.count_rows(dialect, SOURCE, table, dialect.put(SCHEMA, load(table, ("m1", NOON), new=True)), new=True)
            state.count_rows(dialect, SOURCE, "screens", 5, new=False)
            state.count_rows(dialect, OTHER, "screens", 9, new=False)
        found = state.tables(dialect, SOURCE, dialect.catalog(SCHEMA))
        assert [(table.name, table.rows, list(table.columns)) for table in found] == [
            ("screens", 6, ["id", "received_at", "uuid_ts"]),
            ("tracks", 1, ["id", "received_at", "uuid_ts"]),
        ]
        with dialect.transaction():
            state.count_rows(dialect, SOURCE, "screens", 2, new=True)
        dialect.run(f"DROP TABLE {SCHEMA}.tracks")
        assert [(table.name, table.rows) for table in state.tables(dialect, SOURCE, dialect.catalog(SCHEMA))] == [("screens", 2)]


def test_what_is_to_be_said_is_counted_and_bounded(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_NOTICES", 3)
    hostile = Remark("t\0", "\ud800" * 9, "what" * 100_000, 1, "\0 sample \U0001f600" * 100_000)
    with warehouse.open(SOURCE) as dialect:
        state.prepare(dialect)
        with dialect.transaction():
            state.note(dialect, SOURCE, [], 1.0)
            state.note(dialect, SOURCE, [Remark("screens", "a", "dropped", 2, "first"), hostile], 1.0)
            state.note(
                dialect, SOURCE, [Remark("screens", "a", "dropped", 5, "second"), *(Remark("t", str(n), "x", 3, "") for n in range(9))], 2.0
            )
            state.note(dialect, OTHER, [Remark("screens", "a", "dropped", 1, "theirs")], 2.0)
    with warehouse.look() as reader:
        said = state.notices(reader, SOURCE)
        assert [(remark.times, remark.column) for remark in said] == [(24, ""), (7, "a"), (3, "0"), (1, "?" * 9)]
        assert said[0] == state.OVERFLOW._replace(times=24)
        assert said[1] == Remark("screens", "a", "dropped", 7, "first")
        assert state.notices(reader, OTHER) == [Remark("screens", "a", "dropped", 1, "theirs")]


def test_two_sources_prepare_one_database_side_by_side(postgres: PostgresServer) -> None:
    place, failures, begin = Secret(postgres.database()), list[BaseException](), threading.Barrier(4)

    def prepare(source: str) -> None:
        try:
            with warehouse_at(place, allow_private=True).open(source) as dialect:
                begin.wait(30)
                state.prepare(dialect)
                with dialect.transaction():
                    state.move(dialect, source, 1, "m1")
        except BaseException as failure:  # noqa: BLE001 - whatever it is, the test tells
            failures.append(failure)

    threads = [threading.Thread(target=prepare, args=(f"cn_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with warehouse_at(place, allow_private=True).open("cn_0") as dialect:
        assert [state.bookmark(dialect, f"cn_{number}") for number in range(4)] == [state.Bookmark(1, "m1")] * 4
