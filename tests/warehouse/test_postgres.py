"""What only a PostgreSQL server has: a network, rights, and connections that break."""

from __future__ import annotations

import collections
from decimal import Decimal

import psycopg
import pytest

from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.dialects import Dialect, Warehouse
from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.destinations.warehouse.tables import TableLoad, Type
from candu_source.errors import WarehouseBusy, WarehouseError
from candu_source.model import Secret
from tests.warehouse.loads import NOON, SCHEMA, SOURCE, load, put, seen
from tests.warehouse.postgres import PASSWORD, PostgresServer

_OTHERS = "pid <> pg_backend_pid() AND application_name = 'candu-source' AND datname = current_database()"


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    """Return the address of a new database."""
    return postgres.database()


@pytest.fixture
def warehouse(address: str) -> Warehouse:
    """Return a new database."""
    return at(address)


def at(address: str) -> Warehouse:
    return warehouse_at(Secret(address), allow_private=True, patience=0.1)


def test_a_connection_that_breaks_loads_nothing(warehouse: Warehouse, address: str) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE) as dialect:
        with pytest.raises(WarehouseError, match="next sync goes on"):
            _put_around_a_break(dialect, address, load("pages", ("m2", NOON), new=True))
        with pytest.raises(WarehouseError, match="connection"):
            dialect.catalog(SCHEMA)
    assert seen(warehouse, "screens", "id") == [("m1",)]
    with warehouse.look() as reader:
        assert set(reader.catalog(SCHEMA)) == {"screens"}


def test_a_connection_that_breaks_at_the_commit_is_told(warehouse: Warehouse, address: str) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE) as dialect, pytest.raises(WarehouseError, match="the transaction"):
        _put_around_a_break(dialect, address)
    assert put(warehouse, load("screens", ("m2", NOON))) == [1]


def _put_around_a_break(dialect: Dialect, address: str, *after: TableLoad) -> None:
    with dialect.transaction():
        dialect.put(SCHEMA, load("screens", ("m2", NOON)))
        dialect.put(SCHEMA, load("tracks", ("m2", NOON), new=True))
        with psycopg.connect(address, autocommit=True) as admin:
            ended = admin.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {_OTHERS}").fetchall()
        assert ended == [(True,)]
        for each in after:
            dialect.put(SCHEMA, each)


def test_sources_do_not_wait_for_each_other(warehouse: Warehouse) -> None:
    with warehouse.open("cn_1") as one, one.transaction():
        one.put("first", load("screens", ("m1", NOON), new=True))
        with warehouse.open("cn_2") as two, two.transaction():
            two.put("second", load("screens", ("m1", NOON), new=True))
        with pytest.raises(WarehouseBusy, match="another sync of this source"), warehouse.open("cn_1"):
            pass
    assert seen(warehouse, "screens", "id", schema="first") == seen(warehouse, "screens", "id", schema="second") == [("m1",)]


def test_the_key_is_named_as_segments_is(warehouse: Warehouse, address: str) -> None:
    long = "ω" * 31
    put(warehouse, load("screens", new=True), load(long, new=True))
    with psycopg.connect(address) as admin:
        keys = admin.execute(
            """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE contype = 'p' AND connamespace = %s::regnamespace ORDER BY 1""",
            [SCHEMA],
        ).fetchall()
    assert keys == [("screens_pkey", "PRIMARY KEY (id)"), ("ω" * 29 + "_pkey", "PRIMARY KEY (id)")]


@pytest.mark.parametrize("key", ["UNIQUE (id) DEFERRABLE", "UNIQUE (id, received_at)", "PRIMARY KEY (id)"])
def test_keys_of_adopted_tables(warehouse: Warehouse, address: str, key: str) -> None:
    with psycopg.connect(address) as admin:
        admin.execute(f"CREATE SCHEMA {SCHEMA}")  # type: ignore[arg-type, unused-ignore]
        admin.execute(f"CREATE TABLE {SCHEMA}.screens (id text, received_at timestamptz, {key})")  # type: ignore[arg-type, unused-ignore]
    assert put(warehouse, load("screens", ("m1", NOON))) == [1]
    assert put(warehouse, load("screens", ("m1", NOON), ("m2", NOON))) == [1]


