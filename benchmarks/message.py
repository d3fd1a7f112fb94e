"""Message: building one Segment message ourselves against letting the official client build it; it decides which is on the hot path."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from segment.analytics.client import Client

from benchmarks.delivering import arguments_of
from benchmarks.items import Body, ids
from benchmarks.report import Row, ratios
from benchmarks.rounds import Bench
from candu_source import intake
from candu_source.doors import interactions
from candu_source.model import Connection, Heard

ROUNDS = 15
ITEMS = 2_000


def run(bench: Bench) -> list[Row]:
    """Return the costs of both, and that of hearing an item before."""
    connection = Connection("0123456789", "bench")
    body = Body(ITEMS).fresh(ids())
    heard = [item for item in interactions.hear(body, connection) if isinstance(item, Heard)]
    now = datetime.now(UTC)
    admitted = intake.admit(connection, interactions.DOOR, heard, now)
    official = Client("bench-write-key", send=False, sync_mode=True)
    calls = [arguments_of(json.loads(event.message)) for event in admitted.events]

    def stock() -> None:
        for name, arguments in calls:
            getattr(official, name)(**arguments)

    runs = {
        "admit": partial(_micros, lambda: intake.admit(connection, interactions.DOOR, heard, now)),
        "official": partial(_micros, stock),
        "hear": partial(_micros, lambda: interactions.hear(body, connection)),
    }
    samples = bench.interleave("message, µs an event", runs, bench.rounds(ROUNDS))
    return [
        Row("message", "official client builds / we build", ratios(samples["official"], samples["admit"])),
        Row("message", "we build (intake.admit)", samples["admit"], "µs/event"),
        Row(
            "message",
            "the official client builds",
            samples["official"],
            "µs/event",
            note="Client(send=False, sync_mode=True).track and .screen",
        ),
        Row("message", "the door hears (interactions.hear)", samples["hear"], "µs/event"),
    ]


def _micros(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) / ITEMS * 1e6
