"""The log: gapless, once per message id, durable together or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from candu_source.errors import NotFound, StoreBusy, StoreFull, StoreTooNew
from candu_source.model import Admission, Connection, Receipt
from candu_source.store import Store
from candu_source.store.chunks import digest
from candu_source.store.log import append_group
from tests.store.shelf import add_connection, admit, aside, events, make_store, move_all


def test_seqs_are_gapless_and_duplicates_take_none(store: Store, connection: Connection) -> None:
    first = store.log.append(admit(connection, 1, 2, 2, 3))
    second = store.log.append(admit(connection, 3, 4))
    assert (first.accepted, first.duplicates) == (3, 1)
    assert (second.accepted, second.duplicates) == (1, 1)
    assert [event.seq for event in store.trace.tail(connection.id)] == [1, 2, 3, 4]


def test_the_same_id_belongs_to_each_connection(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    assert store.log.append(admit(connection, 1)).accepted == 1
    assert store.log.append(admit(other, 1)).accepted == 1


def test_the_unique_index_refuses_a_second_copy(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    again = (1, 1, connection.id, 1, "webhook", digest(connection.id, "m1"), b"", b"")
    with store.database.write() as db, pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: new_ids\.digest"):
        db.execute(store.database.sql["append"], (0.0, *again))
    move_all(store)
    with store.database.write() as db, pytest.raises(sqlite3.IntegrityError, match="the log has an event of this digest"):
        db.execute(store.database.sql["append"], (0.0, *again))


def test_a_group_of_several_connections_and_doors_is_one_statement(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    store.log.append(admit(connection, 1))
    group = [admit(connection, 2, 3), admit(other, 1), Admission(connection.id, "interactions", events(4)), admit(connection, 5)]
    statements: list[str] = []
    store.database._writer.set_trace_callback(statements.append)
    receipts = append_group(store.database, group)
    store.database._writer.set_trace_callback(None)
    assert [statement for statement in statements if not statement.startswith("--")][1:] == []
    assert [receipt.accepted for receipt in receipts if isinstance(receipt, Receipt)] == [2, 1, 1, 1]
    logged = {event.message_id: (event.seq, event.door) for event in store.trace.tail(connection.id)}
    assert {seq for seq, _ in logged.values()} == {1, 2, 3, 4, 5}
    assert [name for name, (_, door) in logged.items() if door == "interactions"] == ["m4"]
    assert [event.seq for event in store.trace.tail(other.id)] == [1]
    assert all(tally.holds for tally in store.ledger.tallies(check=True))


@pytest.mark.parametrize(("count", "size", "chunks"), [(2_500, 0, 3), (70, 300_000, 70), (10, 100_000, 2)])
def test_what_is_large_is_cut_into_chunks(store: Store, connection: Connection, count: int, size: int, chunks: int) -> None:
    before = Admission(connection.id, "interactions", events("first"))
    receipts = append_group(store.database, [before, admit(connection, *range(count), size=size)])
    assert [receipt.accepted for receipt in receipts if isinstance(receipt, Receipt)] == [1, count]
    assert store.database.row("log_span", {"connection": connection.id, "after": 0}) == (count + 1, 1, count + 1, 0)
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM log").fetchone() == (chunks + 1,)
    assert [event.message_id for event in store.trace.tail(connection.id, most=9_999)] == ["mfirst", *(f"m{each}" for each in range(count))]
    assert store.trace.life(connection.id, f"m{count - 1}").event.seq == count + 1


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(st.integers(0, 20), max_size=8), min_size=1, max_size=8))
def test_any_concurrent_appends_leave_every_id_once(store: Store, groups: list[list[int]]) -> None:
    connection = add_connection(store, f"c{threading.get_native_id()}-{len(store.connections.all())}")
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda ids: store.log.append(admit(connection, *ids)), groups))
    distinct = {each for group in groups for each in group}
    assert sum(receipt.accepted for receipt in receipts) == len(distinct)
    assert sum(receipt.duplicates for receipt in receipts) == sum(map(len, groups)) - len(distinct)
    logged = store.trace.tail(connection.id, most=1000)
    assert [event.seq for event in logged] == list(range(1, len(distinct) + 1))
    assert {event.message_id for event in logged} == {f"m{each}" for each in distinct}


def test_a_deleted_connection_costs_its_neighbours_nothing(store: Store, connection: Connection) -> None:
    with pytest.raises(NotFound, match="deleted"):
        store.log.append(Admission("gone", "webhook", events(1)))
    assert store.log.append(admit(connection, 1)).accepted == 1


def test_filtered_events_are_kept_once_and_become_events_once(store: Store, connection: Connection) -> None:
    assert store.log.append(aside(connection, filtered=("1", "2"))).filtered == 2
    assert store.log.append(aside(connection, filtered=("1",))).duplicates == 1
    assert store.log.append(admit(connection, 1)).accepted == 1
    (tally,) = store.ledger.tallies(connection.id, check=True)
    assert (tally.accepted, tally.filtered, tally.pending, tally.holds) == (2, 1, 1, True)
    assert store.log.append(aside(connection, filtered=("1",))).duplicates == 1


def test_the_same_refused_bytes_raise_the_count(store: Store, connection: Connection) -> None:
    for raw in (b"a", b"b", b"a"):
        store.log.append(aside(connection, rejects=(raw,)))
    kept = {reject.raw: reject.times for reject in store.shelves.rejects(connection.id, 10)}
    assert kept == {b"a": 2, b"b": 1}
    assert store.shelves.reject_count(connection.id) == (2, 3)


def test_a_frozen_store_answers_within_the_deadline_and_takes_it_later(tmp_path: Path) -> None:
    store = make_store(tmp_path, commit_deadline_ms=50)
    connection = add_connection(store)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match=r"no commit within 0\.05 s"):
        store.log.append(admit(connection, 1))
    other.execute("ROLLBACK")
    other.close()
    receipt = store.log.append(admit(connection, 1))
    assert receipt.accepted + receipt.duplicates == 1
    store.close()


def test_quota_and_disk_refuse_before_anything_is_taken(tmp_path: Path) -> None:
    store = make_store(tmp_path, store_max_mb=1)
    connection = add_connection(store)
    with contextlib.suppress(StoreFull):
        for number in range(30):
            store.log.append(admit(connection, number, size=100_000))
    with pytest.raises(StoreFull, match="quota of 1 MB"):
        store.log.append(admit(connection, "one more"))
    assert store.ledger.tallies(connection.id, check=True)[0].holds
    store.close()
    full = make_store(tmp_path, min_free_mb=2**40)
    with pytest.raises(StoreFull, match="MB are free"):
        full.log.append(admit(connection, "x"))
    full.close()


def test_a_file_that_cannot_grow_loses_nothing_it_had(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    store.log.append(admit(connection, 1))
    store.database._writer.execute(f"PRAGMA max_page_count = {store.database._writer.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreFull):
        store.log.append(admit(connection, 2, size=1_000_000))
    store.database._writer.execute("PRAGMA max_page_count = 1000000")
    assert store.log.append(admit(connection, 2)).accepted == 1
    assert store.ledger.tallies(connection.id, check=True)[0].holds
    store.close()


def test_closing_commits_what_waits_and_refuses_the_rest(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    store.log.append(admit(connection, 1))
    store.close()
    with pytest.raises(StoreBusy):
        store.log.append(admit(connection, 2))


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    make_store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "store.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreTooNew, match=r"version 99.*upgrade"):
        make_store(tmp_path)


def test_the_file_is_durable_and_private(store: Store, tmp_path: Path) -> None:
    writer = store.database._writer
    assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert (tmp_path / "store.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "store.db.key").stat().st_mode & 0o077 == 0


def test_every_statement_is_valid_and_used(store: Store) -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parents[2].joinpath("candu_source", "store").glob("*.py"))
    for name in store.database.sql.names():
        assert f'"{name}"' in sources, f"nothing uses {name}"
