"""Build the real objects from Settings: the composition root, and the only module that does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import Flask

from candu_source.destinations.segment import SegmentDestination
from candu_source.doors import create_doors
from candu_source.doors.gate import Gate
from candu_source.limits import Pace
from candu_source.observe import Telltale
from candu_source.ports import Stop
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store, open_store
from candu_source.watch import Watch
from candu_source.worker import Worker


class Beside(Protocol):
    """Something that works beside the delivery until it is told to stop."""

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set."""
        ...


def build_store(settings: Settings, telltale: Telltale) -> Store:
    """Open the store and say so when a secret key had to be made."""
    store = open_store(settings)
    if store.made_key:
        path = settings.store_path()
        telltale.tell(
            "secret_key.made", file=f"{path}.key", advice="Keep a copy, or set CANDU_SOURCE_SECRET_KEY; without it write keys are lost."
        )
    return store


def build_web(settings: Settings, telltale: Telltale | None = None) -> Flask:
    """Return the Flask application of one web process."""
    telltale = telltale or Telltale()
    store = build_store(settings, telltale)
    gate = Gate(store.tokens, store.connections, store.log, telltale, max_body_bytes=settings.max_body_kb * 1000)
    return create_doors(gate, store, telltale, settings)


def build_worker(settings: Settings, telltale: Telltale, store: Store) -> Worker:
    """Return the delivery worker of one process."""
    segment = SegmentDestination(
        senders=settings.senders, timeout_seconds=settings.send_timeout_seconds, allow_private=settings.allow_private_addresses
    )
    return Worker(
        lanes=store.lanes,
        keeper=store.keeper,
        destinations={SEGMENT_LANE: segment},
        pace=Pace(rate=settings.requests_per_second, key_rate=settings.key_requests_per_second, now=time.monotonic()),
        observer=telltale,
        name=settings.worker_name,
        senders=settings.senders,
        lease_seconds=settings.lease_seconds,
        stop_seconds=settings.stop_seconds,
        give_up_after=settings.give_up_after_hours * 3600,
    )


def build_beside(settings: Settings, telltale: Telltale, store: Store) -> Mapping[str, Beside]:
    """Return what runs beside the worker, each in a thread of its name."""
    return {
        "shape-watch": Watch(shapes=store.shapes, connections=store.connections, contents=store.contents, observer=telltale),
    }


def end_process_when_a_thread_breaks(telltale: Telltale, leave: Callable[[int], Any]) -> None:
    """Never go on half alive: a thread that dies of an error ends the process, and its supervisor starts another."""

    def broke(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        telltale.tell("thread.broke", thread=name, error=f"{args.exc_type.__name__}: {args.exc_value}")
        leave(70)

    threading.excepthook = broke
