"""Committer: the writing thread against leader and followers, and what a store that is kept otherwise does to appending into a full one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from unittest import mock

import msgspec

from benchmarks.items import ids
from benchmarks.leader import LeaderCommitter
from benchmarks.report import Row, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.stores import admissions, connect, fill, opened
from candu_source.model import Admission, Connection, Event
from candu_source.ports import Log
from candu_source.store import Store, chunks, sqlite
from candu_source.store import ids as kept_ids

ROUNDS = 7
SECONDS = 2.0
THREADS = 32
FULL = 500_000
FULL_QUICK = 50_000
BATCH = 200
OURS = "as it is"
_CHECKPOINT_BYTES = 64 * 2**20
# Each id is written to the one large index at once.
_ONE_INDEX = (
    "DROP TRIGGER chunk_written",
    "DROP TRIGGER filtered_no_more",
    """CREATE TRIGGER chunk_written AFTER INSERT ON log BEGIN
        INSERT INTO ids (digest, place)
        WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < NEW.events)
        SELECT substr(NEW.digests, 1 + 16 * n, 16), NEW.place FROM event;
    END""",
    "CREATE TRIGGER filtered_no_more AFTER INSERT ON ids BEGIN DELETE FROM filtered WHERE digest = NEW.digest; END",
)


@dataclass(frozen=True, slots=True)
class Way:
    """Say how a store is kept."""

    pages: int = sqlite._PAGE_BYTES
    one_index: bool = False
    compressed: bool = True

    @contextlib.contextmanager
    def opened(self, file: Path) -> Iterator[Store]:
        """Open a new store; the checkpoint stays at its bytes, whatever a page has."""
        names = ("PRAGMA page_size", "PRAGMA wal_autocheckpoint")
        others = tuple(pragma for pragma in sqlite._PRAGMAS if not pragma.startswith(names))
        sized = (f"{names[0]} = {self.pages}", *others, f"{names[1]} = {_CHECKPOINT_BYTES // self.pages}")
        with contextlib.ExitStack() as stack:
            with mock.patch.object(sqlite, "_PRAGMAS", sized):
                store = stack.enter_context(opened(file))
            for statement in _ONE_INDEX if self.one_index else ():
                store.database._writer.execute(statement)
            yield store

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep to this way while events are appended."""
        never = 2**62
        with contextlib.ExitStack() as stack:
            if self.one_index:
                stack.enter_context(mock.patch.object(kept_ids, "_EVENTS_A_MOVE", never))
            if not self.compressed:
                stack.enter_context(mock.patch.object(chunks, "_COMPRESSED_FROM_BYTES", never))
            yield


WAYS = {
    OURS: Way(),
    "one index of ids": Way(one_index=True),
    "not compressed": Way(compressed=False),
    "one index and not compressed": Way(one_index=True, compressed=False),
    "pages of 8192": Way(pages=8192),
    "pages of 16384": Way(pages=16384),
}


def run(bench: Bench) -> list[Row]:
    """Return the rows of both comparisons."""
    return [_committers(bench), *_ways(bench)]


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


def _ways(bench: Bench) -> list[Row]:
    full = FULL_QUICK if bench.quick else FULL
    with contextlib.ExitStack() as stack:
        runs, stores = {}, {}
        for name, way in WAYS.items():
            bench.say(f"committer: filling a store, {name}")
            stores[name] = store = stack.enter_context(way.opened(bench.directory / name.replace(" ", "-") / "store.db"))
            connection, _ = connect(store)
            with way.writing():
                fill(store, connection, full, bench)
            runs[name] = partial(_append_batches, way, store, admissions(connection, BATCH), bench.seconds(SECONDS))
        bytes_ = {name: _file_bytes(store) / full for name, store in stores.items()}
        samples = bench.interleave("ways, events/s", runs, bench.rounds(ROUNDS))
    return [
        Row(
            "committer",
            f"{name} / {OURS}",
            ratios(values, samples[OURS]),
            absolute={each: f"{rate(samples[each], 'events/s')}, {bytes_[each]:,.0f} bytes of file an event" for each in (name, OURS)},
            note=f"appends of {BATCH} with random ids into a store of {full:,} events, alike but for those",
        )
        for name, values in samples.items()
        if name != OURS
    ]


def _file_bytes(store: Store) -> int:
    with store.database.read() as db:
        pages, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
    return pages * size


def _append_batches(way: Way, store: Store, source: Iterator[Admission], seconds: float) -> float:
    """Return the events a second that the log takes in from one thread; making the batches is not counted."""
    ready = list(islice(source, int(seconds * 150)))
    began = time.perf_counter()
    with way.writing():
        for admission in ready:
            store.log.append(admission)
    return len(ready) * BATCH / (time.perf_counter() - began)
