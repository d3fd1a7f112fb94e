"""Make and pause connections by the store's own calls, where a process of the command line for each would take too long."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from candu_source.destinations.warehouse.dialects.places import shown
from candu_source.model import Connection, Secret
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.streaming import Streaming
from candu_source.warehouses import Warehouse
from tests.acceptance.service import Door, Service


def connect(service: Service, hosts: Mapping[str, str]) -> list[Door]:
    """Make a connection for each name, with the name as write key, to its host."""
    with _opened(service) as store:
        return [_connect(service, store, name, host) for name, host in hosts.items()]


def pause(service: Service, door: Door) -> None:
    """Stop delivering one connection's events."""
    with _opened(service) as store:
        store.connections.save(replace(store.connections.named(door.id), paused=True), by="test")


def add_warehouse(service: Service, door: Door, place: Secret) -> Warehouse:
    """Give a connection a warehouse that nobody looked at, synced as soon as anything waits."""
    with _opened(service) as store:
        connection = store.connections.named(door.id)
        draft = Warehouse(connection.id, "warehouse", shown(place), connection.slug, max_pending=1)
        return store.warehouses.add(connection, draft, place, by="test")


def stream(service: Service, door: Door, name: str, integration: str, **given: str) -> None:
    """Give a connection a sync that is on and sends all it can; `given` are its parameters, secrets among them."""
    with _opened(service) as store:
        connection = store.connections.named(door.id)
        streaming = Streaming(store.streams, store.integrations)
        properties = {"properties": "all"} if store.integrations.released(integration).property_selection else {}
        made = streaming.add(connection, name, integration, {"users": True, "events": True, **properties}, given, by="test")
        streaming.enable(connection, made, by="test")


def _connect(service: Service, store: Store, name: str, host: str) -> Door:
    made, secret = store.connections.add(Connection("", name, segment_host=host), Secret(name), by="test")
    token = secret.reveal()
    webhook, interactions, amplitude = (f"{service.url}/v1/{path}" for path in (f"webhook/{token}", "interactions", f"amplitude/{token}"))
    return Door(made.id, name, token, webhook, interactions, amplitude, made.public_token, "")


@contextlib.contextmanager
def _opened(service: Service) -> Iterator[Store]:
    store = open_store(Settings.load(service.environment()))
    try:
        yield store
    finally:
        store.close()
