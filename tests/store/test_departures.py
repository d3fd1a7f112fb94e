"""A connection that is deleted leaves an audit row and a number for the ledger, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candu_source.deliveries import Advance
from candu_source.errors import NotFound
from candu_source.model import Connection, Role, Secret, TokenUse
from candu_source.store import Store
from candu_source.store.departures import PURGES
from tests.store.shelf import add_connection, admit, aside, claim, make_store, settlement


def tables(store: Store) -> list[str]:
    """List the tables that name a connection, save the one that names deleted ones."""
    with store.database.read() as db:
        named = db.execute(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'connection'"
        )
        return sorted(name for (name,) in named if name != "departures")


def count(store: Store, table: str, connection: Connection) -> int:
    """Count a connection's rows in a table."""
    with store.database.read() as db:
        return int(db.execute(f"SELECT count(*) FROM {table} WHERE connection = ?", (connection.id,)).fetchone()[0])  # noqa: S608


def insert_something(store: Store, table: str, connection: Connection) -> None:
    """Write a row with whatever its columns take, unlike that of another connection."""
    values: dict[str, Any] = {"TEXT": connection.id, "INTEGER": 1, "REAL": 1.0, "BLOB": connection.id.encode()}
    with store.database.write() as db:
        columns = db.execute(f"PRAGMA table_info({table})").fetchall()
        needed = {name: kind for _, name, kind, required, default, key in columns if (required or key) and default is None}
        row = {name: values[kind] for name, kind in needed.items() if name != "id"} | {"connection": connection.id}
        row |= {"slug": "x"} if table == "contents" else {}
        names = ", ".join(row)
        db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608


def purge(store: Store) -> int:
    """Purge to the end and return the number of steps."""
    steps = 0
    while store.departures.purge():
        steps += 1
    return steps


def test_nothing_of_it_is_left_in_any_table(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    store.people.add("anna", Secret("a long password"), Role.VIEWER, connections=[connection.id, other.id], by="test")
    for each in (connection, other):
        store.log.append(admit(each, 1, 2))
        store.log.append(aside(each, filtered=("3",), rejects=(b"x",)))
    for table in [table for table in tables(store) if not count(store, table, connection)]:
        for each in (connection, other):
            insert_something(store, table, each)
    kept = {table: count(store, table, other) for table in tables(store)}
    assert all(kept.values())
    store.connections.delete(connection, by="anna")
    purge(store)
    assert {table for table in tables(store) if count(store, table, connection)} == {"audit"}
    assert {table: count(store, table, other) for table in tables(store)} == kept
    assert store.database.row("id_faults")[:2] == (2, 2)


def test_every_purge_is_bound_to_a_connection(store: Store) -> None:
    for name in PURGES:
        assert "connection = :connection" in store.database.sql[name]


def test_the_audit_remembers_it(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1, 2))
    store.connections.delete(connection, by="anna")
    purge(store)
    last, *_ = store.audit.rows(connection.id, 10)
    assert (last.who, last.action, last.name) == ("anna", "connection.deleted", connection.name)
    assert last.changes == {"name": [connection.name, None], "events": [2, None]}
    assert store.departures.named(connection.name) == store.departures.named(connection.id) == connection.id
    with pytest.raises(NotFound, match="none was deleted"):
        store.departures.named("Nobody")


def test_the_ledger_holds_while_it_goes_and_afterwards(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    for number in range(6):
        store.log.append(admit(connection, *range(number * 1000, number * 1000 + 900)))
    store.log.append(admit(other, 1))
    store.connections.delete(connection, by="test")
    steps = 0
    while store.departures.purge():
        steps += 1
        (tally,) = store.ledger.tallies(check=True)
        assert tally.holds, tally
    assert steps > 2
    store.log.append(admit(other, 2))
    (tally,) = store.ledger.tallies(check=True)
    assert (tally.connection, tally.holds, tally.accepted) == ("Other", True, 2)


def test_a_row_that_vanished_before_is_still_missed(store: Store, connection: Connection) -> None:
    add_connection(store, "Other")
    store.log.append(admit(connection, 1, 2))
    store.log.append(admit(connection, 3))
    with store.database.write() as db:
        db.execute("DELETE FROM log WHERE last_seq = 3")
    store.connections.delete(connection, by="test")
    purge(store)
    (tally,) = store.ledger.tallies(check=True)
    assert tally.faults == ("3 events were written; the seqs of all connections account for 2",)


def test_a_row_that_vanishes_while_it_goes_does_no_harm_to_others(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    store.log.append(admit(connection, 1, 2))
    store.log.append(admit(other, 1))
    store.connections.delete(connection, by="test")
    with store.database.write() as db:
        db.execute("DELETE FROM log WHERE connection = ?", (other.id,))
    purge(store)
    (tally,) = store.ledger.tallies(check=True)
    assert not tally.holds


def test_a_purge_that_was_cut_short_is_taken_up_by_the_housekeeping(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    for number in range(4):
        store.log.append(admit(connection, *range(number * 1000, number * 1000 + 1000)))
    store.connections.delete(connection, by="test")
    assert store.departures.purge()
    assert count(store, "log", connection)
    store.close()
    store = make_store(tmp_path)
    while store.keeper.prune():
        pass
    assert not count(store, "log", connection)
    store.close()


def test_what_is_written_late_goes_too(store: Store, connection: Connection) -> None:
    store.connections.delete(connection, by="test")
    purge(store)
    store.contents.seen(connection.id, [("c-1", "slug")])
    assert purge(store)
    assert not count(store, "contents", connection)


def test_nobody_looks_for_what_is_left_for_ever(store: Store, connection: Connection) -> None:
    store.connections.delete(connection, by="test")
    with store.database.write() as db:
        db.execute("UPDATE departures SET deleted_at = deleted_at - 3600")
    assert store.departures.purge() == 0
    assert store.database.rows("departing", {"linger": 60.0}) == []


def test_doors_and_workers_meet_a_deleted_connection_unharmed(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    token = store.tokens.add(connection, TokenUse.SERVER, by="test")
    assert store.tokens.owner(token.reveal(), TokenUse.SERVER) == connection
    store.log.append(admit(connection, 1))
    delivery = claim(store)
    store.connections.delete(connection, by="test")
    with pytest.raises(NotFound, match="was deleted"):
        store.log.append(admit(connection, 2))
    with pytest.raises(NotFound, match="was deleted"):
        store.log.append(aside(connection, filtered=("3",), rejects=(b"x",)))
    assert store.log.append(admit(other, 1)).accepted == 1
    assert store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())]) == [False]
    store.tokens.forget()
    assert store.tokens.owner(token.reveal(), TokenUse.SERVER) is None
    with pytest.raises(NotFound, match="was deleted"):
        store.connections.delete(connection, by="test")


def test_its_names_are_free_again(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    store.connections.delete(connection, by="test")
    again = add_connection(store, connection.name)
    purge(store)
    assert again.id != connection.id
    assert store.log.append(admit(again, 1)).accepted == 1
    (tally,) = store.ledger.tallies(check=True)
    assert (tally.accepted, tally.holds) == (1, True)
