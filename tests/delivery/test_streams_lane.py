"""The lane of a sync as a whole: one event keeps no other, a dead far end is left alone, and what was off is never sent."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from candu_source.deliveries import Park
from candu_source.errors import Reason
from candu_source.model import Admission, Event
from candu_source.retry import FAILURES_THAT_BACK_OFF, LONGEST_BACK_OFF_SECONDS, STREAM_ATTEMPTS, STREAM_FIRST_WAIT_SECONDS
from candu_source.store import Store
from tests.delivery.streaming import NAME, FarEnd, acme, refusing, staged
from tests.destinations.listening import Listener, always, whole
from tests.store.shelf import ask_dead

_DAY = 86_400
_HOURS_4 = 4 * 3_600


def _names(count: int, every: int = 0, poison: str = "poison-400") -> list[str]:
    """Return names of events, each `every`th of them poison."""
    return [f"{poison}-{number}" if every and number % every == 0 else f"good-{number}" for number in range(count)]


def test_what_is_refused_keeps_nothing_else(store: Store) -> None:
    """Each event is sent once; the refused ones alone wait, and the others do not wait for them."""
    with Listener(refusing()) as listener:
        stage = staged(store, listener.url, acme())
        stage.send(*_names(1_000, every=100))
        stage.run()
        assert (len(listener.heard), stage.counts()) == (1_000, (990, 0, 0, 10))
        assert stage.waits() == pytest.approx([STREAM_FIRST_WAIT_SECONDS * 0.95] * 10)
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS)
        stage.run()
        assert (len(listener.heard), stage.counts()) == (1_010, (990, 0, 0, 10))


def test_a_dead_far_end_is_left_alone_and_heals(store: Store) -> None:
    far_end = FarEnd()
    with Listener(far_end) as listener:
        stage = staged(store, listener.url, acme())
        stage.send(*_names(20))
        assert stage.run() == 1
        assert len(listener.heard) == 3 * FAILURES_THAT_BACK_OFF
        assert stage.lane("failures", "due_at") == (FAILURES_THAT_BACK_OFF, pytest.approx(stage.now + STREAM_FIRST_WAIT_SECONDS * 0.95))
        stage.send("later")
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS - 2)
        assert stage.run() == 0
        stage.pass_time(3)
        assert stage.run() == FAILURES_THAT_BACK_OFF
        assert len(listener.heard) == 2 * 3 * FAILURES_THAT_BACK_OFF
        far_end.well = True
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS * 2)
        stage.run()
    assert (stage.counts(), stage.lane("failures")) == ((21, 0, 0, 0), (0,))


def test_an_event_that_always_fails_does_not_hold_up_the_others(store: Store) -> None:
    with Listener(refusing()) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("poison-500")
        for attempt in range(STREAM_ATTEMPTS - 1):
            stage.run()
            stage.send(f"good-{attempt}")
            stage.run()
            assert stage.counts() == (attempt + 1, 0, 0, 1)
            stage.pass_time(_HOURS_4)
    assert len(listener.heard) == (STREAM_ATTEMPTS - 1) * 4


def test_an_event_that_always_fails_is_no_dead_far_end(store: Store) -> None:
    with Listener(refusing()) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("poison-500")
        for _ in range(FAILURES_THAT_BACK_OFF + 1):
            stage.run()
            stage.pass_time(_HOURS_4)
        assert stage.lane("failures") == (1,)
        stage.run()
        stage.send("good")
        stage.run()
    assert stage.counts() == (1, 0, 0, 1)


def test_a_clock_that_jumps_back_strands_nothing(store: Store) -> None:
    far_end = FarEnd()
    with Listener(far_end) as listener:
        stage = staged(store, listener.url, acme())
        stage.send(*_names(20))
        stage.run()
        far_end.well = True
        stage.pass_time(-_DAY)
        stage.run()
    assert stage.counts() == (20, 0, 0, 0)


def _refusing_arrays_with_poison(request: bytes) -> Iterable[bytes]:
    return [whole("400 Poison" if b"poison" in request else "200 OK", b"{}")]


def _calls(listener: Listener) -> list[int]:
    """Return how many calls each request had."""
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in listener.heard]
    return [len(body) if isinstance(body, list) else 1 for body in bodies]


def test_of_an_array_only_what_is_refused_waits(store: Store) -> None:
    with Listener(_refusing_arrays_with_poison) as listener:
        stage = staged(store, listener.url, parameters={"arrays": "yes"})
        stage.send("a", "b", "poison", "c")
        stage.run()
        assert (_calls(listener), stage.counts()) == ([4, 1, 1, 1, 1], (3, 0, 0, 1))
        stage.send("d", "e")
        stage.run()
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS)
        stage.run()
    assert (_calls(listener)[5:], stage.counts()) == ([2, 1], (5, 0, 0, 1))


def test_an_array_that_meets_trouble_waits_as_one_and_goes_on_singly(store: Store) -> None:
    far_end = FarEnd()
    with Listener(far_end) as listener:
        stage = staged(store, listener.url, parameters={"arrays": "yes"})
        stage.send(*_names(6))
        stage.run()
        assert (_calls(listener), stage.counts(), stage.lane("failures")) == ([6] * 3, (0, 0, 0, 6), (6,))
        far_end.well = True
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS)
        stage.run()
    assert (_calls(listener)[3:], stage.counts()) == ([1] * 6, (6, 0, 0, 0))


def test_what_candu_does_not_take_stands_beside_an_array(store: Store) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, parameters={"arrays": "yes"})
        stage.send("a", "b")
        stage.send("nobody", user=None)
        stage.send("c")
        stage.run()
    assert (_calls(listener), stage.counts(), stage.dead()) == ([2, 1], (3, 1, 0, 0), {"nobody": "discarded"})


@pytest.mark.parametrize("door", ["webhook", "interactions", "browser"])
def test_what_came_from_candu_is_not_sent_back(store: Store, door: str) -> None:
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url)
        stage.send("candus-own", door=door)
        stage.send("another")
        stage.run()
    assert (len(listener.heard), stage.counts()) == (1, (1, 0, 1, 0))
    (own,) = [event for event in store.trace.tail(stage.connection.id) if event.message_id == "m-candus-own"]
    assert store.trace.states(own)[NAME] == ("filtered", "echo")


@pytest.mark.parametrize(
    ("door", "properties", "raw"),
    [("rest", b"1e999", b"{}"), ("amplitude", b"{}", b"\xff"), ("amplitude", b"{}", b"[]")],
)
def test_an_event_that_nobody_can_read_keeps_no_other(store: Store, door: str, properties: bytes, raw: bytes) -> None:
    message = b'{"messageId": "m-odd", "type": "track", "userId": "u", "event": "e", "properties": %b}' % properties
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url)
        store.log.append(Admission(stage.connection.id, door, events=(Event("m-odd", message, raw),)))
        stage.send("good")
        stage.run()
    assert (len(listener.heard), stage.counts(), stage.dead()) == (1, (1, 1, 0, 0), {"odd": "discarded"})


def test_what_was_under_way_when_it_was_turned_off_and_on_counts_no_more(store: Store) -> None:
    """It was taken while the sync was on before: it is passed over, and its outcome comes too late."""
    with Listener(always("200 OK")) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("under-way")
        (delivery,) = stage.claim()
        off = store.streams.disable(stage.connection, stage.sync, by="test")
        stage.send("while-off")
        store.streams.enable(stage.connection, off, by="test")
        assert store.lanes.settle(stage.deliver(delivery)) == [False]
        assert stage.counts() == (0, 0, 2, 0)
        stage.send("on")
        stage.run()
    assert (len(listener.heard), stage.counts()) == (2, (1, 0, 2, 0))


def test_what_is_parked_waits_while_a_sync_is_off(store: Store) -> None:
    with Listener(refusing()) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("poison-500", "good")
        stage.run()
        off = store.streams.disable(stage.connection, stage.sync, by="test")
        stage.pass_time(_HOURS_4)
        assert (stage.run(), stage.counts()) == (0, (1, 0, 0, 1))
        store.streams.enable(stage.connection, off, by="test")
        (settled,) = stage.turn()
    assert isinstance(settled.parts()[0].decision, Park)
    assert stage.counts() == (1, 0, 0, 1)


def test_dead_letters_that_are_asked_for_are_not_thrown_at_a_dead_far_end(store: Store) -> None:
    """They have no time of their own: they wait with the lane, and those that have one go first."""
    far_end = FarEnd()
    with Listener(far_end) as listener:
        stage = staged(store, listener.url, acme(body="${input.nothing.at.all}"))
        stage.send(*_names(50))
        stage.run()
        assert stage.counts() == (0, 50, 0, 0)
        stage.use(acme())
        stage.send("later")
        stage.run()
        assert ask_dead(store, stage.connection, destination=NAME) == 50
        assert stage.run() == 1
        assert len(listener.heard) == 3 * FAILURES_THAT_BACK_OFF
        stage.pass_time(STREAM_FIRST_WAIT_SECONDS)
        assert stage.run() == FAILURES_THAT_BACK_OFF
        assert len(listener.heard) == 2 * 3 * FAILURES_THAT_BACK_OFF
        far_end.well = True
        stage.pass_time(LONGEST_BACK_OFF_SECONDS)
        stage.run()
    assert stage.counts() == (51, 0, 0, 0)


def test_a_sync_that_is_removed_leaves_nothing_behind(store: Store) -> None:
    with Listener(refusing()) as listener:
        stage = staged(store, listener.url, acme())
        stage.send("poison-500", "good")
        (delivery,) = stage.claim()
        made = stage.deliver(delivery)
        store.streams.remove(stage.connection, stage.sync, by="test")
        assert store.lanes.settle(made) == [False]
    assert [each.destination for each in store.ledger.tallies(check=True)] == ["segment"]
    assert made[0].outcome.code is Reason.SERVER_ERROR
