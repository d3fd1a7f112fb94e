"""The delivery rule of a sync, event by event: ten attempts at their times, up to three requests in each, and what never is sent."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from candu_source.deliveries import Hold
from candu_source.errors import Reason
from candu_source.integrations.tile import Integration
from candu_source.periods import Period, window
from candu_source.retry import STREAM_ATTEMPTS
from candu_source.store import Store
from candu_source.store.counts import LEFT_OUT
from tests.delivery.streaming import NAME, Clock, Stage, acme, in_turn, refusing, staged
from tests.destinations.listening import Listener, always, dripping
from tests.store.shelf import ask_dead

_HOURS_4 = 4 * 3_600
# 28 s, doubled each time: nine waits between ten attempts.
_WAITS = [28 * 2**number for number in range(9)]
_CHANCES = [number / 8 for number in range(9)]

FarEnd = Callable[[], AbstractContextManager[str]]


@contextmanager
def _answering(status: str, *headers: str) -> Iterator[str]:
    with Listener(always(status, b"", *headers)) as listener:
        yield listener.url


@contextmanager
def _silent() -> Iterator[str]:
    with Listener(dripping(b"", b"", b"")) as listener:
        yield listener.url


@contextmanager
def _closed() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


# What a far end does -> how it is named, and how many requests an attempt has.
_FAR_ENDS: Mapping[str, tuple[FarEnd, str, int]] = {
    "400": (lambda: _answering("400 Odd"), "content_refused", 1),
    "401": (lambda: _answering("401 Odd"), "key_refused", 1),
    "404": (lambda: _answering("404 Odd"), "endpoint_wrong", 1),
    "429": (lambda: _answering("429 Odd"), "throttled", 3),
    "500": (lambda: _answering("500 Odd"), "server_error", 3),
    "501": (lambda: _answering("501 Odd"), "endpoint_wrong", 3),
    "503": (lambda: _answering("503 Odd"), "server_error", 3),
    "a redirect": (lambda: _answering("302 Odd", "Location: /"), "endpoint_wrong", 1),
    "silence": (_silent, "timeout", 1),
    "nobody there": (_closed, "network", 1),
}


@pytest.mark.parametrize("name", _FAR_ENDS)
def test_an_event_that_always_fails_has_ten_attempts_at_their_times(store: Store, name: str) -> None:
    far_end, reason, requests = _FAR_ENDS[name]
    clock = Clock()
    with far_end() as url:
        stage = staged(store, url, acme(), clock=clock, timeout_seconds=0.05 if name == "silence" else 5.0)
        stage.send("only")
        waited = list(_ten_attempts(stage))
    assert waited == pytest.approx([wait * (1 - 0.1 * chance) for wait, chance in zip(_WAITS, _CHANCES, strict=True)])
    assert sum(_WAITS) <= _HOURS_4
    assert len(clock.pauses) == STREAM_ATTEMPTS * (requests - 1)
    assert (stage.counts(), stage.dead()) == ((0, 1, 0, 0), {"only": "expired"})
    tries = store.trace.life(stage.connection.id, "m-only").tries
    assert [(each.outcome, each.decision) for each in tries] == [(reason, "park")] * 9 + [(reason, "bury")]


def _ten_attempts(stage: Stage) -> Iterator[float]:
    """Yield what was waited before each attempt but the first, no second more or less."""
    for stage.chance in _CHANCES:
        assert len(stage.turn()) == 1
        assert stage.counts() == (0, 0, 0, 1)
        (wait,) = stage.waits()
        stage.pass_time(wait - 2)
        assert stage.turn() == []
        stage.pass_time(2)
        yield wait
    assert len(stage.turn()) == 1
    stage.pass_time(_HOURS_4)
    assert stage.turn() == []


def test_the_three_requests_of_an_attempt_have_pauses_between_them(store: Store) -> None:
    clock = Clock()
    with Listener(always("500 Odd")) as listener:
        stage = staged(store, listener.url, acme(), clock=clock)
        stage.send(*(f"e{number}" for number in range(4)))
        stage.turn()
    assert len(listener.heard) == 12
    first, second = clock.pauses[::2], clock.pauses[1::2]
    assert all(0.05 <= pause <= 0.15 for pause in first), first
    assert all(0.1 <= pause <= 0.3 for pause in second), second
    assert len(set(clock.pauses)) == 8


def test_no_request_of_an_attempt_begins_after_four_seconds(store: Store) -> None:
    with Listener(always("500 Odd")) as listener:
        stage = staged(store, listener.url, acme(), clock=Clock(step=2.5))
        stage.send("only")
        stage.turn()
    assert len(listener.heard) == 2


def test_an_event_gets_through_within_an_attempt(store: Store) -> None:
    answers = itertools.chain(["500 Odd", "429 Odd"], itertools.repeat("200 OK"))
    with Listener(in_turn(map(always, answers))) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("only")
        stage.turn()
    assert (len(listener.heard), stage.counts()) == (3, (1, 0, 0, 0))


_NEVER_SENT = {
    "does not render": (acme(body="${input.nothing.at.all}"), "nothing"),
    "calls nobody": (acme(url="ftp://${parameters.key}/"), "the URL renders as"),
    "has a line end in a header": (acme(headers={"X-Odd": "a\nb"}), "the header X-Odd"),
    "is too large": (acme(body="x" * 2_000, limits={"body_bytes": 1_999}), "2,000"),
}


@pytest.mark.parametrize("name", _NEVER_SENT)
def test_what_cannot_be_sent_is_dead_at_once(store: Store, name: str) -> None:
    integration, said = _NEVER_SENT[name]
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, integration)
        stage.send("only")
        assert stage.run() == 1
        assert listener.visitors() == 0
    assert (stage.counts(), stage.dead()) == ((0, 1, 0, 0), {"only": "discarded"})
    (letter,) = store.shelves.dead(stage.connection.id, 10)
    assert said in letter.detail
    assert "CANARY" not in letter.detail


def test_without_what_a_mapping_requires_nothing_is_sent(store: Store) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("without", user=None)
        stage.send("with")
        stage.run()
    assert len(listener.heard) == 1
    assert (stage.counts(), stage.dead()) == ((1, 1, 0, 0), {"without": "discarded"})


def test_what_is_not_chosen_is_passed_over(store: Store) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme(), event_types=["wanted"], conditions=['event.plan is "team"'])
        stage.send("other", "wanted", "another")
        stage.run()
    assert (len(listener.heard), stage.counts()) == (1, (1, 0, 2, 0))


_LEFT_OUT: dict[str, tuple[Integration | None, dict[str, Any], str, int]] = {
    "templates": (acme(), {"properties": "all"}, "2 properties are lists or objects", 2),
    "Candu's API": (None, {}, "properties.odd list_left_out, properties.of flattened, properties.of.it null_left_out", 3),
}


@pytest.mark.parametrize("name", _LEFT_OUT)
def test_what_is_left_out_of_an_event_is_told_and_counted(store: Store, name: str) -> None:
    integration, choices, said, values = _LEFT_OUT[name]
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, integration, **choices)
        stage.send("odd", odd=[1], of={"it": None})
        stage.send("plain")
        stage.run()
    wanted = {"connection": stage.connection.id, "seq": 1, "most": 10}
    (tried,) = store.database.rows("event_attempts", wanted)
    assert (stage.counts(), tried[-2]) == ((2, 0, 0, 0), f"not sent as it stands: {said}")
    points = store.stats.series(stage.connection.id, window(Period.ONE_HOUR, time.time()), NAME)
    assert sum(point.ended[LEFT_OUT] for point in points) == values


def test_the_far_end_says_when_it_wants_more(store: Store) -> None:
    """One request, whatever the rule of an attempt; neither the event nor those after it are sent sooner."""
    with Listener(refusing("Retry-After: 60")) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("before", "poison-500", "poison-429", "after")
        stage.turn()
        assert len(listener.heard) == 2
        (due_at,) = stage.lane("due_at")
        assert due_at == pytest.approx(stage.now + 60)
        stage.pass_time(58)
        assert stage.turn() == []
        stage.pass_time(3)
        assert len(stage.turn()) == 1


def test_a_wait_that_comes_after_other_trouble_is_heard(store: Store) -> None:
    answers = iter([always("404 Odd"), always("404 Odd"), always("503 Odd", b"", "Retry-After: 90")])
    with Listener(in_turn(answers)) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("a", "b", "c", "d")
        stage.turn()
    assert len(listener.heard) == 3
    assert stage.lane("due_at", "failures") == (pytest.approx(stage.now + 90), 3)


def test_a_refused_event_asks_for_no_wait(store: Store) -> None:
    with Listener(refusing("Retry-After: 60")) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("poison-400", "after")
        stage.turn()
    assert (len(listener.heard), stage.counts(), stage.turn()) == (2, (1, 0, 0, 1), [])


def test_the_rate_of_an_integration_is_kept(store: Store) -> None:
    clock = Clock()
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme(limits={"requests_per_minute": 60}), clock=clock)
        stage.send("a", "b", "c")
        for sent in (1, 2, 3):
            stage.turn()
            assert len(listener.heard) == sent
            assert stage.turn() == []
            clock.sleep(1.0)
            stage.pass_time(1.1)
    assert stage.counts() == (3, 0, 0, 0)


def test_a_sync_that_is_off_its_rails_is_held_and_goes_on_when_mended(store: Store) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url)
        store.streams.save(stage.connection, replace(stage.sync, parameters={**stage.sync.parameters, "endpoint": "odd"}), by="test")
        stage.send("only")
        (settled,) = stage.turn()
        assert isinstance(settled.decision, Hold)
        assert settled.outcome.code is Reason.SYNC_INCOMPLETE
        assert (stage.tally().held, stage.turn()) == ("sync_incomplete", [])
        store.streams.save(stage.connection, stage.sync, by="test")
        stage.run()
    assert stage.counts() == (1, 0, 0, 0)


def test_a_dead_letter_that_is_asked_for_goes_through_it_all_again(store: Store) -> None:
    with Listener(always("500 Odd")) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("only")
        for _ in range(STREAM_ATTEMPTS):
            stage.turn()
            stage.pass_time(_HOURS_4)
        assert stage.dead() == {"only": "expired"}
        heard = len(listener.heard)
        assert ask_dead(store, stage.connection, destination=NAME) == 1
        stage.turn()
        assert (len(listener.heard), stage.counts(), stage.dead()) == (heard + 3, (0, 0, 0, 1), {})
    stage.pass_time(_HOURS_4)
    assert stage.waits() != []
