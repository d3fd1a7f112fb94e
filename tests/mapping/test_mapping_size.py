"""32 KB a message: intake refuses exactly what the official library would raise RuntimeError for."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment.analytics.client import Client

from candu_source import intake
from candu_source.errors import Reason
from candu_source.intake import too_large
from candu_source.model import Connection, Rules
from tests.mapping.heard import CONNECTION, NOW, heard, message_of

LIMIT = 32 * 1024
LIBRARY = Client("k", send=False, sync_mode=True)
SENDING = Connection(CONNECTION, "c", rules=Rules(custom_events="send"))

# What fills a message: each is measured by the library as `json.dumps` writes it, with blanks and \u escapes.
FILLINGS = ["a", "é", "€", "😀", "\n", "\x1f", "\x7f", '"', "\\", "\u2028", "/"]
ITEMS: list[Any] = [
    0,
    -1,
    1.5,
    1e15,
    1e16,
    1e22,
    1e-5,
    1e-7,
    5e-324,
    -0.0,
    2**53,
    True,
    None,
    "",
    "é",
    "\x7f",
    [],
    {},
    [[0]],
    {"é": {"": 1e16}},
]


def refused_by_library(message: dict[str, Any]) -> bool:
    """Give a custom event to the library with all it says, and tell whether it raises for size."""
    try:
        LIBRARY.track(
            message["userId"],
            message["event"],
            message["properties"],
            dict(message["context"]),
            datetime.fromisoformat(message["timestamp"]),
            message["anonymousId"],
            message["integrations"],
            message["messageId"],
        )
    except RuntimeError:
        return True
    return False


def assert_same_verdict(properties: dict[str, Any], context: dict[str, Any] | None = None) -> bool:
    """Admit a custom event with these properties; return whether it was too large, for intake and library alike."""
    item = heard("Custom", id="x", properties=properties, context=context or {})
    refused = refused_by_library(message_of(item, SENDING.rules))
    admission = intake.admit(SENDING, "webhook", [item, heard("Custom", id="good")], NOW)
    assert [reject.code for reject in admission.rejects] == [Reason.MESSAGE_TOO_LARGE] * refused
    assert [event.message_id[-1] for event in admission.events] == (["d"] if refused else ["x", "d"])
    return refused


def padded(properties: dict[str, Any], more: int) -> dict[str, Any]:
    """Fill up with ASCII until the message measures 32 KB and so many bytes."""
    bare = len(json.dumps(message_of(heard("Custom", id="x", properties=properties | {"pad": ""}), SENDING.rules)))
    return properties | {"pad": "x" * (LIMIT + more - bare)}


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize(("more", "refused"), [(-1, False), (0, False), (1, True), (2, True)])
def test_text_at_the_boundary(filling: str, more: int, refused: bool) -> None:
    width = len(json.dumps(filling)) - 2
    for times in (1, 100, (LIMIT - 1_000) // width):
        assert assert_same_verdict(padded({"text": filling * times}, more)) is refused


@pytest.mark.parametrize("value", ITEMS, ids=repr)
@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_nested_values_at_the_boundary(value: Any, more: int, refused: bool) -> None:
    width = len(json.dumps(value)) + 2
    for shape in (list, lambda values: {f"k{n}": each for n, each in enumerate(values)}):
        values = shape([value] * ((LIMIT - 2_000) // (width + 10)))
        assert assert_same_verdict(padded({"deep": {"er": values}}, more)) is refused


@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_the_context_counts_too(more: int, refused: bool) -> None:
    context = {"page": {"title": "é" * 2_000}}
    bare = len(json.dumps(message_of(heard("Custom", id="x", properties={"pad": ""}, context=context), SENDING.rules)))
    assert assert_same_verdict({"pad": "x" * (LIMIT + more - bare)}, context) is refused


values = st.recursive(
    st.sampled_from(ITEMS) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(values, st.integers(1, 3_000), st.integers(-2, 2))
def test_any_value_at_the_boundary(value: Any, times: int, more: int) -> None:
    times = min(times, (LIMIT - 1_000) // (len(json.dumps(value)) + 2))
    assert assert_same_verdict(padded({"values": [value] * times}, more)) is (more > 0)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(values, st.integers(1, 20_000))
def test_the_cheap_verdict_is_never_wrong(value: Any, times: int) -> None:
    """What is certainly small is not measured again: a byte of ours is never more than six of the library's."""
    message = {"values": [value] * min(times, 200_000 // (len(json.dumps(value)) + 2))}
    encoded = len(msgspec.json.encode(message))
    assert too_large(message, encoded) is (len(json.dumps(message)) > LIMIT)