def test_what_the_server_makes_by_itself_is_not_written(warehouse: Warehouse, address: str) -> None:
    put(warehouse, load("screens", new=True))
    with psycopg.connect(address) as admin:
        admin.execute(
            f"ALTER TABLE {SCHEMA}.screens ADD own bigint GENERATED ALWAYS AS IDENTITY, ADD two text GENERATED ALWAYS AS ('2') STORED"
        )  # type: ignore[arg-type, unused-ignore]
    with warehouse.open(SOURCE) as dialect:
        columns = dialect.catalog(SCHEMA)["screens"]
    assert (columns["own"].type, columns["two"].type) == (None, None)
    assert put(warehouse, load("screens", ("m1", NOON))) == [1]


def test_a_user_who_may_not_is_told_what_is_needed(address: str, postgres: PostgresServer) -> None:
    with psycopg.connect(address) as admin:
        admin.execute("DROP ROLE IF EXISTS guest")
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    guest = address.replace(address.partition("//")[2].partition("@")[0], "guest:guest")
    with pytest.raises(WarehouseError, match=r"candu_prod\.screens: permission denied.*let the user"):
        put(at(guest), load("screens", new=True))
    with psycopg.connect(address) as admin:
        admin.execute("CREATE SCHEMA _candu_sync AUTHORIZATION guest")
        admin.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION guest")  # type: ignore[arg-type, unused-ignore]
    with at(guest).open(SOURCE) as dialect:
        state.prepare(dialect)
    assert put(at(guest), load("screens", ("m1", NOON), new=True)) == [1]


def test_numbers_are_as_exact_as_they_were_written(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON, 0.1), ("m2", NOON, 5e-324), ("m3", NOON, 7), new=True, more={"n": Type.FLOAT}))
    assert seen(warehouse, "screens", "n") == [(Decimal("0.1"),), (Decimal("5e-324"),), (Decimal(7),)]


def test_a_question_changes_nothing_by_its_functions_either(warehouse: Warehouse) -> None:
    with warehouse.look() as reader, pytest.raises(WarehouseError, match="read-only"):
        list(reader.ask("SELECT lo_create(0)").rows)


def test_rows_without_end_have_one(warehouse: Warehouse) -> None:
    with warehouse.look() as reader, pytest.raises(WarehouseError, match="longer than it may"):
        collections.deque(reader.ask("SELECT generate_series(1, 100000000000)", seconds=0.2).rows, maxlen=0)


def test_a_second_statement_is_not_run(warehouse: Warehouse) -> None:
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.look() as reader, pytest.raises(WarehouseError, match="the question"):
        reader.ask(f"SELECT 1; COMMIT; DROP TABLE {SCHEMA}.screens")
    assert seen(warehouse, "screens", "id") == [("m1",)]


def test_no_error_shows_the_password(postgres: PostgresServer, address: str) -> None:
    canary = "canary"
    wrong = (
        address.replace(canary, f"{canary}-wrong"),
        address.rpartition("/")[0] + "/no_such_database",
        address.replace(f":{postgres.port}/", ":1/"),
        address.replace("127.0.0.1", "no-such-host.invalid"),
    )
    for each in wrong:
        with pytest.raises(WarehouseError) as told, at(each).open(SOURCE):
            pass
        assert canary not in f"{told.value!r} {told.value.__context__!r}"
    assert PASSWORD not in shown(Secret(address))


def test_without_leave_a_server_of_this_machine_is_not_reached(address: str) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "169.254.169.254", "2130706433"):
        place = Secret(address.replace("127.0.0.1", host))
        with pytest.raises(WarehouseError, match="not a public address"), warehouse_at(place, allow_private=False).open(SOURCE):
            pass
    with pytest.raises(WarehouseError, match="socket"), warehouse_at(Secret("host=/tmp user=postgres"), allow_private=False).look():
        pass


def test_a_server_that_went_away_is_told_and_comes_back(address: str, postgres: PostgresServer) -> None:
    warehouse = at(address)
    put(warehouse, load("screens", ("m1", NOON), new=True))
    with warehouse.open(SOURCE) as dialect:
        postgres.stop()
        try:
            with pytest.raises(WarehouseError, match="connection"), dialect.transaction():
                dialect.put(SCHEMA, load("screens", ("m2", NOON)))
            with pytest.raises(WarehouseError, match="refused"), warehouse.open(SOURCE):
                pass
        finally:
            postgres.start()
    assert put(warehouse, load("screens", ("m2", NOON))) == [1]
    assert seen(warehouse, "screens", "id") == [("m1",), ("m2",)]
