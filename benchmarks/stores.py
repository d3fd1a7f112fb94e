"""Open stores in the benchmarks' directory and fill them the way the doors do, without the HTTP."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.items import Body, ids
from benchmarks.rounds import Bench
from candu_source import intake
from candu_source.doors import interactions
from candu_source.model import Admission, Connection, Secret
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import Settings
from candu_source.store import Store

_NOBODY = "http://127.0.0.1:9"
_ITEMS_AT_A_TIME = 1_000
_SAY_EVERY = 100_000


def url_of(path: Path) -> str:
    """Return the setting that names a store file."""
    return f"sqlite:///{path.absolute()}"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open the store for a block; nothing is logged."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        store = build_store(Settings(store_url=url_of(path)), Telltale(nowhere))
        try:
            yield store
        finally:
            store.close()


def connect(store: Store, name: str = "bench", host: str = _NOBODY) -> tuple[Connection, str]:
    """Add a connection that delivers to `host`; return it with its door token."""
    connection, token = store.connections.add(Connection("", name, segment_host=host), Secret("bench-write-key"), by="benchmark")
    return connection, token.reveal()


def admissions(connection: Connection, items: int) -> Iterator[Admission]:
    """Yield requests of so many items for ever, as the interactions door admits them."""
    body, source = Body(items), ids()
    while True:
        heard = interactions.hear(body.fresh(source), connection)
        yield intake.admit(connection, interactions.DOOR, heard, datetime.now(UTC))


def fill(store: Store, connection: Connection, events: int, bench: Bench) -> None:
    """Append so many events."""
    source = admissions(connection, _ITEMS_AT_A_TIME)
    for number, admission in enumerate(islice(source, events // _ITEMS_AT_A_TIME), start=1):
        store.log.append(admission)
        if number * _ITEMS_AT_A_TIME % _SAY_EVERY == 0:
            bench.say(f"filling a store: {number * _ITEMS_AT_A_TIME:,} of {events:,} events")


def filled(bench: Bench, events: int) -> Path:
    """Return a closed store with one connection and so many events waiting, made once a run: copy it, do not change it."""
    path = bench.directory / f"filled-{events}" / "store.db"
    if not path.exists():
        draft = path.parent.with_name(path.parent.name + ".draft") / path.name
        with opened(draft) as store:
            fill(store, connect(store)[0], events, bench)
        draft.parent.rename(path.parent)
    return path


def copied(path: Path, directory: Path) -> Path:
    """Copy a closed store with its key; return the new file."""
    directory.mkdir(parents=True)
    for file in (path, path.with_name(path.name + ".key")):
        shutil.copy(file, directory)
    return directory / path.name


def aim(store: Store, host: str) -> None:
    """Let every connection deliver to `host`."""
    for connection in store.connections.all():
        store.connections.save(replace(connection, segment_host=host), by="benchmark")


def waiting(store: Store) -> Sequence[int]:
    """Return how many events wait on each lane."""
    return [tally.pending for tally in store.ledger.tallies()]
