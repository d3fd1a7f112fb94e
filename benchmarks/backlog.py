"""Backlog: what it costs to claim and settle an event, with few and with very many events waiting."""

from __future__ import annotations

import contextlib
import time
from functools import partial

from benchmarks.report import Row, Target, ratios
from benchmarks.rounds import Bench
from benchmarks.stores import copied, filled, opened, waiting
from candu_source.deliveries import Advance, Outcome, Settlement
from candu_source.errors import Reason
from candu_source.store import Store

ROUNDS = 9
CLAIMS = 3  # a round; each is four batches
FEW = 10_000
MANY = 1_000_000
MANY_QUICK = 100_000
_WORKER = "bench"
# Put the only lane back to the beginning of its log: a small backlog is measured again and again.
_REWIND = ("UPDATE lanes SET cursor = 0", "DELETE FROM attempts")


def run(bench: Bench) -> list[Row]:
    """Return the row of many against few."""
    many = MANY_QUICK if bench.quick else MANY
    files = {events: copied(filled(bench, events), bench.directory / f"backlog-{events}") for events in (FEW, many)}
    with contextlib.ExitStack() as stack:
        stores = {events: stack.enter_context(opened(file)) for events, file in files.items()}
        runs = {
            "few": partial(_claim_and_settle, stores[FEW], rewind=True),
            "many": partial(_claim_and_settle, stores[many], rewind=False),
        }
        samples = bench.interleave("backlog, µs an event", runs, bench.rounds(ROUNDS))
        left = sum(waiting(stores[many]))
    few = Row("backlog", f"claim and settle, {FEW:,} waiting", samples["few"], "µs/event")
    lots = Row("backlog", f"claim and settle, {many:,} waiting", samples["many"], "µs/event", note=f"{left:,} waiting at the end")
    grows = Row("backlog", f"{many:,} / {FEW:,} waiting", ratios(samples["many"], samples["few"]), target=Target("<=", 1.5))
    return [few, lots, grows]


def _claim_and_settle(store: Store, *, rewind: bool) -> float:
    """Return the µs an event that some claims and their settlements take."""
    if rewind:
        with store.database.write() as db:
            for statement in _REWIND:
                db.execute(statement)
    events = 0
    began = time.perf_counter()
    for _ in range(CLAIMS):
        (delivery,) = store.lanes.claim(_WORKER, 1)
        events += sum(len(batch.events) for batch in delivery.batches)
        outcome = Outcome(Reason.ACCEPTED, 200)
        kept = store.lanes.settle([Settlement(delivery, batch, outcome, Advance(), 0.0, 0.0) for batch in delivery.batches])
        if not all(kept):
            raise RuntimeError("a lease was lost")
    return (time.perf_counter() - began) / events * 1e6
