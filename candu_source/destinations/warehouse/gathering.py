"""Gather the log batch by batch, and one batch ahead: while the warehouse writes, the next one is read."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import NamedTuple, Protocol

from candu_source.destinations.warehouse.plan import Batch
from candu_source.warehouses import Entry

# Events of one transaction, and about how many bytes of messages: what bounds the memory of a sync, which holds two batches at most.
BATCH_EVENTS, BATCH_BYTES = 20_000, 16 * 2**20


class Log(Protocol):
    """The log of connections; needed by syncs, from two threads."""

    def read(self, connection: str, after: int, *, until: int = ..., most: int, most_bytes: int) -> list[Entry]:
        """Return the next events beyond `after`, up to `until`; empty at the end."""
        ...

    def head(self, connection: str) -> int:
        """Return the place of the last event; raise NotFound."""
        ...


class Gathered(NamedTuple):
    """Hold a batch of so many events, and the last of them."""

    batch: Batch
    last: Entry
    events: int


def gather(log: Log, source: str, after: int, until: int, empty: Callable[[], Batch]) -> Iterator[Gathered]:
    """Yield what the log has beyond `after`, up to `until`; `empty` makes the batches. Raises what reading raises."""
    while gathered := _next(log, source, after, until, empty):
        after = gathered.last.ref
        yield gathered


@contextlib.contextmanager
def ahead(batches: Iterator[Gathered]) -> Iterator[Iterator[Gathered]]:
    """Let a thread gather the next batch while one is in use: one, so that memory stays flat.

    What goes wrong there is raised where the batch would have been taken. Leaving waits for the thread.
    """
    with ThreadPoolExecutor(1, "gathering") as thread, _seldom_collecting():
        yield _one_ahead(thread, batches)


@contextlib.contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Let the collector of cycles look after every 50 000 new objects: after 700 it would walk two batches of rows, which have none."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _one_ahead(thread: Executor, batches: Iterator[Gathered]) -> Iterator[Gathered]:
    coming = thread.submit(next, batches, None)
    while gathered := coming.result():
        coming = thread.submit(next, batches, None)
        yield gathered


def _next(log: Log, source: str, after: int, until: int, empty: Callable[[], Batch]) -> Gathered | None:
    entries = log.read(source, after, until=until, most=BATCH_EVENTS, most_bytes=BATCH_BYTES)
    if not entries:
        return None
    batch = empty()
    for entry in entries:
        batch.add(entry)
    return Gathered(batch, entries[-1], len(entries))
