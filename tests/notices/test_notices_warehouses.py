"""What is said of warehouses: failing, down, behind; and that their lanes raise nothing that is said of others."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from candu_source.causes import Cause
from candu_source.deliveries import Advance
from candu_source.model import Connection, Secret
from candu_source.store import Store
from candu_source.warehouses import Sync, Warehouse
from tests.notices.post import look, settle
from tests.store.shelf import admit

MINUTE = 60.0


@pytest.fixture
def warehouse(store: Store, connection: Connection) -> Warehouse:
    """Add a warehouse that nobody opens."""
    draft = Warehouse(connection.id, "warehouse", "duckdb:///nowhere.duckdb", connection.slug, every=5)
    return store.warehouses.add(connection, draft, Secret("duckdb:///nowhere.duckdb"), by="test")


def fail(store: Store, warehouse: Warehouse, times: int, error: str = "the server is gone") -> None:
    """Let syncs fail."""
    for _ in range(times):
        store.warehouses.ended(warehouse, Sync(1.0, 0.1, error=error), now=time.time())


def causes(store: Store, now: float) -> list[str]:
    """Return what is open."""
    return [notice.cause for notice in look(store, now)]


def test_the_fifth_failure_in_a_row_opens_a_notice_the_twentieth_another_and_a_sync_closes_both(store: Store, warehouse: Warehouse) -> None:
    now = time.time()
    fail(store, warehouse, 4)
    assert causes(store, now) == []
    fail(store, warehouse, 1)
    (failing,) = look(store, now)
    assert (failing.cause, failing.subject) == (Cause.WAREHOUSE_FAILING, "warehouse")
    assert (
        "5 syncs of the warehouse Candu_Test › warehouse in a row failed; 0 events wait. The last one: the server is gone." in failing.text
    )
    fail(store, warehouse, 14)
    assert causes(store, now + 21) == [Cause.WAREHOUSE_FAILING]
    fail(store, warehouse, 1)
    assert causes(store, now + 22) == [Cause.WAREHOUSE_DOWN, Cause.WAREHOUSE_FAILING]
    assert causes(store, now + 90) == [Cause.WAREHOUSE_DOWN]
    store.warehouses.ended(warehouse, Sync(1.0, 0.1), now=now)
    assert causes(store, now + 151) == []


def test_what_waits_too_long_is_told_of_though_no_sync_failed(store: Store, connection: Connection, warehouse: Warehouse) -> None:
    deliver(store, connection)
    now = time.time()
    assert causes(store, now + 14 * MINUTE) == []
    assert causes(store, now + 16 * MINUTE) == [Cause.WAREHOUSE_BEHIND]
    store.entries.passed(warehouse, 1, started_at=now, seconds=0.1)
    assert causes(store, now + 18 * MINUTE) == []


def test_what_waits_for_a_warehouse_fills_no_quota_and_is_not_behind(store: Store, connection: Connection, warehouse: Warehouse) -> None:
    store.connections.save(replace(connection, pending_most=1), by="test")
    deliver(store, connection)
    store.warehouses.save(connection, replace(warehouse, every=1_440), by="test")
    assert causes(store, time.time() + 20 * MINUTE) == []


@pytest.mark.parametrize("off", ["lane", "connection", "selection"])
def test_a_warehouse_that_is_off_is_nobodys_trouble(store: Store, connection: Connection, warehouse: Warehouse, off: str) -> None:
    fail(store, warehouse, 20)
    if off == "lane":
        store.connections.set_lane(connection, "warehouse", enabled=False, by="test")
    elif off == "connection":
        store.connections.save(replace(connection, paused=True), by="test")
    else:
        store.warehouses.save(connection, replace(warehouse, selection={"enabled": False}), by="test")
    assert causes(store, time.time()) == []


def deliver(store: Store, connection: Connection) -> None:
    """Accept an event and deliver it, as far as the worker does."""
    store.log.append(admit(connection, 1))
    settle(store, Advance())
