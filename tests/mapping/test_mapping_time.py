"""When it happened: the sender's time where it can be true, else our receipt, and then a note of what was replaced."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.doors import DOORS
from candu_source.mapping import EARLIEST, LATEST_AHEAD, occurred
from candu_source.model import Connection, Heard
from tests.doors.items import call, payload
from tests.mapping.heard import NOW, heard, message_of

RECEIPT = "2024-05-06T07:08:09.123+00:00"
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123+00:00"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000+00:00"),
        ("2024-05-06T07:08:09.999999Z", "2024-05-06T07:08:09.999+00:00"),
        ("2024-05-06T09:08:09+02:00", "2024-05-06T09:08:09.000+02:00"),
        ("2024-05-05T21:08:09-10:00", "2024-05-05T21:08:09.000-10:00"),
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09.000+00:00"),
        ("2024-05-06T07:08:09", "2024-05-06T07:08:09.000+00:00"),
        ("2024-05-06", "2024-05-06T00:00:00.000+00:00"),
        ("20240506T070809Z", "2024-05-06T07:08:09.000+00:00"),
        ("2015-01-01T00:00:00Z", "2015-01-01T00:00:00.000+00:00"),
        ("2015-01-01T01:00:00+01:00", "2015-01-01T01:00:00.000+01:00"),
        ("2024-05-07T07:08:09.123456Z", "2024-05-07T07:08:09.123+00:00"),
    ],
)
def test_a_time_that_can_be_true_is_kept(text: str, expected: str) -> None:
    message = message_of(heard(occurred_at=text))
    assert message["timestamp"] == expected
    assert "candu" not in message["context"]


@pytest.mark.parametrize(
    "text",
    [
        *("2014-12-31T23:59:59.999Z", "2015-01-01T00:59:59+01:00", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
        *("2024-05-07T07:08:09.123457Z", "2024-05-08", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999"),
        *("", " ", "now", "1715000000", "1715000000000", "07:08:09Z", "2024-02-30", "2024-05-06T25:00:00Z", "2024-05-06T07:08:09+99:00"),
        *("2024-05-06T07:08:09Zjunk", "Mon, 06 May 2024 07:08:09 GMT", "２０２４-05-06", "2024-05-06T07:08:09Z" * 100),
    ],
)
def test_an_absurd_time_is_replaced_and_noted(text: str) -> None:
    message = message_of(heard(occurred_at=text))
    assert message["timestamp"] == RECEIPT
    assert message["context"]["candu"] == {"replacedTimestamp": text}


def test_the_note_stands_beside_what_candu_said() -> None:
    message = message_of(heard(occurred_at="now", context={"sdk": {"name": "s"}}))
    assert message["context"]["candu"] == {"sdk": {"name": "s"}, "replacedTimestamp": "now"}


def test_no_time_at_all_is_our_receipt_without_a_note() -> None:
    message = message_of(heard(occurred_at=None))
    assert message["timestamp"] == RECEIPT
    assert "candu" not in message["context"]


@given(st.text() | st.datetimes(timezones=st.none() | offsets).map(datetime.isoformat))
def test_any_text_gives_a_time_that_can_be_true(text: str) -> None:
    at, replaced = occurred(text, NOW)
    assert at.tzinfo is not None
    assert EARLIEST <= at <= NOW + LATEST_AHEAD
    assert replaced in (None, text)
    assert replaced is None or at == NOW


@given(st.dictionaries(st.integers(0, 23), st.sampled_from("0123456789-:.,TWZ +２"), max_size=4))
def test_a_time_is_written_as_the_library_writes_it_however_it_came(changes: dict[int, str]) -> None:
    text = "".join(changes.get(place, character) for place, character in enumerate("2024-05-06T07:08:09.123Z"))
    at, _ = occurred(text, NOW)
    assert message_of(heard(occurred_at=text))["timestamp"] == at.isoformat(timespec="milliseconds")


@pytest.mark.parametrize("text", ["2023-W45-3T07:08:09.123Z", "2023-05-06 07:08:09.123Z", "2023-05-06T07:08:09,123Z"])
def test_other_forms_of_the_same_length_are_written_anew(text: str) -> None:
    message = message_of(heard(occurred_at=text))
    assert message["timestamp"] == datetime.fromisoformat(text).isoformat(timespec="milliseconds")


@given(st.datetimes(datetime(2015, 1, 2), datetime(2024, 5, 6), timezones=st.just(UTC)), st.integers(-23, 23))  # noqa: DTZ001 - given as bounds
def test_a_time_keeps_its_instant(at: datetime, hours: int) -> None:
    here = at - timedelta(hours=hours)
    text = f"{(here + timedelta(hours=hours)).replace(tzinfo=None).isoformat()}{hours:+03d}:00"
    assert occurred(text, NOW) == (here, None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"receivedAt": "2024-01-01T00:00:00Z", "sentAt": "2023-01-01T00:00:00Z"}, "2024-01-01T00:00:00Z"),
        ({"sentAt": "2023-01-01T00:00:00Z"}, "2023-01-01T00:00:00Z"),
        ({"receivedAt": None, "sentAt": "2023-01-01T00:00:00Z"}, "2023-01-01T00:00:00Z"),
        ({"receivedAt": "never", "sentAt": "2023-01-01T00:00:00Z"}, "never"),
        ({"timestamp": "2023-01-01T00:00:00Z"}, None),
        ({}, None),
    ],
)
def test_the_webhook_has_two_times(fields: dict[str, str | None], expected: str | None) -> None:
    [item] = DOORS["webhook"](json.dumps(payload(**fields)).encode(), Connection("c", "c"))
    assert isinstance(item, Heard)
    assert item.occurred_at == expected


@pytest.mark.parametrize("fields", [{"timestamp": "2024-01-01T00:00:00Z"}, {}])
def test_a_call_has_one(fields: dict[str, str]) -> None:
    [item] = DOORS["interactions"](json.dumps(call(**fields)).encode(), Connection("c", "c"))
    assert isinstance(item, Heard)
    assert item.occurred_at == fields.get("timestamp")
