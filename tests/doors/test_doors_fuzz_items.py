"""Whatever is heard: items and rejects, never an error, and nothing for the log that is not clean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from segment.analytics.consumer import MAX_MSG_SIZE

from candu_source import intake
from candu_source.doors import DOORS
from candu_source.doors.gate import Hear
from candu_source.doors.items import find_faults
from candu_source.model import Connection, Input, Kind, PortalRule, Rules
from tests.doors.mutations import bodies, cut_bodies, encoded, fuzz, json_values, refuse_constant

NOW = datetime(2024, 5, 6, tzinfo=UTC)
RULES = Rules(classification={"candu.sdk.new": Kind.INTERACTION}, custom_events="send", portal=PortalRule("lookup", table={"c-1": 1}))


def assert_heard(hear: Hear, body: bytes) -> None:
    """Hear a body and admit it: what becomes an event is clean, whole JSON that the official library would send."""
    heard: Sequence[Input] = hear(body, Connection("c", "c", rules=RULES))
    assert [item.index for item in heard] == list(range(len(heard)))
    assert all(item.raw in body for item in heard)
    admission = intake.admit(Connection("c0ffee", "c", rules=RULES), "webhook", heard, NOW)
    assert len(admission.events) + len(admission.filtered) + len(admission.rejects) == len(heard)
    for reject in admission.rejects:
        assert reject.errors
        json.dumps(reject.errors, ensure_ascii=False).encode()
    for event in admission.events:
        message = json.loads(event.message, parse_constant=refuse_constant)
        assert find_faults(message) == {}
        assert message["userId"] or message["anonymousId"]
        assert {"screen": message.get("name") == "tutorial.view", "track": message.get("event"), "group": message.get("groupId")}.get(
            message["type"], message["type"] == "identify"
        )
        assert len(event.message_id) < 100
        assert len(json.dumps(message)) <= MAX_MSG_SIZE


@pytest.mark.parametrize("door", DOORS)
@fuzz(1_600)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_heard(door: str, body: bytes) -> None:
    assert_heard(DOORS[door], body)


@pytest.mark.parametrize("door", DOORS)
@fuzz(640)
@given(json_values.map(encoded))
def test_arbitrary_json_is_heard(door: str, body: bytes) -> None:
    assert_heard(DOORS[door], body)


@pytest.mark.parametrize("door", DOORS)
@fuzz(800)
@given(bodies)
def test_spoilt_samples_are_heard(door: str, body: bytes) -> None:
    assert_heard(DOORS[door], body)


@pytest.mark.parametrize("door", DOORS)
@fuzz(800)
@given(cut_bodies)
def test_cut_up_samples_are_heard(door: str, body: bytes) -> None:
    assert_heard(DOORS[door], body)
