"""Change well-formed items a little, as careless and hostile senders do: strategies for the property tests."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.doors.items import call, interaction, payload

SAMPLES = [json.loads(path.read_bytes()) for path in sorted((Path(__file__).parents[2] / "samples").glob("*/*.json"))]
WEBHOOK_ITEMS = [payload(), payload(id="a", anonymousId=None), *(each for each in SAMPLES if "payload" in each)]
CALLS = [
    call(),
    interaction(messageId="m", timestamp="2024-05-06T07:08:09Z"),
    *(each for each in SAMPLES if "type" in each and each["type"].startswith("tutorial.")),
]
REST_TYPES = ("identify", "track", "group")
REST_CALLS = [each for each in SAMPLES if "type" in each and each["type"] in REST_TYPES]
AMPLITUDE_ITEMS = [each for each in SAMPLES if "event_type" in each or "user_properties" in each]

_NAMES = [
    *("payload", "batch", "type", "userId", "anonymousId", "properties", "messageId", "id", "timestamp", "context", "eventName"),
    *("screenName", "tutorialId", "documentId", "segmentId", "portalId", "versionId", "contentId", "slug", "receivedAt", "sentAt", "text"),
    *("userID", "groupId", "event", "traits"),
    *("event_type", "user_id", "device_id", "uuid", "$insert_id", "event_properties", "user_properties", "$set", "$setOnce", "$add"),
    *("page", "integration", "sdk", "library", "", ".", "\0", "\ud800", "é", "__proto__"),
]
_TEXTS = [
    *("", " ", "12", "012", "+12", "-3", "1e3", "12.0", "１２", "Everyone", "tutorial.view", "tutorial.interaction", "candu.sdk.content"),
    *("candu.sdk.new", "Custom", "\0", "a\ud800", "\ude00", "é" * 64, "x" * 64, "x" * 65, "x" * 255, "x" * 256, "😀" * 255, "y" * 1001),
    *REST_TYPES,
    *("$identify", "_all", "_identify"),
    *("2024-05-06T07:08:09Z", "1999-01-01", "9999-12-31T23:59:59Z", "now", "9007199254740993"),
]
_NUMBERS = [0, -1, 12, 2**53, 2**53 + 1, -(2**53) - 1, 2**64, 10**400, 0.0, -0.0, 12.0, 12.5, 1e17, 1e308, float("nan"), float("inf")]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
)
names = st.sampled_from(_NAMES) | st.text(st.characters(), max_size=5)
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=8)
values = scalars | st.sampled_from([[], {}, [[]], {"a": {}}, {"name": "candu"}, [1, "a"]]) | json_values


_texts = st.sampled_from(["u", "Everyone", "x" * 255, "é" * 255, "😀" * 255]) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1
)
_wholes = st.sampled_from([7, -7, 0, 2**53, -(2**53)]) | st.integers(-(2**53), 2**53)
_extras = ("contentId", "placementId", "nodeId", "nodeType", "slug", "trigger", "category")
good_calls = st.fixed_dictionaries(
    {
        "type": st.just("tutorial.view"),
        "userId": _texts,
        "properties": st.fixed_dictionaries(
            {"tutorialId": _wholes, "segmentId": _texts, "portalId": _wholes, "versionId": _texts},
            optional=dict.fromkeys(_extras, _texts),
        ),
    },
    optional={
        "anonymousId": _texts | st.sampled_from([None, ""]),
        "messageId": st.sampled_from(["m", "é" * 64, "x" * 64]),
        "timestamp": _texts,
        "context": st.dictionaries(_texts, st.booleans() | st.integers(0, 9) | _texts, max_size=3),
    },
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) of a JSON value."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


@st.composite
def mutated(draw: st.DrawFn, originals: st.SearchStrategy[Any], most: int = 3) -> Any:
    """Draw an original with up to so many of its fields replaced, dropped, added or renamed."""
    holder = [copy.deepcopy(draw(originals))]
    for _ in range(draw(st.integers(0, most))):
        found = list(places(holder))
        container, key = found[draw(st.integers(0, len(found) - 1))]
        match draw(st.sampled_from(["replace", "replace", "add", "drop", "rename"])):
            case "drop" if container is not holder:
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(names)] = copy.deepcopy(draw(values))
            case "rename" if isinstance(container, dict):
                container[draw(names)] = container.pop(key)
            case _:
                container[key] = copy.deepcopy(draw(values))
    return holder[0]


@st.composite
def cut_up(draw: st.DrawFn, originals: st.SearchStrategy[bytes]) -> bytes:
    """Draw an original with a few bytes put in, taken out or doubled."""
    body = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.integers(0, 8))
        piece = draw(
            st.sampled_from([b"", b"\xff", b"\0", b'"', b"\\", b"[", b"}", b",", b"\\ud800", b"1e999", b"NaN"]) | st.binary(max_size=4)
        )
        body[start:end] = piece + (bytes(body[start:end]) * draw(st.integers(0, 2)))
    return bytes(body)


def encoded(value: Any) -> bytes:
    """Encode as the most careless sender: NaN, lone surrogates and all."""
    return json.dumps(value).encode()


items = mutated(st.sampled_from([*WEBHOOK_ITEMS, *CALLS, *REST_CALLS, *AMPLITUDE_ITEMS]))
cut_bodies = cut_up(st.sampled_from([encoded(sample) for sample in SAMPLES]))
bodies = st.one_of(
    items.map(encoded),
    st.lists(items, max_size=3).map(encoded),
    st.lists(items, max_size=3).map(lambda each: encoded({"batch": each})),
    mutated(st.sampled_from(SAMPLES), most=5).map(encoded),
    cut_bodies,
)


def fuzz(examples: int) -> settings:
    """Try so many, and print how to do the failing one again; that bodies are large and slow to make is the point."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, print_blob=True, suppress_health_check=health)


def refuse_constant(word: str) -> None:
    """Refuse NaN and infinities, which Python reads as JSON: for json.loads."""
    raise AssertionError(f"{word} is not JSON")
