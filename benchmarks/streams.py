"""Streams: a sync whose far end refuses one event in a hundred against one that has all taken, and against a loop of requests.post."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.delivering import Cost
from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.running import call, environment
from benchmarks.sink import Sink, sink
from benchmarks.stores import copied
from benchmarks.streaming import POISON, filled

EVENTS = 10_000
REFUSED_EVERY = 100
ROUNDS = 5
_LEAST = 0.9


@dataclass(slots=True)
class Streams:
    """Start deliveries to one sink and see that everything arrived that is not refused."""

    bench: Bench
    sink: Sink
    events: int
    _number: int = field(default=0)

    def run(self, role: str, full: Path, refused: int) -> Cost:
        """Deliver a copy of a full store in one way."""
        self._number += 1
        directory = self.bench.directory / f"streamed-{self._number}"
        before = self.sink.counts()
        try:
            store = copied(full, directory)
            cost = Cost(**call(["benchmarks.streaming", role, str(store), self.sink.url, str(self.events)], environment()))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        after = self.sink.counts()
        came = after.requests - before.requests, after.events - before.events
        if came != (self.events, self.events - refused):
            raise RuntimeError(f"{role}: {came} requests and events in place of {self.events} and {self.events - refused}")
        return cost


def run(bench: Bench) -> list[Row]:
    """Return how fast a sync is beside refusals, and beside the plain loop."""
    events = EVENTS // 10 if bench.quick else EVENTS
    clean, refusing = filled(bench, events), filled(bench, events, refused_every=REFUSED_EVERY)
    with sink(bench.directory, refused=POISON) as far:
        streams = Streams(bench, far, events)
        runs = {
            "clean": partial(streams.run, "sync", clean, 0),
            "1 % refused": partial(streams.run, "sync", refusing, events // REFUSED_EVERY),
            "requests.post": partial(streams.run, "loop", clean, 0),
        }
        samples = bench.interleave("streams", runs, bench.rounds(ROUNDS))
    return [
        _row(samples, "1 % refused", "clean", Target(">=", _LEAST), "refused events are parked, the others do not wait"),
        _row(samples, "clean", "requests.post", None, "the same bodies one after the other, written beforehand at no cost"),
    ]


def _row(samples: Mapping[str, list[Cost]], ours: str, theirs: str, target: Target | None, note: str) -> Row:
    rates = {name: [cost.per_second for cost in samples[name]] for name in (ours, theirs)}
    absolute = {name: rate(values, "/s") for name, values in rates.items()}
    return Row("streams", f"events/s, {ours} / {theirs}", ratios(rates[ours], rates[theirs]), target=target, absolute=absolute, note=note)
