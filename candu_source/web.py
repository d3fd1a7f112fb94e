"""Build the application of one web process; the worker's process knows nothing of it, and has its memory for batches."""

from __future__ import annotations

import gc
import multiprocessing
import os
from functools import partial

from flask import Flask

from candu_source.console import create_console, mount
from candu_source.console.desk import Tools
from candu_source.console.frame import Place
from candu_source.destinations.public_api import PublicApi
from candu_source.destinations.trial import ask_twin
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.destinations.warehouse.questions import Inquiry
from candu_source.doors import QUICK, create_doors
from candu_source.doors.gate import Gate
from candu_source.ending import end_process_when_a_thread_breaks, when
from candu_source.model import Connection, Region, Secret
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.sending import build_courier, build_streams
from candu_source.serving import Serving
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.twin.rules import source_id

# A batch makes thousands of objects that go with its answer: at Python's 700 the collector would look at them ten times meanwhile.
_NEW_OBJECTS = 20_000


def create_web() -> Serving:
    """Return the application of one web process, for the server to load; it ends when its parent does."""
    settings = Settings.load(os.environ)
    gc.set_threshold(_NEW_OBJECTS)
    telltale = Telltale()
    end_process_when_a_thread_breaks(telltale, os._exit)
    parent = multiprocessing.parent_process()
    if parent is not None:
        when(parent.join, lambda: os._exit(0))
    telltale.tell("process.started", role="web", pid=os.getpid())
    return Serving(build_web(settings, telltale).wsgi_app, QUICK, threads=settings.web_threads)


def build_web(settings: Settings, telltale: Telltale | None = None) -> Flask:
    """Return the doors, and the console beside them."""
    telltale = telltale or Telltale()
    store = build_store(settings, telltale)
    gate = Gate(store.tokens, store.connections, store.log, telltale, max_body_bytes=settings.max_body_kb * 1000)
    doors = create_doors(gate, store, telltale, settings)
    mount(doors, create_console(Place(store, settings, build_tools(settings, telltale, store)), telltale))
    return doors


def build_tools(settings: Settings, telltale: Telltale, store: Store) -> Tools:
    """Return what the console's pages reach the world with."""

    def workspace(region: Region, token: Secret) -> PublicApi:
        return PublicApi(settings.segment_apis()[region], token, allow_private=settings.allow_private_addresses)

    def trial(connection: Connection, key: Secret, readback_url: str) -> None:
        ask_twin(settings.twin_url, source_id(key.reveal()), connection, readback_url)

    warehouse = partial(warehouse_at, allow_private=settings.allow_private_addresses)
    return Tools(
        telltale,
        build_courier(settings),
        workspace,
        trial if settings.twin_url else None,
        warehouse,
        Inquiry(warehouse),
        build_streams(settings, store),
    )
