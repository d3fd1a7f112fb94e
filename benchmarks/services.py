"""Run what the accept benchmarks load: the service, the service without its store, and the naive peer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.load import Load, load
from benchmarks.naive import SINK
from benchmarks.running import await_port, environment, free_port, running
from benchmarks.sink import Sink
from benchmarks.stores import connect, opened, url_of

_WARM_SECONDS = 1.0
_LAST_LINES = 20
_QUIET_SECONDS = 1.2  # twice the official client's upload interval


@dataclass(frozen=True, slots=True)
class Service:
    """Name a running server, its token, its parent process and its log."""

    port: int
    token: str
    process: psutil.Process
    log: Path

    def load(self, items: int, connections: int, seconds: float) -> Load:
        """Load it for a while; raise RuntimeError with the end of its log when it fails under that."""
        try:
            return load(self.port, self.token, items=items, connections=connections, seconds=seconds)
        except RuntimeError as error:
            last = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:])
            raise RuntimeError(f"{error}; the last lines of {self.log.name}:\n{last}") from error


@contextlib.contextmanager
def web(directory: Path, *, module: str = "candu_source", store: Path | None = None) -> Iterator[Service]:
    """Run the web processes on a store, a new one when none is named; `module` may be the one that keeps nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    metrics = directory / "metrics"
    metrics.mkdir()
    path = store or directory / "store.db"
    with opened(path) as open_store:
        _, token = connect(open_store, "loaded")
    port = free_port()
    env = environment(store_url=url_of(path), port=port) | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    log = directory / "web.log"
    with running([module, "web"], env, log) as process:
        yield _warm(Service(port, token, process, log))


@contextlib.contextmanager
def naive(directory: Path, sink: Sink, *options: str) -> Iterator[Service]:
    """Run the naive peer as gunicorn's threads run such a service, with more of gunicorn's options where given."""
    port = free_port()
    command = ["gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "16", "--log-level", "error", *options]
    log = directory / f"naive{''.join(options)}.log"
    with running(
        [*command, "--bind", f"127.0.0.1:{port}", "benchmarks.naive:create_app()"], environment() | {SINK: sink.url}, log
    ) as process:
        yield _warm(Service(port, "naive", process, log))


def _warm(service: Service) -> Service:
    await_port(service.port, service.log)
    service.load(1, 8, _WARM_SECONDS)
    return service


def await_quiet(sink: Sink) -> None:
    """Return when nothing has arrived for a while."""
    before, now = -1, sink.counts().events
    while now != before:
        time.sleep(_QUIET_SECONDS)
        before, now = now, sink.counts().events
