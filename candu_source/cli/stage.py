"""Set the stage of the demo: service, twin, a connection and a warehouse on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

import click
import requests

from candu_source import processes
from candu_source.cli.demo_warehouse import add_warehouse
from candu_source.cli.sample_page import sample_page
from candu_source.cli.show import actor
from candu_source.errors import CanduSourceError, UsageError
from candu_source.model import Connection, Region, Rules, Secret
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import PREFIX, Settings
from candu_source.store import Store
from candu_source.twin import Twin
from candu_source.warehouses import Warehouse

_STORE, _WAREHOUSE = Path("var/demo.db"), Path("var/demo.warehouse.duckdb")
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.2
TWIN_KEY = "twin-write-key"
_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "webhook": "/v1/webhook/{token}",
        "interactions": "/v1/interactions",
        "browser": "/v1/browser/{public}",
        "rest": "/api/eventWebhook",
        "amplitude": "/v1/amplitude/{token}",
    }
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Hold what the demo runs on; `twin` is None when it delivers to a real workspace."""

    settings: Settings
    store: Store
    connection: Connection
    token: Secret
    warehouse: Warehouse
    twin: Twin | None
    page: str

    @property
    def webhook_url(self) -> str:
        """Return the address that Candu would post to."""
        return self.address("webhook")

    @property
    def page_url(self) -> str:
        """Return the address of the sample page, which says where its events go."""
        return f"{self.page}/?{urlencode({'token': self.connection.public_token, 'endpoint': self.settings.base_url()})}"

    def address(self, door: str) -> str:
        """Return where a door's samples go."""
        return self.settings.base_url() + _PATHS[door].format(token=self.token.reveal(), public=self.connection.public_token)


@contextlib.contextmanager
def set_stage(settings: Settings, as_json: bool) -> Iterator[Stage]:
    """Run all of it until the context ends; say where, unless JSON is wanted."""
    key = settings.segment_write_key
    with contextlib.ExitStack() as undo:
        twin = None if key else undo.enter_context(Twin())
        page = undo.enter_context(sample_page())
        mine = replace(
            settings,
            store_url=f"sqlite:///{_STORE}",
            port=_free_port(settings),
            allow_private_addresses=settings.allow_private_addresses or twin is not None,
        )
        _STORE.parent.mkdir(exist_ok=True)
        log = undo.enter_context((_STORE.parent / "demo.log").open("wb"))
        store = build_store(mine, Telltale(undo.enter_context(open(os.devnull, "w", encoding="utf-8"))))
        undo.callback(store.close)
        connection, token = store.connections.add(
            Connection(
                "",
                _fresh_name(store),
                region=settings.segment_region,
                segment_host=twin.url if twin else None,
                rules=Rules(allowed_origins=(page,)),
            ),
            key or Secret(TWIN_KEY),
            by=actor(),
        )
        warehouse = add_warehouse(store, connection, _WAREHOUSE.absolute())
        supervisor = processes.Supervisor(processes.children(_environment(mine), log), Telltale(), stop_seconds=5)
        thread = threading.Thread(target=supervisor.run, name="supervisor", daemon=True)
        thread.start()
        undo.callback(thread.join)
        undo.callback(supervisor.stopping.set)
        stage = Stage(mine, store, connection, token, warehouse, twin, page)
        _await_web(stage, thread)
        if not as_json:
            to = f"twin of Segment on {twin.url}" if twin else f"Segment ({Region(settings.segment_region).value})"
            click.echo(f"candu-source on {mine.base_url()} → {to}   (store {_STORE}, log {_STORE.parent / 'demo.log'})\n")
        yield stage


def _environment(settings: Settings) -> Mapping[str, str]:
    metrics = _STORE.with_name(_STORE.name + ".metrics").absolute()
    metrics.mkdir(exist_ok=True)
    processes.forget_metrics(metrics)
    ours = {
        PREFIX + "STORE_URL": settings.store_url,
        PREFIX + "PORT": str(settings.port),
        PREFIX + "ALLOW_PRIVATE_ADDRESSES": "yes" if settings.allow_private_addresses else "no",
        PREFIX + "WEB_PROCESSES": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    return {**os.environ, **ours}


def _free_port(settings: Settings) -> int:
    """Return the port of the settings, or any free one when it is taken."""
    with contextlib.suppress(UsageError):
        processes.require_free_port(settings)
        return settings.port
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        return int(probe.getsockname()[1])


def _fresh_name(store: Store) -> str:
    taken = {connection.name for connection in store.connections.all()}
    return next(name for number in range(1, len(taken) + 2) if (name := f"Candu_Demo_{number}") not in taken)


def _await_web(stage: Stage, supervisor: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and supervisor.is_alive():
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{stage.settings.base_url()}/readyz", timeout=5).ok:
                return
        time.sleep(_LOOK_SECONDS)
    raise CanduSourceError(f"the service did not start; the last lines of {_STORE.parent / 'demo.log'} say why")
