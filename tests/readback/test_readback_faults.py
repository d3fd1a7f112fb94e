"""Each way in which Segment answers 200 and stores nothing is noticed by what comes back, and called by its name."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from candu_source.confirming import Cause, State
from candu_source.model import Region, Secret
from candu_source.store import SEGMENT_LANE
from candu_source.twin import Twin
from tests.readback.stage import LATER, Stage


@pytest.fixture(autouse=True)
def known(river: Stage) -> None:
    """List the keys that Segment knows; every other is a stranger."""
    river.us.sources("key-us", {"key": "key-eu", "region": "eu"})
    river.eu.sources({"key": "key-eu", "region": "eu"}, "key-us")


def probe(river: Stage) -> None:
    """Let the prober look, when what is there to come back has come."""
    river.prober.step(time.time() + LATER)


def test_all_is_well(river: Stage) -> None:
    connection = river.connect("key-us")
    assert river.verdict(connection).state is State.WAITING
    river.send(connection, 50)
    river.wait_confirmed(connection, 50)
    probe(river)
    assert (river.verdict(connection).state, river.verdict(connection).causes) == (State.HEALTHY, ())
    river.send(connection, 50)
    river.wait_confirmed(connection, 100)
    assert (river.verdict(connection).state, river.verdict(connection).share) == (State.HEALTHY, 1.0)
    assert not river.eu.ids(), "a healthy connection is never probed"


def test_a_key_that_segment_does_not_know(river: Stage) -> None:
    connection = river.connect("key-nobody")
    river.send(connection, 5)
    assert river.verdict(connection).cause is Cause.WRONG_REGION, "not asked yet"
    probe(river)
    probe(river)
    verdict = river.verdict(connection, 2 * LATER + 10)
    assert (verdict.state, verdict.cause) == (State.NEVER_CONFIRMED, Cause.UNKNOWN_KEY)
    assert Cause.WRONG_REGION not in verdict.causes
    assert dropped(river.eu, "key-nobody") == ["unknown_write_key"], "asked once"


def test_an_eu_key_on_the_us_host_is_told_by_one_probe(river: Stage) -> None:
    connection = river.connect("key-eu", posting=river.eu)
    ids = river.send(connection, 5)
    assert dropped(river.us, "key-eu") == ["wrong_region"] * 5
    probe(river)
    probe(river)
    river.wait_confirmed(connection, 1)
    verdict = river.verdict(connection)
    assert (verdict.state, verdict.causes) == (State.NEVER_CONFIRMED, (Cause.WRONG_REGION,))
    (asked,) = river.eu.ids("key-eu")
    assert asked in ids
    assert [(row.who, row.changes) for row in river.store.audit.rows(connection.id, 100) if row.action == "probe.sent"] == [
        ("probe", {"host": [None, river.eu.url]})
    ]
    assert '"fact":"probe.sent"' in river.log.getvalue()

    river.store.connections.save(replace(connection, region=Region.EU), by="test")
    assert river.verdict(connection).state is State.WAITING, "what was found at the other place is forgotten"
    river.send(connection, 5)
    river.wait_confirmed(connection, 6)
    assert river.verdict(connection).state is State.HEALTHY


def test_a_probe_never_goes_from_the_eu_to_the_us(river: Stage) -> None:
    connection = river.connect("key-lost", region=Region.EU)
    river.send(connection, 5)
    probe(river)
    assert (river.verdict(connection).cause, dropped(river.us, "key-lost")) == (Cause.WRONG_REGION, [])


def test_a_source_that_is_disabled_after_a_healthy_time(river: Stage) -> None:
    connection = river.connect("key-us")
    river.send(connection, 20)
    river.wait_confirmed(connection, 20)
    river.us.sources({"key": "key-us", "enabled": False})
    river.send(connection, 20)
    verdict = river.verdict(connection)
    assert (verdict.state, verdict.cause) == (State.SILENT, Cause.SOURCE_DISABLED)
    river.us.sources("key-us")
    river.send(connection, 40)
    river.wait_confirmed(connection, 60)
    assert river.verdict(connection).state is State.HEALTHY


def test_a_third_that_is_dropped_silently(river: Stage) -> None:
    connection = river.connect("key-us", batch=50)
    river.send(connection, 20)
    river.wait_confirmed(connection, 20)
    river.us.fault(drop_share=0.3)
    river.send(connection, 200)
    river.us.heal()
    lost = dropped(river.us, "key-us").count("lost")
    river.wait_confirmed(connection, 220 - lost)
    verdict = river.verdict(connection)
    assert (verdict.state, verdict.cause) == (State.FALLING, Cause.DROPPED)
    assert verdict.share == pytest.approx(1 - lost / 200)
    assert 30 <= lost <= 90


def test_another_key_begins_anew(river: Stage) -> None:
    connection = river.connect("key-gone")
    river.send(connection, 5)
    assert river.verdict(connection).state is State.NEVER_CONFIRMED
    river.store.connections.set_write_key(connection, Secret("key-us"), by="test")
    assert river.verdict(connection).state is State.WAITING
    river.us.readback(river.address(connection), key="key-us")
    river.send(connection, 5)
    river.wait_confirmed(connection, 5)
    assert river.verdict(connection).state is State.HEALTHY


def test_what_comes_back_late_of_an_earlier_key_proves_nothing_of_this_one(river: Stage) -> None:
    connection = river.connect("key-late", posting=river.eu)
    ids = river.send(connection, 5)
    river.store.connections.set_write_key(connection, Secret("key-other"), by="test")
    assert river.store.confirmations.confirm(connection.id, ids, time.time()).new == 5
    assert river.evidence(connection).first_confirmed_at is None


def test_of_two_probers_one_sends(river: Stage) -> None:
    connection = river.connect("key-twice", posting=river.eu)
    river.send(connection, 3)
    event = river.store.probes.candidate(connection.id, SEGMENT_LANE, time.time() + LATER)
    assert event
    begun = [river.store.probes.begin(connection, SEGMENT_LANE, event, river.eu.url, time.time()) for _ in range(2)]
    assert begun == [True, False]
    assert [row.action for row in river.store.audit.rows(connection.id, 100)].count("probe.sent") == 1


def test_what_was_delivered_before_there_was_an_address_is_no_evidence(river: Stage) -> None:
    connection = river.connect("key-us")
    for token in river.store.tokens.all(connection.id):
        if token.use == "readback":
            river.store.tokens.expire(connection, token.id, grace_seconds=0, by="test")
    river.us.readback("http://127.0.0.1:9/nowhere", key="key-us")
    river.send(connection, 100)
    assert river.verdict(connection).state is State.NOT_SET_UP
    river.address(connection)
    assert (river.verdict(connection).state, river.evidence(connection).sent) == (State.WAITING, ())


def dropped(twin: Twin, key: str) -> list[str]:
    """List why calls of a key were dropped."""
    return [str(call["reason"]) for call in twin.messages(status="dropped", key=key)]
