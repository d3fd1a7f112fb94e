"""Templates that want too much, delivered by a real worker: a limit ends each, its event is dead, and all else goes on."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from candu_source.deliveries import LaneKind
from candu_source.limits import Pace
from candu_source.observe import Telltale
from candu_source.store import Store
from candu_source.worker import Worker
from tests.delivery.streaming import Stage, acme, staged
from tests.destinations.listening import Listener, always

_PATIENCE_SECONDS = 30.0
_TEXT = "${input.event_properties.text?matches(input.event_properties.pattern)?c}"

# By what they want: a body, and what the event brings.
_HOSTILE: dict[str, tuple[str, dict[str, str]]] = {
    "a million steps": ("<#list 1..1000000 as i>${i}</#list>", {}),
    "loops within loops": ("<#list 1..1000 as i><#list 1..1000 as j></#list></#list>", {}),
    "an endless loop": ("<#list 1.. as i></#list>", {}),
    "much output": ("<#list 1..50000 as i>" + "x" * 1_000 + "</#list>", {}),
    "text that doubles": ("<#assign s='aaaaaaaa'><#list 1..100 as i><#assign s = s + s></#list>", {}),
    "a macro that calls itself": ("<#macro m><@m/></#macro><@m/>", {}),
    "a slow pattern of the event's": (_TEXT, {"text": "a" * 5_000, "pattern": "a*a*a*a*b"}),
    "a pattern that runs away": (_TEXT, {"text": "a" * 40, "pattern": "(a+)+$"}),
    "JSON within JSON": ("${input.event_properties.text?eval_json?size}", {"text": "[" * 5_000 + "]" * 5_000}),
    "a number without end": ("${input.event_properties.text?number}", {"text": "1e999999999"}),
}
_DO_NOT_COMPILE = {
    "parentheses": "${" + "(" * 10_000 + "1" + ")" * 10_000 + "}",
    "tags within tags": "<#if true>" * 3_000 + "</#if>" * 3_000,
}


@contextmanager
def _working(stage: Stage) -> Iterator[None]:
    """Run a worker; stop it afterwards, and raise what it died of."""
    stop, log = threading.Event(), io.StringIO()
    lanes, keeper, destinations = stage.store.lanes, stage.store.keeper, {LaneKind.STREAM: stage.destination}
    pace = Pace(rate=1e6, key_rate=1e6, now=time.monotonic())
    worker = Worker(lanes, keeper, destinations, pace, Telltale(log), "w", senders=4, lease_seconds=30, stop_seconds=5)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()
    assert "the destination broke" not in log.getvalue()


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_limit_ends_it_and_the_worker_lives_on(store: Store, name: str) -> None:
    body, properties = _HOSTILE[name]
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme(body=body))
        with _working(stage):
            stage.send("hostile", **properties)
            _until(lambda: stage.dead() == {"hostile": "discarded"})
            assert listener.visitors() == 0
            stage.use(acme())
            stage.send("good")
            _until(lambda: stage.counts() == (1, 1, 0, 0))
    (letter,) = store.shelves.dead(stage.connection.id, 10)
    assert any(word in letter.detail for word in ("limit", "too deeply", "in many ways", "too long")), letter.detail


@pytest.mark.parametrize("name", _DO_NOT_COMPILE)
def test_what_does_not_compile_holds_its_own_sync(store: Store, name: str) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme(body=_DO_NOT_COMPILE[name]))
        with _working(stage):
            stage.send("hostile")
            _until(lambda: stage.tally().held == "sync_incomplete")
            assert stage.counts() == (0, 0, 0, 1)
            stage.use(acme())
            store.streams.save(stage.connection, stage.sync, {}, by="test")
            _until(lambda: stage.counts()[0] == 1)
