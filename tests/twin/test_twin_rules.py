"""What Segment does to a request and to a call: tables."""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
import pytest

from candu_source.twin.rules import (
    KINDS,
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    MAX_REQUEST_BYTES,
    Call,
    Drop,
    Reading,
    Refusal,
    judge,
    read_calls,
    source_id,
    unpack,
)
from tests.twin.calls import KEY, brief, sized, track


def fate(fields: dict[str, Any]) -> Drop | None:
    return judge(msgspec.convert(fields, Call))


@pytest.mark.parametrize(
    "fields",
    [
        track(),
        track(userId=None, anonymousId="a1"),
        track(userId="", anonymousId="a1"),
        track(userId=7),
        track(messageId="m" * 99),
        track(messageId=""),
        track(messageId=5),
        track(properties={"deep": [1, {"er": None}]}, unknown=True),
        {"type": "screen", "userId": "u1"},
        {"type": "screen", "userId": "u1", "name": "tutorial.view"},
        {"type": "page", "anonymousId": "a1"},
        {"type": "identify", "userId": "u1"},
        {"type": "group", "userId": "u1", "groupId": "g1"},
        {"type": "alias", "userId": "u1", "previousId": "a1"},
    ],
)
def test_a_complete_call_is_stored(fields: dict[str, Any]) -> None:
    assert fate(fields) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (track(userId=None), "no_user_anon_id"),
        (track(userId=""), "no_user_anon_id"),
        (track(userId="", anonymousId=""), "no_user_anon_id"),
        (track(userId=None) | {"userId": None, "anonymousId": None}, "no_user_anon_id"),
        (track(userId={"id": 1}), "no_user_anon_id"),
        (track(userId=True), "no_user_anon_id"),
        (track(event=None), "no_event"),
        (track(event=""), "no_event"),
        (track(event=5), "no_event"),
        (track(event=None, name="tutorial.interaction"), "no_event"),
        ({"type": "group", "userId": "u1"}, "no_group_id"),
        ({"type": "group", "userId": "u1", "groupId": ""}, "no_group_id"),
        ({"type": "alias", "userId": "u1"}, "no_previous_id"),
        ({"type": "alias", "userId": "u1", "previousId": ""}, "no_previous_id"),
        ({"type": "alias", "anonymousId": "a1", "previousId": "a0"}, "no_user_id"),
        (track(messageId="m" * 100), "message_id_too_long"),
        (track(messageId="é" * 100), "message_id_too_long"),
        (track(type="Track"), "unknown_type"),
        (track(type="event"), "unknown_type"),
        (track(type=""), "unknown_type"),
        (track(type=None), "unknown_type"),
        (track(type=["track"]), "unknown_type"),
    ],
)
def test_an_incomplete_call_is_dropped(fields: dict[str, Any], reason: str) -> None:
    assert fate(fields) == reason


def test_the_limits_are_the_documented_ones() -> None:
    assert (MAX_EVENT_BYTES, MAX_REQUEST_BYTES, MAX_BATCH_EVENTS) == (32_768, 500_000, 2_500)


def test_a_batch_is_read_into_calls_with_their_own_bytes() -> None:
    body = b'{"batch": [ {"type":"track",  "userId":"u1"} , {"userId": "u2"}], "sentAt": "S", "writeKey": "wk", "context": {}}'
    reading = read_calls(body, "batch")
    assert [raw for _, raw in reading.calls] == [b'{"type":"track",  "userId":"u1"}', b'{"userId": "u2"}']
    assert (reading.sent_at, reading.write_key) == ("S", "wk")


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_decides_the_type_of_a_single_call(kind: str) -> None:
    reading = read_calls(b'{"type": "other", "userId": "u1", "sentAt": "S", "writeKey": "wk"}', kind)
    assert [call.type for call, _ in reading.calls] == [kind]
    assert (reading.sent_at, reading.write_key) == ("S", "wk")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "track", "userId": "u1", "writeKey": KEY, "context": {"a": 1.50}},
        {"batch": [track(writeKey=KEY), track(writeKey=[KEY])], "writeKey": KEY},
    ],
)
def test_the_write_key_is_masked(body: dict[str, Any]) -> None:
    reading = read_calls(json.dumps(body).encode(), "batch" if "batch" in body else "track")
    assert reading.write_key == KEY
    for _, raw in reading.calls:
        assert KEY.encode() not in raw
        assert json.loads(raw)["writeKey"] in (source_id(KEY), None)


