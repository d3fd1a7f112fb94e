"""Committer: the writing thread against leader and followers, and what the page size does to appending into a full store."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from unittest import mock

import msgspec

from benchmarks.items import ids
from benchmarks.leader import LeaderCommitter
from benchmarks.report import Row, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.stores import admissions, connect, fill, opened
from candu_source.model import Admission, Connection, Event
from candu_source.ports import Log
from candu_source.store import Store, sqlite

ROUNDS = 7
SECONDS = 2.0
THREADS = 32
PAGES = (4096, 8192, 16384)
FULL = 500_000
FULL_QUICK = 50_000
BATCH = 200
_CHECKPOINT_BYTES = 64 * 2**20


def run(bench: Bench) -> list[Row]:
    """Return the rows of both comparisons."""
    return [_committers(bench), *_pages(bench)]


def _committers(bench: Bench) -> Row:
    with opened(bench.directory / "committer" / "store.db") as store:
        connection, _ = connect(store)
        (pattern,) = next(admissions(connection, 1)).events
        logs: dict[str, Log] = {"thread": store.log, "leader": LeaderCommitter(store.database)}
        runs = {name: partial(_append, log, connection, pattern, bench.seconds(SECONDS)) for name, log in logs.items()}
        samples = bench.interleave("committer, appends/s", runs, bench.rounds(ROUNDS))
    absolute = {name: rate(values, "appends/s") for name, values in samples.items()}
    note = f"{THREADS} threads; only the thread can keep the deadline: a leader is inside the database itself"
    return Row("committer", "writing thread / leader-follower", ratios(samples["thread"], samples["leader"]), absolute=absolute, note=note)


def _append(log: Log, connection: Connection, pattern: Event, seconds: float) -> float:
    """Return the appends a second of some threads, one event an append."""
    counts: list[int] = []
    until = time.perf_counter() + seconds

    def work() -> None:
        source, count = ids(), 0
        while time.perf_counter() < until:
            event = msgspec.structs.replace(pattern, message_id=f"candu:{connection.id}:{next(source).decode()}")
            log.append(Admission(connection.id, "interactions", (event,)))
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _pages(bench: Bench) -> list[Row]:
    full = FULL_QUICK if bench.quick else FULL
    with contextlib.ExitStack() as stack:
        runs = {}
        for size in PAGES:
            bench.say(f"committer: filling a store with pages of {size}")
            store = stack.enter_context(_of_pages(size, bench))
            connection, _ = connect(store)
            fill(store, connection, full, bench)
            runs[size] = partial(_append_batches, store, admissions(connection, BATCH), bench.seconds(SECONDS))
        samples = bench.interleave("pages, events/s", {str(size): run for size, run in runs.items()}, bench.rounds(ROUNDS))
    ours = str(sqlite._PAGE_BYTES)
    return [
        Row(
            "committer",
            f"pages of {size} / {ours}",
            ratios(values, samples[ours]),
            absolute={size: rate(values, "events/s"), ours: rate(samples[ours], "events/s")},
            note=f"appends of {BATCH} with random ids into a store of {full:,} events",
        )
        for size, values in samples.items()
        if size != ours
    ]


@contextlib.contextmanager
def _of_pages(size: int, bench: Bench) -> Iterator[Store]:
    """Open a new store with another page size; the checkpoint stays at its bytes."""
    names = ("PRAGMA page_size", "PRAGMA wal_autocheckpoint")
    others = tuple(pragma for pragma in sqlite._PRAGMAS if not pragma.startswith(names))
    sized = (f"{names[0]} = {size}", *others, f"{names[1]} = {_CHECKPOINT_BYTES // size}")
    with mock.patch.object(sqlite, "_PRAGMAS", sized), opened(bench.directory / f"pages-{size}" / "store.db") as store:
        yield store


def _append_batches(store: Store, source: Iterator[Admission], seconds: float) -> float:
    """Return the events a second that the log takes in from one thread; making the batches is not counted."""
    ready = list(islice(source, int(seconds * 150)))
    began = time.perf_counter()
    appended = 0
    for admission in ready:
        store.log.append(admission)
        appended += BATCH
    return appended / (time.perf_counter() - began)
