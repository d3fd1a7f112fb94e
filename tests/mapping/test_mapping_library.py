"""Every message is the one that Segment's official library builds, to the last null."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from segment.analytics.client import Client

from candu_source import intake
from candu_source.mapping import CLASSIFICATION, to_message
from candu_source.model import Call, Connection, Heard, Kind, PortalRule, Rules
from tests.mapping.heard import CONNECTION, NOW, heard

LIBRARY = Client("k", send=False, sync_mode=True)
EXTRAS = ("contentId", "placementId", "nodeId", "nodeType", "slug", "trigger", "category")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
wholes = st.integers(-(2**53), 2**53)
scalars = st.none() | st.booleans() | wholes | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5)
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2015, 1, 3), datetime(2024, 5, 5), timezones=offsets)  # noqa: DTZ001 - given as bounds
candu_properties = st.fixed_dictionaries(
    {"documentId": wholes},
    optional={"tutorialId": wholes, "portalId": wholes, "segmentId": texts, "versionId": texts, "eventName": texts}
    | dict.fromkeys(EXTRAS, values),
)
contexts = st.dictionaries(st.sampled_from(["page", "screen", "userAgent", "locale", "timezone", "sdk", "library", "other"]), values)
people = st.tuples(st.none() | texts, texts) | st.tuples(texts, st.none() | texts)
rules = st.builds(
    Rules,
    extra_properties=st.booleans(),
    integrations=st.dictionaries(texts, st.booleans(), max_size=2),
    portal=st.builds(PortalRule, st.sampled_from(["omit", "constant", "lookup"]), wholes, st.dictionaries(texts, wholes, max_size=2)),
    custom_events=st.just("send"),
)


@st.composite
def items(draw: st.DrawFn) -> tuple[Heard, datetime]:
    """Draw an item that becomes a message, and when it happened."""
    user_id, anonymous_id = draw(people)
    at = draw(moments | st.none())
    custom = texts.filter(lambda text: not text.startswith("candu.sdk.") and text not in CLASSIFICATION)
    name = draw(st.sampled_from(["candu.sdk.content", "candu.sdk.content.interaction", "tutorial.view", "tutorial.interaction"]) | custom)
    properties = draw(candu_properties if name in CLASSIFICATION else st.dictionaries(texts, values, max_size=4))
    item = heard(
        name,
        user_id=user_id,
        anonymous_id=anonymous_id,
        properties=properties,
        context=draw(contexts),
        id=draw(st.none() | st.text(min_size=1, max_size=64)),
        occurred_at=at and at.isoformat(),
    )
    return item, at or NOW


def library_message(item: Heard, at: datetime, kind: Kind | None, ours: dict[str, Any]) -> dict[str, Any]:
    """Build the message by the library, from what was heard; properties and context as the mapping put them."""
    given: dict[str, Any] = {
        "user_id": item.user_id,
        "anonymous_id": item.anonymous_id,
        "properties": json.loads(json.dumps(ours["properties"])),
        "context": {name: value for name, value in ours["context"].items() if name != "library"},
        "timestamp": at,
        "integrations": dict(ours["integrations"]),
        "message_id": ours["messageId"] if item.id is None else f"candu:{CONNECTION}:{item.id}",
    }
    if kind is Kind.VIEW:
        _, made = LIBRARY.screen(name="tutorial.view", **given)
    else:
        _, made = LIBRARY.track(event="tutorial.interaction" if kind else item.name, **given)
    message: dict[str, Any] = made
    return message


@st.composite
def calls(draw: st.DrawFn) -> tuple[Call, datetime]:
    """Draw an identify, track or group call, and when it happened."""
    kind: Literal["identify", "track", "group"] = draw(st.sampled_from(["identify", "track", "group"]))
    user_id, anonymous_id = draw(people)
    at = draw(moments | st.none())
    given = draw(st.dictionaries(texts, st.booleans() | wholes | st.floats(allow_nan=False, allow_infinity=False) | texts, max_size=4))
    named = draw(texts | st.sampled_from(["tutorial.view", "candu.sdk.content"]))
    bodies: dict[str, dict[str, Any]] = {
        "identify": {"traits": given},
        "track": {"event": named, "properties": given},
        "group": {"groupId": named, "traits": given},
    }
    call = Call(
        index=0,
        raw=b"{}",
        type=kind,
        name=named if kind == "track" else kind,
        user_id=user_id,
        anonymous_id=anonymous_id,
        body=bodies[kind],
        context=draw(contexts),
        id=draw(st.none() | st.text(min_size=1, max_size=64)),
        occurred_at=at.isoformat() if at else None,
    )
    return call, at or NOW


def library_call(call: Call, at: datetime, ours: dict[str, Any], integrations: dict[str, bool]) -> dict[str, Any]:
    """Build the call by the library, from what was heard; context as the mapping put it."""
    words = {"groupId": "group_id"}
    _, made = getattr(LIBRARY, call.type)(
        **{words.get(name, name): json.loads(json.dumps(value)) for name, value in call.body.items()},
        user_id=call.user_id,
        anonymous_id=call.anonymous_id,
        context={name: value for name, value in ours["context"].items() if name != "library"},
        timestamp=at,
        integrations=integrations,
        message_id=ours["messageId"] if call.id is None else f"candu:{CONNECTION}:{call.id}",
    )
    message: dict[str, Any] = made
    return message


@settings(max_examples=600, deadline=None, print_blob=True)
@given(calls(), rules)
def test_a_call_is_the_librarys(drawn: tuple[Call, datetime], given_rules: Rules) -> None:
    call, at = drawn
    ours = to_message(call, given_rules, CONNECTION, NOW)
    assert isinstance(ours, dict)
    theirs = library_call(call, at, ours, dict(given_rules.integrations))
    assert ours == theirs
    assert json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)


@settings(max_examples=600, deadline=None, print_blob=True)
@given(items(), rules)
def test_a_message_is_the_librarys(drawn: tuple[Heard, datetime], given_rules: Rules) -> None:
    item, at = drawn
    ours = to_message(item, given_rules, CONNECTION, NOW)
    assert isinstance(ours, dict)
    theirs = library_message(item, at, CLASSIFICATION.get(item.name), ours)
    assert ours == theirs
    assert json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)  # 1, 1.0 and True are equal to Python only


@settings(max_examples=200, deadline=None, print_blob=True)
@given(items() | calls(), rules)
def test_what_is_stored_is_that_message(drawn: tuple[Heard | Call, datetime], given_rules: Rules) -> None:
    """The bytes are compact UTF-8; read back, they are the same values of the same types."""
    item, _ = drawn
    connection = Connection(CONNECTION, "c", rules=given_rules)
    [event] = intake.admit(connection, "webhook", [item], NOW).events
    message = to_message(item, given_rules, CONNECTION, NOW)
    assert isinstance(message, dict)
    assert json.loads(event.message) == message | {"messageId": event.message_id}
    assert event.raw == item.raw
