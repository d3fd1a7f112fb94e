"""Sync real stores into real warehouses: in this process, and in processes that may be killed."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from candu_source import app
from candu_source.cli import commands
from candu_source.destinations.warehouse import gathering
from candu_source.destinations.warehouse.dialects import Warehouse as Place
from candu_source.destinations.warehouse.dialects import duckdb, postgres
from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.destinations.warehouse.dialects.statements import quoted
from candu_source.model import Admission, Connection, Event, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.warehouses import Sync, Warehouse
from tests.store.shelf import add_connection

# Small batches, so that there are many places at which a sync can be cut short.
_BATCH_EVENTS = 40
_FORKING = multiprocessing.get_context("forkserver")
# What syncs need is loaded once, and processes that are killed early are killed while they sync.
_FORKING.set_forkserver_preload([__name__, duckdb.__name__, postgres.__name__])

_KINDS = ("screen", "track", "identify")
# table -> the calls that have a row in it.
TABLES = {"screens": "screen", "tracks": "track", "tutorial_interaction": "track", "identifies": "identify"}


def message(number: int) -> Event:
    """Make the event of a number: a view, an interaction or an identify."""
    kind = _KINDS[number % 3]
    properties = {"tutorialId": number, "segmentId": "Everyone", "versionId": f"v{number % 2}", "contentId": f"c{number % 5}"}
    bodies: dict[str, dict[str, Any]] = {
        "screen": {"name": "tutorial.view", "properties": properties},
        "track": {"event": "tutorial.interaction", "properties": {**properties, "eventName": "Next"}},
        "identify": {"traits": {"plan": f"plan {number}"}},
    }
    call = {"type": kind, "messageId": f"m{number}", "userId": f"u{number % 7}", "timestamp": "2026-11-20T10:00:00Z", **bodies[kind]}
    return Event(f"m{number}", json.dumps(call).encode(), b"{}")


@dataclass
class Scene:
    """Hold a store, a connection of it, and its warehouse."""

    settings: Settings
    store: Store
    connection: Connection
    warehouse: Warehouse
    place: Place

    def append(self, numbers: Iterable[int]) -> None:
        """Let events come in."""
        self.store.log.append(Admission(self.connection.id, "webhook", tuple(map(message, numbers))))

    def sync(self, *again: str) -> Sync:
        """Sync in this process."""
        return app.sync_warehouse(self.settings, self.store, self.warehouse, Telltale(io.StringIO()), again=again)

    def start(self) -> BaseProcess:
        """Start the command line's sync in a process of its own."""
        started = _FORKING.Process(target=_sync, args=(self.settings.store_url, self.connection.name))
        started.start()
        return started

    def run(self, *statements: str) -> None:
        """Do what a user does behind our back; `%` stands for the schema."""
        with self.place.open("a user") as dialect, dialect.transaction():
            for statement in statements:
                dialect.run(statement.replace("%", quoted(self.warehouse.schema)))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse itself, not a copy; `%` stands for the schema."""
        with self.place.open("somebody") as dialect:
            return dialect.run(sql.replace("%", quoted(self.warehouse.schema)))

    def tables(self) -> set[str]:
        """Return the tables that there are."""
        with self.place.open("somebody") as dialect:
            return set(dialect.catalog(self.warehouse.schema))

    def ids(self, table: str) -> list[str]:
        """Return the ids of a table's rows, as often as they are there."""
        return [str(row[0]) for row in self.ask(f"SELECT id FROM %.{table}")]

    def prove(self, numbers: Sequence[int]) -> None:
        """Assert that each event has one row in each table that is its own, and that store and warehouse agree on how far they are."""
        schema = quoted(self.warehouse.schema)
        with self.place.open("somebody") as dialect:
            ids = {table: Counter(dialect.run(f"SELECT id FROM {schema}.{table}")) for table in TABLES}
            plans = dict(dialect.run(f"SELECT id, plan FROM {schema}.users"))
        for table, kind in TABLES.items():
            assert ids[table] == Counter((f"m{number}",) for number in numbers if _KINDS[number % 3] == kind), table
        assert plans == {f"u{number % 7}": f"plan {number}" for number in numbers if _KINDS[number % 3] == "identify"}
        tally = {each.destination: each for each in self.store.ledger.tallies(check=True)}["warehouse"]
        assert (tally.holds, tally.pending) == (True, 0)


def open_scene(directory: Path, place: Secret, **settings: object) -> Scene:
    """Make a store with a connection and a warehouse at a place."""
    words = {"min_free_mb": 0, "allow_private_addresses": True, **settings}
    chosen = Settings(store_url=f"sqlite:///{directory / 'store.db'}", **words)  # type: ignore[arg-type]
    store = open_store(chosen)
    connection = add_connection(store)
    draft = Warehouse(connection.id, "warehouse", shown(place), connection.slug)
    warehouse = store.warehouses.add(connection, draft, place, by="test")
    return Scene(chosen, store, connection, warehouse, warehouse_at(place, allow_private=True, read_copy=False))


def _sync(store_url: str, connection: str) -> None:
    """Be a process that syncs, as the command line does."""
    gathering.BATCH_EVENTS = _BATCH_EVENTS
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    settings = Settings(store_url=store_url, min_free_mb=0, allow_private_addresses=True)
    commands(["warehouse", "sync", "--connection", connection, "--json"], obj=settings)
