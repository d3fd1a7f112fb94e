"""Accepted by the REST door ⇔ stored by Segment, for identify, track and group."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import event, given, settings
from hypothesis import strategies as st

from candu_source.mapping import INTEGRATION, LIBRARY
from candu_source.twin import Twin
from tests.doors.sender import Web
from tests.doors.test_doors_twin import LIMIT, MISSING, WHEN, is_stored

people = st.sampled_from([MISSING, None, "", "u1", "é"])
# What names a track's event or a group.
names = st.sampled_from([MISSING, None, "", "Signed up", "イベント", "tutorial.view"])
values = st.dictionaries(
    st.sampled_from(["plan", "é", ""]), st.booleans() | st.integers(-9, 9) | st.text(max_size=3).filter(str.isprintable)
)
# Lengths of the sender's id: such as go on as they are, and such as Segment takes from nobody.
id_lengths = st.none() | st.integers(1, 64) | st.integers(100, 120)
# How far the message is from 32 KB as the official library writes it, and what fills it.
fillings = st.none() | st.tuples(st.integers(-3, 3), st.sampled_from("aé€😀"), st.integers(0, 1_000))
drafts = st.lists(
    st.tuples(st.sampled_from(["identify", "track", "group"]), people, people, names, values, id_lengths, fillings), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """Run one twin for all examples."""
    with Twin() as running:
        yield running


def segment_call(kind: str, user_id: object, anonymous_id: object, name: object, given: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Write a call as the official library would, and also what it would not let pass."""
    words: dict[str, Any] = {"properties" if kind == "track" else "traits": given}
    if kind != "identify":
        words["event" if kind == "track" else "groupId"] = name
    call = {
        **words,
        "type": kind,
        "userId": user_id,
        "anonymousId": anonymous_id,
        "messageId": message_id,
        "timestamp": WHEN.replace("Z", "+00:00"),
        "integrations": {"Candu": False},
        "context": {"integration": dict(INTEGRATION), "library": dict(LIBRARY)},
    }
    return {word: value for word, value in call.items() if value is not MISSING}


def fill(call: dict[str, Any], filling: tuple[int, str, int] | None) -> None:
    """Put text into a call that brings it to 32 KB and so many bytes, as the library measures it: nobody is null there."""
    if filling is None:
        return
    more, character, times = filling
    measured = {**call, "userId": call.get("userId") or None, "anonymousId": call.get("anonymousId") or None}
    inside = call["properties"] if call["type"] == "track" else call["traits"]
    measured["properties" if call["type"] == "track" else "traits"] = {**inside, "fill": ""}
    room = LIMIT + more - len(json.dumps(measured))
    width = len(json.dumps(character)) - 2
    times = min(times, room // width)
    inside["fill"] = character * times + "x" * (room - times * width)


def item_of(call: dict[str, Any], own_id: str | None, *, other_spelling: bool) -> dict[str, Any]:
    """Say the same to the door."""
    item = {word: value for word, value in call.items() if word not in ("integrations", "context", "messageId")} | {"timestamp": WHEN}
    if other_spelling and "userId" in item:
        item["userID"] = item.pop("userId")
    return item | ({} if own_id is None else {"messageId": own_id})


@settings(max_examples=250, deadline=None, print_blob=True)
@given(drafts, st.booleans())
def test_the_rest_door_accepts_what_segment_stores(web: Web, twin: Twin, drafted: list[tuple[Any, ...]], other_spelling: bool) -> None:
    """Write each call twice: as Segment takes it, and as an item for the door.

    The edges of "⇔": an identify or track without a userId is refused for Candu's own rule, even where Segment would
    take its anonymousId, so those are given none; values are of the types that Candu's API has; ids and names keep
    within our lengths; an id has 1 to 64 characters or so many that Segment would refuse it.
    """
    sender = web.sender()
    twin.clear()
    said, stored = [], []
    for place, (kind, user_id, anonymous_id, name, given_values, length, filling) in enumerate(drafted):
        own_id = None if length is None else str(place) + "x" * (length - 1)
        somebody = MISSING if kind != "group" and not (user_id is not MISSING and user_id) else anonymous_id
        full_id = f"candu:{sender.connection.id}:{own_id or uuid.uuid4()}"
        call = segment_call(kind, user_id, somebody, name, dict(given_values), full_id)
        fill(call, filling)
        said.append(item_of(call, own_id, other_spelling=other_spelling))
        if filling is not None:  # the message writes nobody as null, which decides the size
            call |= {word: call.get(word) or None for word in ("userId", "anonymousId")}
        stored.append(is_stored(twin, call))
    answer = sender.send("rest", said)
    refused = {each["index"] for each in (answer.json or {}).get("rejected", [])}
    event(f"{sum(stored)} of {len(stored)} stored")
    assert [place not in refused for place in range(len(said))] == stored
    assert answer.status_code == (200 if all(stored) else 202 if any(stored) else 422)
    twin.clear()
    requests.post(f"{twin.url}/v1/batch", data=json.dumps({"batch": sender.messages()}), auth=("k", ""), timeout=30)
    assert len(twin.ids()) == sum(stored)
