"""What may be switched and told of a connection: lanes, names, keys, and how much room is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from candu_source.deliveries import Advance, Bury
from candu_source.errors import Conflict, NotFound, Reason, UsageError
from candu_source.model import Connection, Secret
from candu_source.store import Store
from tests.store.shelf import add_connection, admit, claim, refs, settlement


def test_a_lane_that_is_off_waits_and_goes_on_where_it_was(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    for each in (connection, other):
        store.log.append(admit(each, 1, 2))
    store.connections.set_lane(connection, "segment", False, by="anna")
    assert store.connections.lanes(connection.id) == {"segment": False}
    assert store.connections.lanes(other.id) == {"segment": True}
    assert [each.connection_id for each in store.lanes.claim("w", 10)] == [other.id]
    assert store.connections.waiting(connection.id) == 2
    store.connections.set_lane(connection, "segment", True, by="anna")
    assert refs(claim(store, "w2").batches[0]) == [1, 2]


def test_switching_a_lane_is_audited_once(store: Store, connection: Connection) -> None:
    for _ in range(2):
        store.connections.set_lane(connection, "segment", False, by="anna")
    (last, before) = store.audit.rows(connection.id, 10)
    assert (last.who, last.action, last.changes) == ("anna", "lane.changed", {"lanes.segment": [True, False]})
    assert before.action == "connection.added"


def test_a_lane_that_is_not_there_is_named(store: Store, connection: Connection) -> None:
    with pytest.raises(NotFound, match="no lane 'mars'; it has segment"):
        store.connections.set_lane(connection, "mars", False, by="test")


def test_events_wait_until_the_slowest_lane_has_passed_them(store: Store, connection: Connection) -> None:
    assert store.connections.waiting(connection.id) == store.connections.waiting("nobody") == 0
    store.log.append(admit(connection, 1, 2, 3, 4))
    assert store.connections.waiting(connection.id) == 4
    delivery = claim(store)
    first, second = delivery.batches[0].halves()
    store.lanes.settle([settlement(delivery, first, Advance())])
    assert store.connections.waiting(connection.id) == 2
    store.lanes.settle([settlement(delivery, second, Bury(Reason.EXPIRED))])
    assert store.connections.waiting(connection.id) == 0


def test_room_is_what_may_still_wait() -> None:
    assert Connection("", "").room(7) is None
    limited = Connection("", "", pending_most=10)
    assert (limited.room(7), limited.room(12)) == (3, 0)


@pytest.mark.parametrize("name", ["candu test", "CANDU-TEST", "Candu_Test_"])
def test_a_warehouse_schema_belongs_to_one_connection(store: Store, connection: Connection, name: str) -> None:
    with pytest.raises(Conflict, match="warehouse schema candu_test, which 'Candu_Test' has"):
        add_connection(store, name)
    other = add_connection(store, "Other")
    with pytest.raises(Conflict, match="warehouse schema candu_test"):
        store.connections.save(replace(other, name=name), by="test")
    assert store.connections.save(replace(connection, name=name), by="test").slug == connection.slug


def test_a_name_must_name_a_schema(store: Store) -> None:
    with pytest.raises(UsageError, match="names no warehouse schema"):
        add_connection(store, "☃")


def test_what_changed_is_audited_in_the_words_of_settings(store: Store, connection: Connection) -> None:
    saved = store.connections.save(replace(connection, pending_most=5, rules=replace(connection.rules, identity="warn")), by="anna")
    assert store.connections.save(saved, by="anna") == saved
    last, *_ = store.audit.rows(connection.id, 10)
    assert last.changes == {"pending_most": [0, 5], "identity": ["off", "warn"]}
    assert len(store.audit.rows(connection.id, 10)) == 2


def test_a_write_key_is_compared_without_being_told(store: Store, connection: Connection) -> None:
    assert store.connections.has_write_key(connection, Secret("key-Candu_Test"))
    assert not store.connections.has_write_key(connection, Secret("another"))
    with store.database.write() as db:
        db.execute("UPDATE connections SET write_key = x'00'")
    assert not store.connections.has_write_key(connection, Secret("key-Candu_Test"))
