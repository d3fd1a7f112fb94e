"""Deliver: the service's worker from a full store against the official client, near and at 50 ms of round trip."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.delivering import Cost
from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.running import call, environment
from benchmarks.sink import Sink, sink
from benchmarks.stores import copied, filled

EVENTS = 50_000
# ms of round trip -> rounds
ROUNDS = {0: 5, 50: 3}
# The official client's best: batches as large as its limit of 475 KB lets them be, and at a distance several threads.
TUNED: Mapping[int, Mapping[str, Any]] = {0: {"upload_size": 2500}, 50: {"upload_size": 2500, "thread": 4}}
_UPLOADS = "tuned, uploads only"


@dataclass(slots=True)
class Deliveries:
    """Start deliveries to one sink and see that everything arrived."""

    bench: Bench
    events: int
    sink: Sink
    _number: int = field(default=0)

    def worker(self, full: Path) -> Cost:
        """Deliver a copy of a full store through the service's worker."""
        self._number += 1
        directory = full.parent.with_name(f"delivered-{self._number}-{self.sink.url.rpartition(':')[2]}")
        try:
            return self._seen("worker", str(copied(full, directory)), self.sink.url, str(self.events))
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def client(self, options: Mapping[str, Any], role: str = "client") -> Cost:
        """Deliver as many through the official client."""
        return self._seen(role, self.sink.url, str(self.events), json.dumps(dict(options)))

    def _seen(self, *command: str) -> Cost:
        before = self.sink.counts().events
        cost = Cost(**call(["benchmarks.delivering", *command], environment()))
        arrived = self.sink.counts().events - before
        if arrived != self.events:
            raise RuntimeError(f"{command[0]} delivered {arrived} of {self.events} events")
        return cost


def run(bench: Bench) -> list[Row]:
    """Return the rows for each round trip."""
    events = EVENTS // 10 if bench.quick else EVENTS
    full = filled(bench, events)
    rows: list[Row] = []
    for delay, rounds in ROUNDS.items():
        with sink(bench.directory, delay_ms=delay) as far:
            deliveries = Deliveries(bench, events, far)
            runs = _runs(deliveries, full, TUNED[delay])
            if not delay:
                runs[_UPLOADS] = partial(deliveries.client, TUNED[delay], "uploads")
            samples = bench.interleave(f"deliver at {delay} ms", runs, bench.rounds(rounds))
        rows += _rows(delay, samples)
    return rows


def _runs(deliveries: Deliveries, full: Path, tuned: Mapping[str, Any]) -> dict[str, Callable[[], Cost]]:
    return {
        "worker": partial(deliveries.worker, full),
        "default": partial(deliveries.client, {}),
        "tuned": partial(deliveries.client, tuned),
    }


def _rows(delay: int, samples: Mapping[str, list[Cost]]) -> list[Row]:
    notes = {
        "default": "",
        "tuned": f"Client({', '.join(f'{name}={value}' for name, value in TUNED[delay].items())})",
        _UPLOADS: "as tuned, its messages built and enqueued beforehand at no cost",
    }
    rows = []
    for other in samples:
        if other != "worker":
            target = Target(">=", 10.0) if other == "default" else None
            rows.append(_row(f"{delay} ms, events/CPU s, worker / {other}", samples, other, "per_cpu_second", target, notes[other]))
    rows += [_row(f"{delay} ms, events/s, worker / {other}", samples, other, "per_second", None, "") for other in ("default", "tuned")]
    return rows


def _row(what: str, samples: Mapping[str, list[Cost]], other: str, measure: str, target: Target | None, note: str) -> Row:
    rates = {name: [getattr(cost, measure) for cost in samples[name]] for name in ("worker", other)}
    absolute = {name: rate(values, "/s") for name, values in rates.items()}
    return Row("deliver", what, ratios(rates["worker"], rates[other]), target=target, absolute=absolute, note=note)
