"""Times as Segment reads, corrects and writes them: tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from candu_source.twin.rules import Call
from candu_source.twin.times import corrected_timestamp, original_timestamp, read_time, show_time


@pytest.mark.parametrize(
    ("sent_at", "original", "expected"),
    [
        # receivedAt is 12:00:00; the sender's clock is wrong by sentAt - receivedAt.
        ("2024-05-01T12:00:00.000Z", "2024-05-01T11:59:50.000Z", "2024-05-01T11:59:50.000Z"),
        ("2024-05-01T13:00:00.000Z", "2024-05-01T12:59:50.000Z", "2024-05-01T11:59:50.000Z"),
        ("2024-05-01T11:00:00.000Z", "2024-05-01T11:00:00.000Z", "2024-05-01T12:00:00.000Z"),
        ("2024-05-01T14:00:00+02:00", "2024-05-01T11:59:00Z", "2024-05-01T11:59:00.000Z"),
        ("2024-05-01T12:00:00.123456+00:00", "2024-05-01T12:00:00.123456", "2024-05-01T12:00:00.000Z"),
        (None, "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000Z"),
        ("yesterday", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000Z"),
        ("2024-05-01T13:00:00.000Z", None, "2024-05-01T12:00:00.000Z"),
        ("2024-05-01T13:00:00.000Z", "yesterday", "2024-05-01T12:00:00.000Z"),
        ("9999-12-31T00:00:00Z", "0001-01-02T00:00:00Z", "2024-05-01T12:00:00.000Z"),
        ("2024-05-01T12:00:00Z", "0001-01-01T00:00:00+14:00", "2024-05-01T12:00:00.000Z"),
    ],
)
def test_the_timestamp_is_corrected(sent_at: str | None, original: str | None, expected: str) -> None:
    received_at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert show_time(corrected_timestamp(received_at, sent_at, original)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"timestamp": "T", "originalTimestamp": "O"}, "T"),
        ({"originalTimestamp": "O"}, "O"),
        ({"timestamp": ""}, None),
        ({"timestamp": 1714564800}, None),
        ({}, None),
    ],
)
def test_the_original_timestamp_is_what_the_caller_gave(fields: dict[str, Any], expected: str | None) -> None:
    assert original_timestamp(msgspec.convert(fields, Call)) == expected


@pytest.mark.parametrize("value", [None, "", "noon", "2024-13-01T00:00:00Z"])
def test_what_is_not_a_time_is_no_time(value: str | None) -> None:
    assert read_time(value) is None