def test_a_write_key_written_with_escapes_is_masked() -> None:
    reading = read_calls(b'{"userId": "u1", "write\\u004bey": "w\\u006b_1"}', "track")
    assert json.loads(reading.calls[0][1]) == {"userId": "u1", "writeKey": source_id("wk_1")}


def test_numbers_are_kept_as_written_beside_a_masked_key() -> None:
    reading = read_calls(b'{"userId": "u1", "n": 1.500, "big": 123456789012345678901234567890, "writeKey": "wk"}', "track")
    assert b"1.500" in reading.calls[0][1]
    assert b"123456789012345678901234567890" in reading.calls[0][1]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "batch", "invalid_json"),
        (b"{", "batch", "invalid_json"),
        (b'{"batch": []} x', "batch", "invalid_json"),
        (b'{"batch": [{"userId": "u1",}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": NaN}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": Infinity}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": -Infinity}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": "\\ud800"}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": "\xff"}]}', "batch", "invalid_json"),
        (b'{"batch": [{"userId": "\xff"}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p": "\x00"}]}', "batch", "invalid_json"),
        (b'{"batch": [{"p":' + b"[" * 9_000 + b"]" * 9_000 + b"}]}", "batch", "invalid_json"),
        (b'{"userId": "u1", "p": NaN}', "track", "invalid_json"),
        (b"[]", "batch", "invalid_request"),
        (b"null", "batch", "invalid_request"),
        (b'"text"', "track", "invalid_request"),
        (b"{}", "batch", "invalid_request"),
        (b'{"batch": {}}', "batch", "invalid_request"),
        (b'{"batch": null}', "import", "invalid_request"),
        (b'{"batch": [1]}', "batch", "invalid_request"),
        (b'{"batch": [{"userId": "u1"}, null]}', "batch", "invalid_request"),
        (b'{"batch": [' + sized(MAX_EVENT_BYTES + 1) + b"]}", "batch", "event_too_large"),
        (sized(MAX_EVENT_BYTES + 1), "track", "event_too_large"),
    ],
    ids=brief,
)
def test_a_request_that_cannot_be_read_is_refused(body: bytes, kind: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_calls(body, kind)
    assert refused.value.code == code
    assert refused.value.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"batch": []}', "batch"),
        (b'{"batch": [{"p": "\\u0000", "q": "\\ud83d\\ude00"}]}', "import"),
        (b'{"batch": [' + sized(MAX_EVENT_BYTES) + b"]}", "batch"),
        (sized(MAX_EVENT_BYTES), "track"),
    ],
    ids=brief,
)
def test_a_request_within_the_limits_is_read(body: bytes, kind: str) -> None:
    assert isinstance(read_calls(body, kind), Reading)


PLAIN = b'{"batch": []}'


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (PLAIN, "", PLAIN),
        (PLAIN, "identity", PLAIN),
        (gzip.compress(PLAIN), "gzip", PLAIN),
        (gzip.compress(PLAIN), " GZip ", PLAIN),
        (b" " * MAX_REQUEST_BYTES, "", b" " * MAX_REQUEST_BYTES),
        (gzip.compress(b" " * MAX_REQUEST_BYTES), "gzip", b" " * MAX_REQUEST_BYTES),
    ],
    ids=brief,
)
def test_a_body_is_unpacked(body: bytes, encoding: str, expected: bytes) -> None:
    assert unpack(body, encoding) == expected


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (b" " * (MAX_REQUEST_BYTES + 1), "", "payload_too_large"),
        (b" " * (MAX_REQUEST_BYTES + 1), "gzip", "payload_too_large"),
        (gzip.compress(b" " * (MAX_REQUEST_BYTES + 1)), "gzip", "payload_too_large"),
        (gzip.compress(b" " * 50_000_000), "gzip", "payload_too_large"),
        (PLAIN, "gzip", "invalid_encoding"),
        (gzip.compress(PLAIN)[:-1], "gzip", "invalid_encoding"),
        (gzip.compress(PLAIN) + b"x", "gzip", "invalid_encoding"),
        (PLAIN, "br", "invalid_encoding"),
    ],
    ids=brief,
)
def test_a_body_that_cannot_be_unpacked_is_refused(body: bytes, encoding: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        unpack(body, encoding)
    assert refused.value.code == code


def test_a_source_id_is_a_short_hash() -> None:
    assert source_id("abc") == "ba7816bf8f01"
