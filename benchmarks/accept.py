"""Accept: the service against itself without a store, and against the naive peer, in single requests and in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.load import Load
from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.services import Service, await_quiet, naive, web
from benchmarks.sink import Sink, sink

ROUNDS = 5
SECONDS = 3.0
BATCH = 100
SHAPES = (1, BATCH)
# As many as the naive peer has threads; of only a few the kernel may give one process all.
CONNECTIONS = 32
# gunicorn's processes take new connections as each comes by, often one process most of them; the kernel can spread them evenly instead.
NAIVE = {"naive": (), "naive, spread": ("--reuse-port",)}


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
    with _stage(bench) as (loads, peers):
        rows = []
        for items in SHAPES:
            runs = {name: partial(load, items, CONNECTIONS, bench.seconds(SECONDS)) for name, load in loads.items()}
            before = {name: (peer.said, peer.arrived()) for name, peer in peers.items()}
            samples = bench.interleave("accept singles" if items == 1 else f"accept batches of {items}", runs, bench.rounds(ROUNDS))
            rows += _rows(items, samples)
            rows += [_lost(items, name, peer, *before[name]) for name, peer in peers.items()]
        return rows


@contextlib.contextmanager
def _stage(bench: Bench) -> Iterator[tuple[Mapping[str, Callable[[int, int, float], Load]], Mapping[str, Peer]]]:
    directory = bench.directory / "accept"
    directory.mkdir()
    bench.say("accept: starting the service, the service without a store, and the naive peer")
    with contextlib.ExitStack() as stack:
        durable = stack.enter_context(web(directory / "durable"))
        bare = stack.enter_context(web(directory / "storeless", module="benchmarks.storeless"))
        peers = {name: _peer(stack, directory / name, options) for name, options in NAIVE.items()}
        loads = {"durable": durable.load, "store-less": bare.load, **{name: peer.load for name, peer in peers.items()}}
        yield loads, peers


def _peer(stack: contextlib.ExitStack, directory: Path, options: Sequence[str]) -> Peer:
    """Start a naive peer with a sink of its own."""
    directory.mkdir()
    far = stack.enter_context(sink(directory))
    service = stack.enter_context(naive(directory, far, *options))
    await_quiet(far)
    return Peer(service, far, began_with=far.counts().events)


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
        row("naive, spread", None),
        Row("accept", f"{shape}, durable p50", [load.p50 for load in durable], "ms"),
        Row("accept", f"{shape}, durable p99", [load.p99 for load in durable], "ms", note=_refused(samples)),
    ]


def _refused(samples: Mapping[str, list[Load]]) -> str:
    return "not 2xx: " + ", ".join(f"{name} {sum(load.refused for load in loads)}" for name, loads in samples.items())


def _lost(items: int, name: str, peer: Peer, said_before: int, arrived_before: int) -> Row:
    shape = "single" if items == 1 else f"batch of {items}"
    said, arrived = peer.said - said_before, peer.arrived() - arrived_before
    note = f"{said:,} events answered 2xx, {arrived:,} arrived; all rounds together"
    return Row("accept", f"{shape}, lost by {name}", [100 * (1 - arrived / said)], "%", note=note)
