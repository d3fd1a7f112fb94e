"""Accepted by a door ⇔ stored by Segment: what Segment would drop in silence is refused aloud, and nothing else is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import event, given, settings
from hypothesis import strategies as st
from segment.analytics.client import Client

from candu_source.mapping import INTEGRATION
from candu_source.model import Rules
from candu_source.twin import Twin
from tests.doors.items import VERSION
from tests.doors.sender import Sender, Web, rejected

LIMIT = 32 * 1024
WHEN = "2020-01-02T03:04:05.678Z"
MISSING = object()
LIBRARY = Client("k", send=False, sync_mode=True)

people = st.sampled_from([MISSING, None, "", "u1", "é"])
names = st.sampled_from([MISSING, None, "", "Signed up", "イベント"])
# Lengths of the sender's id; with "candu:<connection>:" before it, Segment's limit lies between the two ranges.
id_lengths = st.none() | st.integers(1, 64) | st.integers(83, 120)
# How far the message is from 32 KB as the official library writes it, and what fills it.
fillings = st.none() | st.tuples(st.integers(-3, 3), st.sampled_from("aé€😀"), st.integers(0, 1_000), st.booleans())
kinds = st.sampled_from(["view", "interaction", "custom"])
drafts = st.lists(st.tuples(kinds, people, people, names, id_lengths, fillings), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """Run one twin for all examples."""
    with Twin() as running:
        yield running


def segment_call(kind: str, name: object, message_id: str) -> dict[str, Any]:
    """Build a call as the official library does, for somebody and by some name where it insists on them."""
    properties: dict[str, Any] = {"tutorialId": 7, "segmentId": "s", "portalId": 3, "versionId": VERSION}
    given: dict[str, Any] = {"context": {"integration": dict(INTEGRATION)}, "integrations": {"Candu": False}, "message_id": message_id}
    if kind == "view":
        _, made = LIBRARY.screen("u", name="tutorial.view", properties=properties, **given)
    elif kind == "interaction":
        _, made = LIBRARY.track("u", "tutorial.interaction", properties | {"eventName": "Skip"}, **given)
    else:
        _, made = LIBRARY.track("u", "name", {"plan": "team"}, **given)
        made["event"] = None if name is MISSING else name
    call: dict[str, Any] = made
    return call | {"timestamp": WHEN.replace("Z", "+00:00")}


def filled(call: dict[str, Any], filling: tuple[int, str, int, bool] | None) -> dict[str, Any]:
    """Put a page into the context that brings the call to 32 KB and so many bytes."""
    if filling is None:
        return call
    more, character, times, nested = filling
    page = {"url": {"parts": ["", {"é": 1.5}]}} if nested else {}
    call["context"]["page"] = {"title": "", **page}
    room = LIMIT + more - len(json.dumps(call))
    width = len(json.dumps(character)) - 2
    times = min(times, room // width)
    call["context"]["page"]["title"] = character * times + "x" * (room - times * width)
    return call


def item_of(call: dict[str, Any], kind: str, own_id: str | None, **who: object) -> tuple[str, dict[str, Any]]:
    """Say the same to a door; return which one, and the item."""
    context = {"page": call["context"]["page"]} if "page" in call["context"] else {}
    common = {"context": context, "properties": call["properties"]} | {name: value for name, value in who.items() if value is not MISSING}
    if kind == "custom":
        return "webhook", {"payload": common | {"receivedAt": WHEN} | ({} if own_id is None else {"id": own_id})}
    item_type = "tutorial.view" if kind == "view" else "tutorial.interaction"
    return "interactions", common | {"type": item_type, "timestamp": WHEN} | ({} if own_id is None else {"messageId": own_id})


def is_stored(twin: Twin, call: dict[str, Any]) -> bool:
    """Post a call to Segment as the official library does and look whether it is there."""
    before = len(twin.ids())
    requests.post(f"{twin.url}/v1/batch", data=json.dumps({"batch": [call]}), auth=("k", ""), timeout=30)
    return len(twin.ids()) > before


def accepted(sender: Sender, said: list[tuple[str, dict[str, Any]]]) -> list[bool]:
    """Send all items of each door in one request; return whether each was accepted."""
    taken = [True] * len(said)
    for door in ("webhook", "interactions"):
        places = [place for place, (its_door, _) in enumerate(said) if its_door == door]
        if places:
            for index in rejected(sender.send(door, [said[place][1] for place in places])):
                taken[places[index]] = False
    return taken


@settings(max_examples=250, deadline=None, print_blob=True)
@given(drafts)
def test_a_door_accepts_what_segment_stores(web: Web, twin: Twin, drafted: list[tuple[Any, ...]]) -> None:
    """Build each call twice: as the official library would for Segment, and as an item for a door.

    Generated: who (both ids missing, null, empty or there), a custom event's name likewise, the length of the message
    id, the size around 32 KB, several items a request. The edges of "⇔": types are the seed's, or the door would
    refuse for a rule of its own; ids of people and names of events stay within our 255 and 1 000 characters; a
    sender's id has 1 to 64 characters or so many that Segment would refuse it (83 and more behind our prefix: from 65
    the door refuses, leaving room); ids differ, since a duplicate is accepted as such; what is filtered is not meant
    for Segment; a request holds less than Segment's 2 500 a batch, because delivery cuts batches anew.
    """
    sender = web.sender(Rules(custom_events="send"))
    twin.clear()
    said, stored = [], []
    for place, (kind, user_id, anonymous_id, name, length, filling) in enumerate(drafted):
        own_id = None if length is None else str(place) + "x" * (length - 1)
        call = segment_call(kind, name, f"candu:{sender.connection.id}:{own_id or uuid.uuid4()}")
        who = {"userId": user_id, "anonymousId": anonymous_id} | ({"eventName": name} if kind == "custom" else {})
        call |= {field: None if who[field] is MISSING else who[field] for field in ("userId", "anonymousId")}
        if filling is not None:  # the door writes nobody as null, which decides the size
            call |= {field: call[field] or None for field in ("userId", "anonymousId")}
        call = filled(call, filling)
        said.append(item_of(call, kind, own_id, **who))
        stored.append(is_stored(twin, call))
    event(f"{sum(stored)} of {len(stored)} stored")
    assert accepted(sender, said) == stored
    twin.clear()
    requests.post(f"{twin.url}/v1/batch", data=json.dumps({"batch": sender.messages()}), auth=("k", ""), timeout=30)
    assert len(twin.ids()) == sum(stored)
