"""Memory: the most that each process has had resident, with very many events waiting (Linux)."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from benchmarks.accept import CONNECTIONS, SHAPES
from benchmarks.report import Row, Target
from benchmarks.rounds import Bench
from benchmarks.running import environment, peak_megabytes, running
from benchmarks.services import Service, web
from benchmarks.sink import Sink, sink
from benchmarks.stores import aim, connect, copied, fill, filled, opened, url_of

WAITING = 1_000_000
WAITING_QUICK = 100_000
LIMIT = Target("<=", 150.0)
SECONDS = 8.0
DELIVERED = 300_000
DELIVERED_QUICK = 80_000
# Lanes beside the long one, each with four full batches, so that the worker holds as many at a time as it ever does.
_LANES = 15
_LANE_EVENTS = 4_000
_DELAY_MS = 200  # keeps those batches in memory for a while
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.2


def run(bench: Bench) -> list[Row]:
    """Return a row for each role."""
    file = copied(filled(bench, WAITING_QUICK if bench.quick else WAITING), bench.directory / "memory")
    with opened(file) as store:
        for number in range(_LANES):
            fill(store, connect(store, f"beside-{number}")[0], _LANE_EVENTS, bench)
    with web(file.parent, store=file) as service:
        rows = _web(service, bench)
    return [*rows, _worker(file, bench)]


def _web(service: Service, bench: Bench) -> list[Row]:
    for items in SHAPES:
        came = service.load(items, CONNECTIONS, bench.seconds(SECONDS))
        bench.say(f"memory: web under requests of {items}: {came}")
    serving = [peak_megabytes(process) for process in service.process.children(recursive=True) if _serves(process)]
    return [
        Row("memory", "web process, peak", serving, "MB", LIMIT, note=f"one value for each of {len(serving)} processes"),
        Row("memory", "parent of the web processes, peak", [peak_megabytes(service.process)], "MB", LIMIT),
    ]


def _serves(process: psutil.Process) -> bool:
    """Tell a web process from multiprocessing's resource tracker."""
    return "resource_tracker" not in " ".join(process.cmdline())


def _worker(file: Path, bench: Bench) -> Row:
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(file.parent / "metrics")}
    limits = {"requests_per_second": 1e6, "key_requests_per_second": 1e6, "allow_private_addresses": "yes"}
    with sink(bench.directory, delay_ms=_DELAY_MS) as far:
        with opened(file) as store:
            aim(store, far.url)
        env = environment(store_url=url_of(file), **limits) | metrics
        log = file.parent / "worker.log"
        with running(["candu_source", "worker"], env, log) as process:
            delivered = _await_events(far, DELIVERED_QUICK if bench.quick else DELIVERED, log)
            peak = peak_megabytes(process)
    return Row("memory", "worker, peak", [peak], "MB", LIMIT, note=f"{delivered:,} events delivered meanwhile, on up to {_LANES + 2} lanes")


def _await_events(far: Sink, events: int, log: Path) -> int:
    """Return how many have arrived once they are so many; raise TimeoutError naming the worker's log."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        arrived = far.counts().events
        if arrived >= events:
            return arrived
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"the worker did not deliver {events:,} events; {log} may say why")
