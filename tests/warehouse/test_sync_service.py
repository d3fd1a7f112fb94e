"""Warehouses in the running service: kept up to date by the worker, and nobody's trouble when they are away."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.model import Secret
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.twin import Twin
from candu_source.warehouses import Upkeep
from tests.acceptance.hands import add_warehouse
from tests.acceptance.load import interaction
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

EVENTS = 60


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Serve a store of its own."""
    with Service(tmp_path) as started:
        yield started.serve()


@pytest.fixture
def store(service: Service) -> Iterator[Store]:
    """Open that store beside the service."""
    opened = open_store(Settings.load(service.environment()))
    yield opened
    opened.close()


@pytest.fixture
def black_hole() -> Iterator[Secret]:
    """Name a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Secret(f"postgresql://loader:secret@127.0.0.1:{listening.getsockname()[1]}/nowhere")


def send(door: Door) -> set[str]:
    """Send events one by one; return their message ids."""
    for number in range(EVENTS):
        assert door.post(interaction(f"i{number}")).status_code == 202
    return door.message_ids({f"i{number}" for number in range(EVENTS)})


def test_the_worker_keeps_a_warehouse_up_to_date(service: Service, store: Store, place: Secret) -> None:
    with Twin() as twin:
        door = service.connect("Candu_Prod", "write-key", twin.url)
        warehouse = add_warehouse(service, door, place)
        sent = send(door)
        until(lambda: _is_done(store.warehouses.upkeep(warehouse)), "the warehouse to have everything")
        with warehouse_at(place, allow_private=True).look() as reader:
            loaded = [identifier for (identifier,) in reader.ask("SELECT id FROM candu_prod.tracks").rows]
        assert sorted(loaded) == sorted(sent)
        assert sum(fact["events"] for fact in service.facts("warehouse.synced")) == EVENTS
        until(lambda: not _syncs(service), "the syncs to end")
        assert _with_metrics(service) <= {process.pid for process in service.family()}
        assert service.stop() == 0


def test_other_lanes_do_not_notice_that_a_warehouse_is_a_black_hole(service: Service, store: Store, black_hole: Secret) -> None:
    with Twin() as twin:
        door = service.connect("Candu_Prod", "write-key", twin.url)
        warehouse = add_warehouse(service, door, black_hole)
        store.warehouses.ask(store.connections.named("Candu_Prod"), warehouse, by="test")
        (sync,) = until(lambda: _syncs(service), "a sync to be under way")
        send(door)
        until(lambda: len(twin.ids("write-key")) == EVENTS, "everything to be delivered")
        assert store.warehouses.upkeep(warehouse).pending == EVENTS
        assert [each["pending"] for each in service.read("ledger", "--check")] == [0, EVENTS]
        assert service.readiness()["pending"] == 0
        assert service.stop() == 0
        until(lambda: not sync.is_running(), "the sync to end with the worker")


def _is_done(upkeep: Upkeep) -> bool:
    return not upkeep.pending and upkeep.syncing_since is None and upkeep.last is not None


def _syncs(service: Service) -> list[psutil.Process]:
    """List the syncs that the worker has started and not seen end."""
    worker = service.child("worker")
    return worker.children() if worker else []


def _with_metrics(service: Service) -> set[int]:
    """Return the ids of the processes that have left metrics; the files of each stay until the next start."""
    files = service.store.with_name(f"{service.store.name}.metrics").glob("counter_*.db")
    return {int(file.stem.partition("_")[2]) for file in files}
