"""Tell facts: one wide JSON line each, and metrics declared in one table."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TextIO

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PREFIX = "candu_source_"
Kind = type[Counter] | type[Histogram] | type[Gauge]

# name -> (type, labels, sentence). A metric that is not here cannot be used, and tests hold docs/operations.md to it.
METRICS: Mapping[str, tuple[Kind, tuple[str, ...], str]] = MappingProxyType(
    {
        "requests": (Counter, ("door", "status"), "Requests answered by the doors."),
        "events": (Counter, ("door", "result"), "Items by what became of them: accepted, duplicate, filtered, rejected."),
        "unproven_users": (Counter, ("door",), "Items taken with a user id that the connection wants proven and was not."),
        "readbacks": (Counter, ("result",), "Calls that Segment sent back: confirmed, known, unmatched."),
        "accept_seconds": (Histogram, ("door",), "Time from a request's admission to its durable answer, in seconds."),
        "attempts": (Counter, ("destination", "outcome"), "Tries to deliver, by outcome."),
        "attempted_events": (Counter, ("destination", "decision"), "Events in those tries, by what was decided for them."),
        "attempt_seconds": (Histogram, ("destination",), "Time one try took, in seconds."),
        "shape_notices": (Counter, ("door", "change"), "Changes of the inputs' shape that were noticed for the first time."),
        "replayed": (Counter, ("kind", "result"), "Inputs of replays, by what came of them."),
        "pruned_rows": (Counter, (), "Rows deleted by retention."),
        "lane_events": (Gauge, ("connection", "destination", "state"), "Events by where they are, counted from the store."),
        "lane_held": (Gauge, ("connection", "destination"), "1 while only a person can mend the lane."),
        "notices_open": (Gauge, ("cause",), "Open notices by cause."),
        "lane_oldest_pending_seconds": (Gauge, ("connection", "destination"), "Age of the oldest event that waits."),
    }
)


class Telltale:
    """Write log lines to one stream and keep metrics in one registry."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()
        self._registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}
        self._metrics = {name: _make(name, self._registry) for name, (kind, _, _) in METRICS.items() if kind is not Gauge}

    def tell(self, fact: str, **fields: Any) -> None:
        """Write one JSON line: time, fact, and the fields as given."""
        line = msgspec.json.encode({"at": round(time.time(), 3), "fact": fact, **fields}, enc_hook=str)
        self._lines.append(line.decode() + "\n")
        while self._lines and self._writing.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._writing.release()

    def _write(self) -> None:
        """Write what lines there are: one thread at a time, and those that come meanwhile leave theirs to it."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        self._stream.write("".join(lines))
        self._stream.flush()

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a declared counter; raise KeyError for an undeclared one."""
        self._child(metric, labels).inc(amount)

    def time(self, metric: str, seconds: float, **labels: str) -> None:
        """Add one observation to a declared histogram, in seconds; raise KeyError for an undeclared one."""
        self._child(metric, labels).observe(seconds)

    def exposition(self, gauges: Iterable[tuple[str, dict[str, str], float]] = ()) -> bytes:
        """Return all metrics in Prometheus text form: those of every process that shares a directory, and the gauges given."""
        return self._counters() + _gauge_text(gauges)

    def _child(self, metric: str, labels: Mapping[str, str]) -> Any:
        known = (metric, *labels.values())
        child = self._children.get(known)
        if child is None:
            family = self._metrics[metric]
            child = self._children[known] = family.labels(**labels) if labels else family
        return child

    def _counters(self) -> bytes:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _make(name: str, registry: CollectorRegistry | None) -> Any:
    kind, labels, sentence = METRICS[name]
    return kind(PREFIX + name, sentence, labels, registry=registry)


class _Families(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def _gauge_text(gauges: Iterable[tuple[str, dict[str, str], float]]) -> bytes:
    """Render values read from the store just now; they belong to no process."""
    families: dict[str, GaugeMetricFamily] = {}
    for name, labels, value in gauges:
        _, declared, sentence = METRICS[name]
        family = families.setdefault(name, GaugeMetricFamily(PREFIX + name, sentence, labels=declared))
        family.add_metric([labels[label] for label in declared], value)
    registry = CollectorRegistry()
    registry.register(_Families(families.values()))
    return generate_latest(registry)
