"""Stream events to Candu's REST API in a process of its own and print what it cost: by a sync, or by a loop of requests.post.

Run as `python -m benchmarks.streaming sync STORE SINK EVENTS` or `… loop STORE SINK EVENTS`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import requests

from benchmarks.delivering import Cost, Until, measured
from benchmarks.rounds import Bench
from benchmarks.stores import connect, opened, url_of
from candu_source import app
from candu_source.deliveries import StreamTarget
from candu_source.integrations.rendering import Rendered
from candu_source.model import Admission, Event, Secret
from candu_source.opening import build_store
from candu_source.sending import build_streams
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.streaming import Streaming

NAME = "candu"
POISON = "refused"
_EVENTS_A_COMMIT = 1_000
_NOBODY = "http://127.0.0.1:9"


def filled(bench: Bench, events: int, *, refused_every: int = 0) -> Path:
    """Return a closed store with a sync by the shipped templates and so many events waiting for it, some of them such as are refused."""
    path = bench.directory / f"streams-{events}-{refused_every}" / "store.db"
    with opened(path) as store:
        connection, _ = connect(store)
        store.connections.set_lane(connection, "segment", enabled=False, by="benchmark")
        streaming, choices = Streaming(store.streams, store.integrations), {"events": True, "properties": "all"}
        made = streaming.add(connection, NAME, NAME, choices, {"endpoint": _NOBODY, "apiKey": "key"}, by="benchmark")
        streaming.enable(connection, made, by="benchmark")
        for first in range(0, events, _EVENTS_A_COMMIT):
            numbers = range(first, min(first + _EVENTS_A_COMMIT, events))
            made_now = tuple(_event(number, refused=bool(refused_every) and number % refused_every == 0) for number in numbers)
            store.log.append(Admission(connection.id, "amplitude", made_now))
    return path


def _event(number: int, *, refused: bool) -> Event:
    properties = {"plan": "team", "seats": number, "page": f"/boards/{number}", "beta": True}
    raw = {
        "event_type": POISON if refused else "Opened board",
        "user_id": f"user-{number % 997}",
        "uuid": f"{number:032x}",
        "event_time": "2026-11-02 20:07:01.795000",
        "event_properties": properties,
        "user_properties": {"role": "admin", "country": "Germany"},
        "library": "amplitude-ts/2.11.0",
    }
    return Event(f"m-{number}", json.dumps({"messageId": f"m-{number}", "type": "track"}).encode(), json.dumps(raw).encode())


def sync(store_file: Path, sink: str, events: int) -> Cost:
    """Deliver what waits through the real worker."""
    settings = Settings(store_url=url_of(store_file), allow_private_addresses=True)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        until = Until(events, nowhere, ("advance", "park"))
        store = build_store(settings, until)
        _aim(store, sink)
        cost = measured(events, lambda: app.build_worker(settings, until, store).run(until))
        store.close()
    return cost


def loop(store_file: Path, sink: str, events: int) -> Cost:
    """Post the same requests, which are written beforehand at no cost, one after the other."""
    settings = Settings(store_url=url_of(store_file), allow_private_addresses=True)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        store = build_store(settings, Until(events, nowhere))
        _aim(store, sink)
        written = list(_requests(settings, store))
        store.close()

    def post() -> None:
        for each in written:
            requests.post(each.url, data=each.body.encode(), headers=dict(each.headers), timeout=30)

    return measured(len(written), post)


def _aim(store: Store, sink: str) -> None:
    (connection,) = store.connections.all()
    stream = store.streams.named(connection, NAME)
    store.streams.save(connection, replace(stream, parameters={**stream.parameters, "endpoint": sink}), by="benchmark")


def _requests(settings: Settings, store: Store) -> Iterator[Rendered]:
    (connection,) = store.connections.all()
    target = StreamTarget(store.streams.named(connection, NAME), {"apiKey": Secret("key")})
    waiting = [each.stored() for each in store.trace.tail(connection.id, most=10**6)]
    for step in build_streams(settings, store).writer(target).steps(waiting):
        assert isinstance(step.post, Rendered)
        yield step.post


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    play = {"sync": sync, "loop": loop}[role]
    print(json.dumps(asdict(play(Path(arguments[0]), arguments[1], int(arguments[2])))))
