"""Warehouses are lanes of their own: due by their clock, moved by their syncs, never in the way of others."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from candu_source.deliveries import Advance
from candu_source.errors import Conflict, NotFound, UsageError
from candu_source.jobs import ReplayKind, Wanted
from candu_source.model import Connection, Secret
from candu_source.store import Store
from candu_source.warehouses import Remark, Sync, Table, Warehouse
from tests.store.shelf import add_connection, admit, claim, settlement

_FAR = 4_000_000_000.0  # no clock of a test is there yet
_PLACE = Secret("postgresql://loader:canary@warehouse.example/db")


def add(store: Store, connection: Connection, name: str = "warehouse", **changes: object) -> Warehouse:
    """Make a warehouse that nobody opens."""
    draft = replace(Warehouse(connection.id, name, "postgresql://loader@warehouse.example/db", connection.slug), **changes)  # type: ignore[arg-type]
    return store.warehouses.add(connection, draft, _PLACE, by="test")


def due(store: Store) -> list[Warehouse]:
    """Return the warehouses that are due now."""
    return store.warehouses.due(time.time())


def read(store: Store, connection: Connection, after: int = 0, most: int = 100, most_bytes: int = 10**6) -> list[int]:
    """Return the places of the next events."""
    return [entry.ref for entry in store.entries.read(connection.id, after, most=most, most_bytes=most_bytes)]


def test_a_warehouse_is_kept_with_its_place_encrypted(store: Store, connection: Connection) -> None:
    made = add(store, connection, selection={"collections": {"screens": True}}, choices={"truncate_text": 512})
    assert store.warehouses.named(connection) == made
    assert store.warehouses.place(made) == _PLACE
    raw = b"".join(bytes(str(row), "utf-8") for row in store.database.rows("warehouses", {"connection": None}))
    assert b"canary" not in raw
    assert b"canary" not in (store.database.path.read_bytes() + store.database.path.with_name("store.db-wal").read_bytes())
    assert [row.action for row in store.audit.rows(connection.id, 1)] == ["warehouse.added"]


@pytest.mark.parametrize("name", ["Segment", "", "1st", "a b", "x" * 41])
def test_a_name_that_is_off_is_refused(store: Store, connection: Connection, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        add(store, connection, name)


def test_a_lane_that_is_there_is_not_taken(store: Store, connection: Connection) -> None:
    with pytest.raises(Conflict, match="has a lane 'segment'"):
        add(store, connection, "segment")


def test_one_of_several_must_be_named(store: Store, connection: Connection) -> None:
    with pytest.raises(NotFound, match="has no warehouse"):
        store.warehouses.named(connection)
    add(store, connection)
    add(store, connection, "second")
    with pytest.raises(UsageError, match="several warehouses"):
        store.warehouses.named(connection)
    assert store.warehouses.named(connection, "second").name == "second"
    with pytest.raises(NotFound, match="'third'"):
        store.warehouses.named(connection, "third")


def test_the_worker_does_not_take_it_and_its_backlog_fills_no_quota(store: Store, connection: Connection) -> None:
    add(store, connection)
    store.log.append(admit(connection, 1, 2))
    delivery = claim(store)
    assert delivery.destination == "segment"
    store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    assert store.connections.waiting(connection.id) == 0
    assert store.lanes.claim("w", 10) == []


def test_the_log_is_read_in_order_and_in_bounds(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    for first in range(0, 30, 10):
        store.log.append(admit(connection, *range(first, first + 10), size=100))
        store.log.append(admit(other, *range(first, first + 10)))
    assert read(store, connection) == list(range(1, 31))
    assert read(store, connection, after=7, most=5) == list(range(8, 13))
    assert len(read(store, connection, most_bytes=1)) == 10
    assert [entry.ref for entry in store.entries.read(connection.id, 4, until=6, most=9, most_bytes=10**6)] == [5, 6]
    assert read(store, connection, after=30) == []
    assert store.entries.head(connection.id) == 30


def test_what_was_delivered_is_read_with_its_time(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1, 2))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    store.log.append(admit(connection, 3))
    assert [entry.sent_at for entry in store.entries.read(connection.id, 0, most=9, most_bytes=10**6)] == [1.0, 1.0, None]
    assert [entry.sent_at for entry in store.entries.read(connection.id, 1, most=1, most_bytes=10**6)] == [1.0]


def test_what_retention_left_has_its_own_time_of_delivery(store: Store, connection: Connection) -> None:
    for first in (1, 3):
        store.log.append(admit(connection, first, first + 1))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    store.log.append(admit(connection, 5))
    with store.database.write() as db:
        db.execute("DELETE FROM log WHERE last_seq = 4")
    entries = store.entries.read(connection.id, 0, most=9, most_bytes=10**6)
    assert [(entry.ref, entry.sent_at) for entry in entries] == [(1, 1.0), (2, 1.0), (5, None)]


def test_the_lane_follows_and_the_ledger_holds(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    store.log.append(admit(connection, *range(6_000)))
    store.entries.passed(warehouse, 5_500, started_at=1.0, seconds=0.1)
    store.entries.passed(warehouse, 5_000, started_at=1.0, seconds=0.1)
    tally = {each.destination: each for each in store.ledger.tallies(check=True)}["warehouse"]
    assert (tally.holds, tally.accepted, tally.delivered, tally.pending) == (True, 6_000, 5_500, 500)
    assert store.warehouses.upkeep(warehouse).pending == 500


def test_a_warehouse_made_later_owes_nothing_that_retention_has_released(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1, 2))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    with store.database.write() as db:
        db.execute("UPDATE connections SET pruned_to = 2")
        db.execute("DELETE FROM log")
        db.execute("DELETE FROM attempts")
    warehouse = add(store, connection)
    store.log.append(admit(connection, 3))
    store.entries.passed(warehouse, 3, started_at=1.0, seconds=0.1)
    tally = {each.destination: each for each in store.ledger.tallies(check=True)}["warehouse"]
    assert (tally.holds, tally.accepted, tally.delivered) == (True, 1, 1)


def test_it_is_due_by_its_clock_by_what_waits_and_when_asked(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection, max_pending=3)
    store.log.append(admit(connection, 1))
    assert due(store) == [warehouse]
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=_FAR)
    assert due(store) == []
    store.log.append(admit(connection, 2, 3))
    assert due(store) == [warehouse]
    store.warehouses.ended(warehouse, Sync(1.0, 0.5, error="down"), now=_FAR)
    assert due(store) == []
    store.warehouses.ask(connection, warehouse, ["screens"], by="test")
    assert due(store) == [warehouse]
    store.connections.set_lane(connection, "warehouse", enabled=False, by="test")
    assert due(store) == [warehouse]


def test_where_nothing_waits_the_turn_passes_and_what_comes_waits_for_the_next(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    assert store.warehouses.due(_FAR) == []
    assert store.warehouses.upkeep(warehouse).due_at > _FAR
    store.log.append(admit(connection, 1))
    assert due(store) == []
    store.warehouses.ask(connection, warehouse, by="test")
    assert due(store) == [warehouse]


def test_what_is_asked_stays_until_a_sync_has_done_it(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    store.warehouses.ask(connection, warehouse, by="test")
    assert store.warehouses.upkeep(warehouse).asked == frozenset()
    store.warehouses.ask(connection, warehouse, ["screens"], by="test")
    asked = store.warehouses.upkeep(warehouse).asked
    assert asked == frozenset({"screens"})
    store.warehouses.noted(warehouse, frozenset({"tracks"}))
    store.warehouses.ended(warehouse, Sync(1.0, 0.5, error="down"), now=1.0, asked=asked)
    assert store.warehouses.upkeep(warehouse).asked == frozenset({"screens"})
    store.warehouses.ask(connection, warehouse, ["tracks"], by="test")
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=1.0, asked=asked)
    assert store.warehouses.upkeep(warehouse).asked == frozenset({"screens", "tracks"})
    store.warehouses.noted(warehouse, frozenset({"screens", "tracks"}))
    assert store.warehouses.upkeep(warehouse).asked == frozenset()
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=1.0, asked=frozenset())
    assert store.warehouses.upkeep(warehouse).asked is None


def test_what_is_asked_while_a_sync_is_under_way_is_due_at_once(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    store.warehouses.begun(warehouse)
    store.warehouses.ask(connection, warehouse, by="test")
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=4_000_000_000.0)
    assert store.warehouses.due(time.time()) == [warehouse]
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=4_000_000_000.0, asked=frozenset())
    assert store.warehouses.due(time.time()) == []


def test_a_replay_to_it_is_refused_and_says_what_to_do(store: Store, connection: Connection) -> None:
    add(store, connection)
    with pytest.raises(UsageError, match="`warehouse backfill --warehouse warehouse` loads it again"):
        store.replays.draft(connection, ReplayKind.EVENTS, Wanted(), destination="warehouse")


def test_charts_count_from_where_its_lane_began(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1, 2, 3))
    with store.database.write() as db:
        db.execute("UPDATE connections SET pruned_to = 2")
    warehouse = add(store, connection)
    store.log.append(admit(connection, 4))
    store.entries.passed(warehouse, 3, started_at=1.0, seconds=0.1)
    health = {lane.destination: lane for lane in store.stats.health(connection.id).lanes}
    lane = health["warehouse"]
    assert (lane.logged, lane.delivered, lane.waiting, lane.waiting_for) == (2, 1, 1, "sync")
    assert (health["segment"].waiting, health["segment"].waiting_for) == (4, "turn")
    assert store.stats.funnel(connection.id).accepted == 4
    store.warehouses.ended(warehouse, Sync(1.0, 0.5, error="down"), now=1.0)
    assert [lane.waiting_for for lane in store.stats.health(connection.id).lanes] == ["turn", "retrying"]


def test_the_log_says_how_far_back_it_reaches(store: Store, connection: Connection) -> None:
    assert store.entries.oldest(connection.id) is None
    store.log.append(admit(connection, 1))
    assert store.entries.oldest(connection.id) == store.trace.tail(connection.id)[0].accepted_at
    assert store.entries.oldest(add_connection(store, "Other").id) is None


def test_what_a_sync_did_is_told(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    store.warehouses.begun(warehouse)
    assert store.warehouses.upkeep(warehouse).syncing_since is not None
    did = Sync(1.0, 0.5, 3, 2, [Remark("screens", "portal_id", "not a whole number", 1, "x")])
    store.warehouses.ended(warehouse, did, now=1.0, tables=[Table("screens", 2, {"id": "text"})])
    upkeep = store.warehouses.upkeep(warehouse)
    assert upkeep.syncing_since is None
    assert upkeep.tables == [Table("screens", 2, {"id": "text"})]
    assert upkeep.last == replace(did, id=1)
    for count in range(1, 4):
        store.warehouses.ended(warehouse, Sync(2.0, 0.5, error="down"), now=1.0)
        assert store.warehouses.upkeep(warehouse).failures == count
    assert store.warehouses.upkeep(warehouse).tables == upkeep.tables


def test_of_a_removed_warehouse_nothing_is_left(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection)
    store.log.append(admit(connection, 1))
    store.entries.passed(warehouse, 1, started_at=1.0, seconds=0.1)
    store.warehouses.ended(warehouse, Sync(1.0, 0.5), now=1.0)
    store.warehouses.remove(connection, warehouse, by="test")
    with pytest.raises(NotFound, match="was removed"):
        store.entries.passed(warehouse, 1, started_at=1.0, seconds=0.1)
    for table in ("warehouses", "syncs"):
        with store.database.read() as db:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    assert [each.destination for each in store.ledger.tallies(check=True)] == ["segment"]
