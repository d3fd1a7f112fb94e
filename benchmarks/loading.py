"""Load a warehouse in a process of its own and print what it took: by a sync, or its rows alone by the plainest means.

Run as `python -m benchmarks.loading sync STORE PLACE NAME` and then, for the same rows, `… plain STORE PLACE MEANS`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.stores import opened, url_of
from candu_source import app
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.destinations.warehouse.gathering import BATCH_BYTES, BATCH_EVENTS
from candu_source.destinations.warehouse.plan import plan
from candu_source.destinations.warehouse.selection import Selection
from candu_source.destinations.warehouse.tables import Catalog, Load
from candu_source.model import Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.warehouses import Warehouse

_NAME_BYTES = 63


@dataclass(frozen=True, slots=True)
class Took:
    """Say in what time events became rows, and how much memory the process had resident at most."""

    events: int
    rows: int
    seconds: float
    peak_mb: float

    @property
    def per_second(self) -> float:
        """Return events a second."""
        return self.events / self.seconds

    @property
    def rows_per_second(self) -> float:
        """Return rows a second: a view is one, an interaction two."""
        return self.rows / self.seconds

    def __str__(self) -> str:
        return f"{self.per_second:,.0f} events and {self.rows_per_second:,.0f} rows a second, {self.peak_mb:.0f} MB"


def sync(file: Path, place: Secret, name: str) -> Took:
    """Load a store's only connection by a sync, as the service does."""
    settings = Settings(store_url=url_of(file), allow_private_addresses=True)
    with opened(file) as store, open(os.devnull, "w", encoding="utf-8") as nowhere:
        (connection,) = store.connections.all()
        warehouse = store.warehouses.add(connection, Warehouse(connection.id, name, "bench", connection.slug), place, by="benchmark")
        began = time.perf_counter()
        done = app.sync_warehouse(settings, store, warehouse, Telltale(nowhere))
        seconds = time.perf_counter() - began
    if done.error:
        raise RuntimeError(done.error)
    return Took(done.events, done.rows, seconds, _peak_megabytes())


def plain(file: Path, place: Secret, means: str) -> Took:
    """Append the same rows, batch by batch, to tables of the same columns, by one of `benchmarks.appending.MEANS`; only that is counted."""
    from benchmarks.appending import appending  # noqa: PLC0415 - a sync's memory is not to hold the drivers of both databases

    rows, seconds = 0, 0.0
    with opened(file) as store:
        (connection,) = store.connections.all()
        with warehouse_at(place, allow_private=True).look() as reader:
            catalog = reader.catalog(connection.slug)
        with appending(means, place, connection.slug, catalog) as append:
            for load in _planned(store, connection.id, catalog):
                began = time.perf_counter()
                append(load.tables)
                seconds += time.perf_counter() - began
                rows += sum(len(each.rows) for each in load.tables)
        return Took(store.entries.head(connection.id), rows, seconds, _peak_megabytes())


def _planned(store: Store, source: str, catalog: Catalog) -> Iterator[Load]:
    place = 0
    while entries := store.entries.read(source, place, most=BATCH_EVENTS, most_bytes=BATCH_BYTES):
        yield plan(entries, catalog, choices=Choices(), selection=Selection(), name_bytes=_NAME_BYTES, now=time.time())
        place = entries[-1].ref


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    role, store_file, url, word = sys.argv[1:]
    print(json.dumps(asdict({"sync": sync, "plain": plain}[role](Path(store_file), Secret(url), word))))
