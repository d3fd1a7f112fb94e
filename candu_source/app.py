"""Build the real objects from Settings: the composition root, for all but the web processes; theirs is `web`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

from candu_source.announcer import Announcer
from candu_source.deliveries import LaneKind
from candu_source.destinations.segment import SegmentDestination
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects import Warehouse as Place
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.destinations.warehouse.selection import Selection
from candu_source.destinations.warehouse.sync import Loader
from candu_source.doors import DOORS
from candu_source.indexing import Indexing
from candu_source.limits import Pace
from candu_source.loading import carry_out
from candu_source.noticing import Limits
from candu_source.observe import Telltale
from candu_source.ports import Stop
from candu_source.probing import Prober
from candu_source.replaying import Replayer
from candu_source.sending import build_courier, build_streams
from candu_source.sentinel import Sentinel
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.upkeep import Upkeeper
from candu_source.warehouses import Loaded, Sync, Warehouse
from candu_source.watch import Watch
from candu_source.worker import Worker


class Beside(Protocol):
    """Something that works beside the delivery until it is told to stop."""

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set."""
        ...


def build_worker(settings: Settings, telltale: Telltale, store: Store) -> Worker:
    """Return the delivery worker of one process."""
    segment = SegmentDestination(
        senders=settings.senders, timeout_seconds=settings.send_timeout_seconds, allow_private=settings.allow_private_addresses
    )
    return Worker(
        lanes=store.lanes,
        keeper=store.keeper,
        destinations={LaneKind.SEGMENT: segment, LaneKind.STREAM: build_streams(settings, store)},
        pace=Pace(rate=settings.requests_per_second, key_rate=settings.key_requests_per_second, now=time.monotonic()),
        observer=telltale,
        name=settings.worker_name,
        senders=settings.senders,
        lease_seconds=settings.lease_seconds,
        stop_seconds=settings.stop_seconds,
        give_up_after=settings.give_up_after_hours * 3600,
    )


def build_replayer(settings: Settings, telltale: Telltale, store: Store, worker: Worker, *, name: str) -> Replayer:
    """Return what works through replays under a name; it sends as the worker does, and within its pace."""
    return Replayer(
        turns=store.turns,
        replayable=store.replayable,
        log=store.log,
        doors=DOORS,
        destination=worker.destinations[LaneKind.SEGMENT],
        pace=worker.pace,
        observer=telltale,
        name=name,
        events_per_second=settings.replay_events_per_second,
    )


def build_limits(settings: Settings) -> Limits:
    """Return from where on something needs a person."""
    return Limits(
        pending_seconds=settings.notice_pending_minutes * 60,
        dead=settings.notice_dead_letters,
        gaps=settings.notice_silence_gaps,
        silent_seconds=settings.notice_silence_minutes * 60,
        free_bytes=max(settings.notice_free_mb, settings.min_free_mb) * 2**20,
        store_bytes=settings.store_max_mb * 2**20,
        full=settings.notice_quota_percent / 100,
    )


def build_beside(settings: Settings, telltale: Telltale, store: Store, worker: Worker) -> Mapping[str, Beside]:
    """Return what runs beside the worker, each in a thread of its name; what sends does so through the worker's destinations."""
    beside: dict[str, Beside] = {
        "shape-watch": Watch(shapes=store.shapes, connections=store.connections, contents=store.contents, observer=telltale),
        "indexing": Indexing(store.index, telltale),
        "sentinel": Sentinel(store.notices, build_limits(settings), telltale),
        "announcer": Announcer(store.channels, build_courier(settings), telltale),
        "replay": build_replayer(settings, telltale, store, worker, name=settings.worker_name),
        "warehouses": Upkeeper(store.warehouses, start_sync, telltale, settings.warehouse_syncs, settings.warehouse_sync_minutes * 60),
    }
    if settings.probe_other_region:
        beside["prober"] = Prober(
            probes=store.probes,
            confirmations=store.confirmations,
            connections=store.connections,
            destination=worker.destinations[LaneKind.SEGMENT],
            hosts=settings.segment_hosts(),
            observer=telltale,
        )
    return beside


def build_warehouse(settings: Settings, store: Store, warehouse: Warehouse) -> Place:
    """Return the place of a warehouse, unopened; raise UsageError, NotFound or SecretUnreadable."""
    return warehouse_at(store.warehouses.place(warehouse), allow_private=settings.allow_private_addresses)


def sync_warehouse(
    settings: Settings,
    store: Store,
    warehouse: Warehouse,
    telltale: Telltale,
    *,
    again: Iterable[str] = (),
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Sync:
    """Carry out one sync in this process; `tell` hears of events done and events to do."""

    def load(loaded: Loaded, tables: Iterable[str], noted: Callable[[], None]) -> None:
        loader = Loader(
            source=warehouse.connection,
            schema=warehouse.schema,
            log=store.entries,
            warehouse=build_warehouse(settings, store, warehouse),
            selection=Selection.read(warehouse.selection),
            choices=Choices.read(warehouse.choices),
            noted=noted,
            follow=partial(store.entries.passed, warehouse),
            tell=tell,
        )
        loader.load(loaded, tables)

    return carry_out(store.warehouses, warehouse, load, telltale, again=again)


def start_sync(warehouse: Warehouse) -> subprocess.Popen[bytes]:
    """Start a sync in a process of its own: what it takes of memory goes with it, and it ends when we do.

    It shares no metrics: the files of each process would stay.
    """
    command = ["warehouse", "sync", "--connection", warehouse.connection, "--warehouse", warehouse.name, "--scheduled"]
    alone = {name: text for name, text in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "candu_source", *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=alone
    )
