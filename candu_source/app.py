"""Build the real objects from Settings: the composition root, for all but the web processes; theirs is `web`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from candu_source.announcer import Announcer
from candu_source.destinations.channels import Courier
from candu_source.destinations.segment import SegmentDestination
from candu_source.doors import DOORS
from candu_source.indexing import Indexing
from candu_source.limits import Pace
from candu_source.noticing import Limits
from candu_source.observe import Telltale
from candu_source.ports import Stop
from candu_source.probing import Prober
from candu_source.replaying import Replayer
from candu_source.sentinel import Sentinel
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


def build_replayer(settings: Settings, telltale: Telltale, store: Store, worker: Worker, *, name: str) -> Replayer:
    """Return what works through replays under a name; it sends as the worker does, and within its pace."""
    return Replayer(
        turns=store.turns,
        replayable=store.replayable,
        log=store.log,
        doors=DOORS,
        destinations=worker.destinations,
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


def build_courier(settings: Settings) -> Courier:
    """Return what sends to channels."""
    return Courier(allow_private=settings.allow_private_addresses)


def build_beside(settings: Settings, telltale: Telltale, store: Store, worker: Worker) -> Mapping[str, Beside]:
    """Return what runs beside the worker, each in a thread of its name; what sends does so through the worker's destinations."""
    beside: dict[str, Beside] = {
        "shape-watch": Watch(shapes=store.shapes, connections=store.connections, contents=store.contents, observer=telltale),
        "indexing": Indexing(store.index, telltale),
        "sentinel": Sentinel(store.notices, build_limits(settings), telltale),
        "announcer": Announcer(store.channels, build_courier(settings), telltale),
        "replay": build_replayer(settings, telltale, store, worker, name=settings.worker_name),
    }
    if settings.probe_other_region:
        beside["prober"] = Prober(
            probes=store.probes,
            confirmations=store.confirmations,
            connections=store.connections,
            destinations=worker.destinations,
            hosts=settings.segment_hosts(),
            observer=telltale,
        )
    return beside


def end_process_when_a_thread_breaks(telltale: Telltale, leave: Callable[[int], Any]) -> None:
    """Never go on half alive: a thread that dies of an error ends the process, and its supervisor starts another."""

    def broke(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        telltale.tell("thread.broke", thread=name, error=f"{args.exc_type.__name__}: {args.exc_value}")
        leave(70)

    threading.excepthook = broke


def when(happens: Callable[[], object], then: Callable[[], object]) -> None:
    """Wait in a thread until something happens, then do what follows from it."""

    def watch() -> None:
        happens()
        then()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
