"""Deliver in a process of its own and print what it cost: the service's worker, or the official client.

Run as `python -m benchmarks.delivering worker STORE SINK EVENTS` or `… client SINK EVENTS OPTIONS`, or `… uploads SINK EVENTS OPTIONS`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from segment.analytics.client import Client

from benchmarks.stores import admissions, aim, url_of
from candu_source import app
from candu_source.model import Connection
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import Settings

_NO_LIMIT = 1e9
_KEY = "bench-write-key"
_ITEMS_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Say what delivering so many events took, in seconds of processor (user and system) and of clock."""

    events: int
    cpu: float
    clock: float

    @property
    def per_cpu_second(self) -> float:
        """Return events a second of processor."""
        return self.events / self.cpu

    @property
    def per_second(self) -> float:
        """Return events a second of clock."""
        return self.events / self.clock

    def __str__(self) -> str:
        return f"{self.per_cpu_second:,.0f} events a CPU second, {self.per_second:,.0f} a second"


class Until(Telltale):
    """Tell as the service does, and ask the worker to stop once so many events are delivered, or what else `decided` names."""

    def __init__(self, events: int, stream: TextIO, decided: Sequence[str] = ("advance",)) -> None:
        super().__init__(stream)
        self._left = events
        self._decided = decided

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Count, and notice what came to its end."""
        super().count(metric, amount, **labels)
        if metric == "attempted_events" and labels["decision"] in self._decided:
            self._left -= int(amount)

    def is_set(self) -> bool:
        """Tell whether that is all."""
        return self._left <= 0

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds, then tell whether that is all."""
        time.sleep(timeout)
        return self.is_set()


def worker(store_file: Path, sink: str, events: int) -> Cost:
    """Deliver what waits in a store through the real worker, its rate limit lifted."""
    settings = Settings(
        store_url=url_of(store_file), requests_per_second=_NO_LIMIT, key_requests_per_second=_NO_LIMIT, allow_private_addresses=True
    )
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        until = Until(events, nowhere)
        store = build_store(settings, until)
        aim(store, sink)
        cost = measured(events, lambda: app.build_worker(settings, until, store).run(until))
        store.close()
    return cost


def client(sink: str, events: int, options: dict[str, Any]) -> Cost:
    """Enqueue the same messages with the official client and flush it."""
    calls = [arguments_of(message) for message in _messages(events)]

    def deliver() -> None:
        official = Client(_KEY, host=sink, max_queue_size=events, **options)
        for name, arguments in calls:
            getattr(official, name)(**arguments)
        official.flush()

    return measured(events, deliver)


def uploads(sink: str, events: int, options: dict[str, Any]) -> Cost:
    """Let the official client upload messages that were built and put into its queue beforehand, at no cost to it."""
    maker = Client(_KEY, send=False)
    built = [getattr(maker, name)(**arguments)[1] for name, arguments in map(arguments_of, _messages(events))]

    def deliver() -> None:
        official = Client(_KEY, host=sink, max_queue_size=events, **options)
        for message in built:
            official.queue.put(message)
        official.flush()

    return measured(events, deliver)


def measured(events: int, work: Callable[[], object]) -> Cost:
    """Do some work and say what it cost."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return Cost(events, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock)


def _messages(events: int) -> list[dict[str, Any]]:
    """Make the messages as the service makes them."""
    source = admissions(Connection("0123456789", "bench"), _ITEMS_AT_A_TIME)
    some = islice(source, events // _ITEMS_AT_A_TIME)
    return [json.loads(event.message) for admission in some for event in admission.events]


def arguments_of(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the client's method and the arguments that make this message."""
    screen = message["type"] == "screen"
    arguments = {
        "user_id": message["userId"],
        "anonymous_id": message["anonymousId"],
        "properties": message["properties"],
        "context": message["context"],
        "integrations": message["integrations"],
        "timestamp": datetime.fromisoformat(message["timestamp"]),
        "message_id": message["messageId"],
        **({"name": message["name"]} if screen else {"event": message["event"]}),
    }
    return message["type"], arguments


def main(role: str, *arguments: str) -> Cost:
    """Play one role."""
    if role == "worker":
        return worker(Path(arguments[0]), arguments[1], int(arguments[2]))
    play = {"client": client, "uploads": uploads}[role]
    return play(arguments[0], int(arguments[1]), json.loads(arguments[2]))


if __name__ == "__main__":
    print(json.dumps(asdict(main(*sys.argv[1:]))))
