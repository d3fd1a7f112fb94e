"""Syncs are processes of their own: so many at a time, and one that cannot say what became of it is noted as failed."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from candu_source.model import Connection, Secret
from candu_source.observe import Telltale
from candu_source.store import Store
from candu_source.upkeep import Upkeeper
from candu_source.warehouses import Warehouse
from tests.acceptance.waiting import until
from tests.store.shelf import add_connection, admit, make_store


@dataclass
class Starts:
    """Start a real process for each sync, and remember it."""

    code: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(self, _: Warehouse) -> subprocess.Popen[bytes]:
        self.processes.append(subprocess.Popen([sys.executable, "-c", self.code]))
        return self.processes[-1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Open a store."""
    return make_store(tmp_path)


@pytest.fixture
def connection(store: Store) -> Connection:
    """Make a connection."""
    return add_connection(store)


def add(store: Store, connection: Connection, name: str) -> Warehouse:
    """Make a warehouse that is due, with an event to load."""
    store.log.append(admit(connection, name))
    return store.warehouses.add(connection, Warehouse(connection.id, name, name, connection.slug), Secret(f"{name}.duckdb"), by="test")


def keep_up(store: Store, starts: Starts, *, most: int = 2, most_seconds: float = 60.0) -> tuple[threading.Event, threading.Thread]:
    """Keep warehouses up to date in a thread until the event is set."""
    stop = threading.Event()
    upkeeper = Upkeeper(store.warehouses, starts, Telltale(io.StringIO()), most, most_seconds)
    thread = threading.Thread(target=upkeeper.run, args=(stop,))
    thread.start()
    return stop, thread


@pytest.mark.parametrize(
    ("code", "most_seconds", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", 60.0, "was killed (signal 9)"),
        ("raise SystemExit(3)", 60.0, "ended with code 3"),
        ("import time; time.sleep(600)", 0.0, "was killed (signal 9)"),
    ],
    ids=["killed", "ended", "stuck"],
)
def test_a_sync_that_says_nothing_counts_as_failed_and_waits(
    store: Store, connection: Connection, code: str, most_seconds: float, said: str
) -> None:
    warehouse = add(store, connection, "warehouse")
    starts = Starts(code)
    stop, thread = keep_up(store, starts, most_seconds=most_seconds)
    until(lambda: store.warehouses.upkeep(warehouse).failures == 1, "the failure is noted")
    stop.set()
    thread.join()
    last = store.warehouses.upkeep(warehouse).last
    assert last is not None
    assert said in last.error
    assert store.warehouses.due(time.time()) == []
    assert len(starts.processes) == 1
    store.close()


def test_so_many_at_a_time_and_they_end_with_the_worker(store: Store, connection: Connection) -> None:
    for name in ("one", "two", "three"):
        add(store, connection, name)
    starts = Starts("import time; time.sleep(600)")
    stop, thread = keep_up(store, starts)
    until(lambda: len(starts.processes) == 2, "two syncs are under way")
    stop.set()
    thread.join()
    assert [process.wait(60) for process in starts.processes] == [-9, -9]
    store.close()


def test_a_warehouse_that_is_removed_meanwhile_is_nobodys_trouble(store: Store, connection: Connection) -> None:
    warehouse = add(store, connection, "warehouse")
    starts = Starts("import time; time.sleep(600)")
    stop, thread = keep_up(store, starts)
    until(lambda: bool(starts.processes), "the sync is under way")
    store.warehouses.remove(connection, warehouse, by="test")
    starts.processes[0].kill()
    starts.processes[0].wait()
    other = add(store, connection, "other")
    until(lambda: len(starts.processes) == 2, "the next one is begun")
    assert thread.is_alive()
    stop.set()
    thread.join()
    assert [process.wait(60) for process in starts.processes] == [-9, -9]
    assert store.warehouses.upkeep(other).failures == 0
    store.close()
