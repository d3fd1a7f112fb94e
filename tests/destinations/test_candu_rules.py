"""The rules R0 to R9 of another product's Candu destination, with data of our own; where ours differs, docs/streaming.md says why."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.deliveries import Outcome
from candu_source.destinations.candu import CanduCall, bodies, call, request
from candu_source.destinations.candu_api import ADDRESS, Dialect
from candu_source.destinations.candu_values import Notice, Rule
from candu_source.errors import Reason, UsageError
from candu_source.model import Secret

CONTEXT = {"source": "candu-source"}


def made(**message: Any) -> CanduCall:
    """Return the call that a message becomes."""
    found = call(message)
    assert isinstance(found, CanduCall), found
    return found


def refused(**message: Any) -> Outcome:
    """Return why a message becomes none."""
    found = call(message)
    assert isinstance(found, Outcome), found
    return found


def test_r0_traits_come_up_from_the_context_and_no_time_is_made_up() -> None:
    found = made(
        type="identify",
        userId="lena",
        anonymousId="anon-lena",
        messageId="m-0",
        originalTimestamp="2024-05-06T07:08:09.100Z",
        sentAt="2024-05-06T07:08:10.200Z",
        context={"traits": {"plan": "starter", "seats": 3}, "ip": "192.0.2.1"},
    )
    assert found.body == {
        "type": "identify",
        "userId": "lena",
        "traits": {"plan": "starter", "seats": 3},
        "messageId": "m-0",
        "anonymousId": "anon-lena",
        "context": CONTEXT,
    }
    assert found.notices == ()


def test_r1_empty_properties_stay_and_traits_do_not_go_with_a_track() -> None:
    found = made(type="track", userId="lena", event="Opened board", properties={}, traits={"plan": "starter"})
    assert found.body == {"type": "track", "userId": "lena", "event": "Opened board", "properties": {}, "context": CONTEXT}
    assert found.notices == (Notice("traits", Rule.NOT_DOCUMENTED),)


@pytest.mark.parametrize("event", [None, "", [], {}, True])
def test_r2_a_track_needs_an_event(event: Any) -> None:
    assert refused(type="track", userId="lena", event=event, properties={}) == Outcome(
        Reason.DISCARDED, detail="a call of type track needs event, as text"
    )


@pytest.mark.parametrize("kind", ["page", "screen", "alias", "Identify"])
def test_r3_other_calls_are_passed_over(kind: str) -> None:
    assert refused(type=kind, userId="lena", name="Board") == Outcome(
        Reason.UNSUPPORTED_CALL, detail=f"Candu takes identify, track, group, not {kind}"
    )


@pytest.mark.parametrize("key", ["", " ", "two words", "line\nend", "schlüssel"])
@pytest.mark.parametrize("dialect", Dialect)
def test_r4_without_a_key_there_is_no_request(key: str, dialect: Dialect) -> None:
    with pytest.raises(UsageError, match="the API key is one word"):
        request("{}", base=ADDRESS, key=Secret(key), dialect=dialect)


@pytest.mark.parametrize("kind", [{}, {"type": None}, {"type": ""}, {"type": ["track"]}, {"type": 7}])
def test_r5_a_message_needs_a_type(kind: dict[str, Any]) -> None:
    assert refused(userId="lena", event="Opened board", **kind) == Outcome(Reason.DISCARDED, detail="the message has no type")


def test_r6_an_id_among_the_traits_is_written_as_text_and_stays_a_number_there() -> None:
    found = made(type="identify", anonymousId="anon-lena", context={"traits": {"userId": 90125, "plan": "team"}})
    assert found.body["userId"] == "90125"
    assert found.body["traits"] == {"userId": 90125, "plan": "team"}
    assert found.body["anonymousId"] == "anon-lena"


def test_r7_a_list_in_place_of_properties_becomes_an_empty_map_and_is_told() -> None:
    found = made(type="track", userId="lena", event="Opened board", properties=["a", "b"])
    assert found.body["properties"] == {}
    assert found.notices == (Notice("properties", Rule.NO_OBJECT),)


@pytest.mark.parametrize(
    ("kind", "more"), [("track", {"event": "Opened board", "properties": []}), ("identify", {"traits": {"plan": "x"}})]
)
def test_r8_an_anonymous_id_does_not_stand_in_for_the_users(kind: str, more: dict[str, Any]) -> None:
    found = refused(type=kind, userId="", anonymousId="anon-lena", **more)
    assert found.code is Reason.DISCARDED
    assert found.detail == f"a call of type {kind} needs userId, for which anonymousId does not stand in"


def test_r9_times_are_in_utc_and_nested_traits_have_dotted_names() -> None:
    found = made(
        type="identify",
        userId="lena",
        timestamp="2024-02-29T23:30:15.987+05:30",
        traits={"home": {"city": "Pune", "geo": {"lat": 18.5}}},
        context={"device": {"type": "ios"}},
    )
    assert found.body["timestamp"] == "2024-02-29T18:00:15Z"
    assert found.body["traits"] == {"home.city": "Pune", "home.geo.lat": 18.5}
    assert found.notices == (Notice("traits.home", Rule.FLATTENED), Notice("traits.home.geo", Rule.FLATTENED))
    assert [count for count, _ in bodies([found, found], arrays=False, most_bytes=10_000)] == [1, 1]
