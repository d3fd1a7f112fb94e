"""Columns of chunks: small ones as they are, larger ones compressed, all read back as they were."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from candu_source.store.chunks import pack_bytes, unpack_bytes


@given(st.lists(st.binary(max_size=3_000), max_size=20))
def test_what_was_packed_comes_back(items: list[bytes]) -> None:
    assert unpack_bytes(pack_bytes(items)) == items


def test_events_that_resemble_each_other_take_less_than_an_eighth() -> None:
    calls = ({"userId": f"user-{number * 7919 % 10_007}", "event": "tutorial.interaction", "at": number} for number in range(500))
    events = [json.dumps(call).encode() for call in calls]
    assert len(pack_bytes(events)) < sum(map(len, events)) / 8


def test_a_single_event_stays_as_it_is() -> None:
    event = b'{"event":"tutorial.interaction"}'
    assert event in pack_bytes([event])
