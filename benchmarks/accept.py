"""Accept: the service against itself without a store, and against the naive peer, in single requests and in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.load import Load
from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.services import Service, await_quiet, naive, web
from benchmarks.sink import Sink, sink

ROUNDS = 5
SECONDS = 3.0
BATCH = 100
# items a request -> connections
SHAPES = {1: 32, BATCH: 8}


@dataclass(slots=True)
class Peer:
    """Load the naive peer and keep count of what it said it took."""

    service: Service
    sink: Sink
    began_with: int
    said: int = 0

    def load(self, items: int, connections: int, seconds: float) -> Load:
        """Load it for a while, then wait until it has sent what it is going to send."""
        came = self.service.load(items, connections, seconds)
        self.said += came.accepted * items
        await_quiet(self.sink)
        return came

    def arrived(self) -> int:
        """Return how many of those events reached the sink."""
        return self.sink.counts().events - self.began_with


def run(bench: Bench) -> list[Row]:
    """Return the rows of both shapes."""
    with _stage(bench) as (loads, peer):
        rows = []
        for items, connections in SHAPES.items():
            runs = {name: partial(load, items, connections, bench.seconds(SECONDS)) for name, load in loads.items()}
            said, arrived = peer.said, peer.arrived()
            samples = bench.interleave("accept singles" if items == 1 else f"accept batches of {items}", runs, bench.rounds(ROUNDS))
            rows += _rows(items, samples)
            rows.append(_lost(items, peer.said - said, peer.arrived() - arrived, len(samples["naive"])))
        return rows


@contextlib.contextmanager
def _stage(bench: Bench) -> Iterator[tuple[Mapping[str, Callable[[int, int, float], Load]], Peer]]:
    directory = bench.directory / "accept"
    directory.mkdir()
    bench.say("accept: starting the service, the service without a store, and the naive peer")
    with contextlib.ExitStack() as stack:
        durable = stack.enter_context(web(directory / "durable"))
        bare = stack.enter_context(web(directory / "storeless", module="benchmarks.storeless"))
        far = stack.enter_context(sink(directory))
        other = stack.enter_context(naive(directory, far))
        await_quiet(far)
        peer = Peer(other, far, began_with=far.counts().events)
        yield {"durable": durable.load, "store-less": bare.load, "naive": peer.load}, peer


def _rows(items: int, samples: Mapping[str, list[Load]]) -> list[Row]:
    shape = "single" if items == 1 else f"batch of {items}"
    events = {name: [load.rate * items for load in loads] for name, loads in samples.items()}
    text = {name: rate(values, "events/s") for name, values in events.items()}
    durable = samples["durable"]

    def row(other: str, target: Target | None) -> Row:
        return Row(
            "accept",
            f"{shape}, durable / {other}",
            ratios(events["durable"], events[other]),
            target=target,
            absolute={"durable": text["durable"], other: text[other]},
        )

    return [
        row("store-less", Target(">=", 0.6) if items == 1 else None),
        row("naive", Target(">=", 1.5 if items == 1 else 3.0)),
        Row("accept", f"{shape}, durable p50", [load.p50 for load in durable], "ms"),
        Row("accept", f"{shape}, durable p99", [load.p99 for load in durable], "ms", note=_refused(samples)),
    ]


def _refused(samples: Mapping[str, list[Load]]) -> str:
    return "not 2xx: " + ", ".join(f"{name} {sum(load.refused for load in loads)}" for name, loads in samples.items())


def _lost(items: int, said: int, arrived: int, rounds: int) -> Row:
    shape = "single" if items == 1 else f"batch of {items}"
    note = f"{said:,} events answered 2xx, {arrived:,} arrived; all {rounds} rounds together"
    return Row("accept", f"{shape}, lost by naive", [100 * (1 - arrived / said)], "%", note=note)
