"""Every event and user has Amplitude's form, whichever door it came by."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from candu_source.errors import UsageError
from candu_source.integrations.inputs import amplitude_input, kind_of, read_input

_MESSAGE = {
    "anonymousId": "d1",
    "userId": "ann",
    "timestamp": "2026-11-02T21:07:01.795+01:00",
    "messageId": "candu:c1:1",
    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
}
_WHO = {
    "device_id": "d1",
    "user_id": "ann",
    "event_time": "2026-11-02 20:07:01.795000",
    "uuid": "candu:c1:1",
    "library": "analytics-python/2.4.0",
}


@pytest.mark.parametrize(
    ("call", "expected", "kind"),
    [
        (
            {"type": "track", "event": "tutorial.interaction", "properties": {"a": 1}},
            {"event_type": "tutorial.interaction", "event_properties": {"a": 1}},
            "events",
        ),
        (
            {"type": "screen", "name": "tutorial.view", "category": None, "properties": {}},
            {"event_type": "tutorial.view", "event_properties": {}},
            "events",
        ),
        ({"type": "identify", "traits": {"plan": "pro"}}, {"user_properties": {"plan": "pro"}}, "users"),
        (
            {"type": "group", "groupId": "g1", "traits": {"plan": "pro"}},
            {"event_type": "$groupidentify", "groups": {"group": ["g1"]}, "group_properties": {"group": {"g1": {"plan": "pro"}}}},
            None,
        ),
        ({"type": "alias", "previousId": "x"}, {"event_type": ""}, None),
    ],
)
def test_a_call_of_segments_has_the_form_of_amplitudes(call: dict[str, Any], expected: dict[str, Any], kind: str | None) -> None:
    made = amplitude_input(_MESSAGE | call)
    assert made == _WHO | expected
    assert kind_of(made) == kind


def test_what_is_not_known_is_left_out() -> None:
    message: dict[str, Any] = {"type": "track", "event": "x", "userId": None, "timestamp": "yesterday", "context": {"library": {}}}
    assert amplitude_input(message) == {"event_type": "x"}


def test_what_came_from_amplitude_is_read_as_it_came() -> None:
    raw = b'{"event_type": "x", "location_lat": 52.5200, "event_properties": {"n": 1e400}, "amplitude_id": 918273645546918273645546}'
    read = read_input("amplitude", b'{"type": "track", "event": "y"}', raw)
    assert read["location_lat"] == Decimal("52.5200")
    assert (read["event_properties"]["n"], read["amplitude_id"]) == (Decimal("1e400"), 918273645546918273645546)
    other = read_input("rest", json.dumps(_MESSAGE | {"type": "track", "event": "y", "properties": {"n": 0.1}}).encode(), raw)
    assert (other["event_type"], other["event_properties"]["n"]) == ("y", Decimal("0.1"))


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b'{"a": 1e99999999999999999999}', b'{"a":' * 5_000, b'{"a": "\xff"}'])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(UsageError, match="the event is no JSON object"):
        read_input("amplitude", b"{}", raw)


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"event_type": "x"}, "events"),
        ({"event_type": "$identify", "user_id": "ann"}, "users"),
        ({"user_properties": {}, "device_id": "d"}, "users"),
        ({"user_properties": {}}, None),
        ({"event_type": "$groupidentify", "user_id": "ann"}, None),
        ({"event_type": ""}, None),
        ({"event_type": ["x"]}, None),
    ],
)
def test_an_item_is_an_event_a_user_or_neither(item: dict[str, Any], kind: str | None) -> None:
    assert kind_of(item) == kind


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(["library", "name", "version"]), inner),
    max_leaves=8,
)
_words = some.sampled_from(["event", "name", "properties", "traits", "groupId", "userId", "timestamp", "context"])


@settings(max_examples=50)
@given(some.sampled_from(["track", "screen", "identify", "group", "page", None]) | _json, some.dictionaries(_words, _json))
def test_whatever_a_message_holds_it_has_a_form(call: Any, message: dict[str, Any]) -> None:
    assert kind_of(amplitude_input({"type": call, **message})) in ("events", "users", None)
