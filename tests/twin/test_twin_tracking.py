"""Sending to the twin as to Segment: what is answered, and what became of it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import socket
from typing import Any

import pytest
import requests
from segment.analytics import request as segment_request

from candu_source.twin import Twin
from tests.twin.calls import KEY, brief, post, post_body, sized, track

SUCCESS = {"success": True}


def only(twin: Twin) -> dict[str, Any]:
    (message,) = twin.messages()
    return message


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("track", {"userId": "u1", "event": "tutorial.interaction"}),
        ("screen", {"userId": "u1", "name": "tutorial.view"}),
        ("identify", {"userId": "u1", "traits": {"a": 1}}),
        ("page", {"anonymousId": "a1"}),
        ("group", {"userId": "u1", "groupId": "g1"}),
        ("alias", {"userId": "u1", "previousId": "a1"}),
    ],
)
def test_each_type_has_its_address(segment_twin: Twin, kind: str, body: dict[str, Any]) -> None:
    answer = requests.post(f"{segment_twin.url}/v1/{kind}", json=body, auth=(KEY, ""), timeout=30)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    message = only(segment_twin)
    assert (message["status"], message["reason"], message["type"], message["message"]) == ("stored", None, kind, body)


@pytest.mark.parametrize("kind", ["batch", "import"])
def test_a_batch_is_stored_call_by_call(segment_twin: Twin, kind: str) -> None:
    calls = [track(messageId="m1"), track(messageId="m2", userId=""), track(messageId="m3", type="screen", name="tutorial.view")]
    answer = requests.post(f"{segment_twin.url}/v1/{kind}", json={"batch": calls}, auth=(KEY, ""), timeout=30)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert [(m["messageId"], m["status"], m["reason"]) for m in segment_twin.messages()] == [
        ("m1", "stored", None),
        ("m2", "dropped", "no_user_anon_id"),
        ("m3", "stored", None),
    ]
    assert [m["message"] for m in segment_twin.messages()] == calls


def test_what_is_stored_tells_when(segment_twin: Twin) -> None:
    post(segment_twin.url, track(timestamp="2024-05-01T12:00:00.000Z"), sentAt="2024-05-01T12:00:00.000Z")
    message = only(segment_twin)
    assert message["sentAt"] == message["originalTimestamp"] == "2024-05-01T12:00:00.000Z"
    assert message["timestamp"] == message["receivedAt"]


def test_a_call_without_a_timestamp_happens_when_it_arrives(segment_twin: Twin) -> None:
    post(segment_twin.url, track(), sentAt="2024-05-01T12:00:00.000Z")
    message = only(segment_twin)
    assert message["originalTimestamp"] is None
    assert message["timestamp"] == message["receivedAt"]


@pytest.mark.parametrize(
    ("headers", "body_key"),
    [
        ({"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, None),
        ({"Authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, None),
        ({"Authorization": "basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, "another"),
        ({}, KEY),
        ({"Authorization": "Bearer token"}, KEY),
        ({"Authorization": "Basic %%%"}, KEY),
        ({"Authorization": "Basic " + base64.b64encode(b":").decode()}, KEY),
    ],
)
def test_the_write_key_is_found(segment_twin: Twin, headers: dict[str, str], body_key: str | None) -> None:
    body = track(writeKey=body_key)
    answer = requests.post(f"{segment_twin.url}/v1/track", json=body, headers=headers, timeout=30)
    assert answer.json() == SUCCESS
    message = only(segment_twin)
    assert (message["status"], message["source"]) == ("stored", segment_twin.source_id(KEY))
    assert KEY not in json.dumps(message)


@pytest.mark.parametrize("body", [track(), track(writeKey=""), track(writeKey=5)])
def test_without_a_write_key_everything_is_dropped(segment_twin: Twin, body: dict[str, Any]) -> None:
    answer = requests.post(f"{segment_twin.url}/v1/track", json=body, timeout=30)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    message = only(segment_twin)
    assert (message["status"], message["reason"], message["source"]) == ("dropped", "no_write_key", None)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ([], None),
        ([KEY], None),
        (["other"], "unknown_write_key"),
        ([{"key": KEY, "region": "us"}], None),
        ([{"key": KEY, "region": "eu"}], "wrong_region"),
        ([{"key": KEY, "enabled": False}], "source_disabled"),
        ([{"key": KEY, "enabled": False}, KEY], None),
    ],
)
def test_sources_decide_whether_a_key_is_known(segment_twin: Twin, listed: list[Any], reason: str | None) -> None:
    segment_twin.sources(*listed)
    answer = post(segment_twin.url, track(), track())
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert [m["reason"] for m in segment_twin.messages()] == [reason, reason]


@pytest.mark.parametrize(("region", "reason"), [("us", "wrong_region"), ("eu", None)])
def test_a_twin_of_the_eu_knows_the_keys_of_the_eu(region: str, reason: str | None) -> None:
    with Twin(region="eu") as twin:
        twin.sources({"key": KEY, "region": region})
        post(twin.url, track())
        assert [m["reason"] for m in twin.messages()] == [reason]


@pytest.mark.parametrize(("count", "reason"), [(2_500, None), (2_501, "too_many_events")])
def test_a_batch_with_too_many_events_is_dropped_as_a_whole(segment_twin: Twin, count: int, reason: str | None) -> None:
    answer = post(segment_twin.url, *[track()] * count)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    stats = segment_twin.stats()
    assert (stats["stored"], stats["dropped"]) == ((count, {}) if reason is None else (0, {reason: count}))


def test_a_second_copy_is_dropped(segment_twin: Twin) -> None:
    post(segment_twin.url, track(messageId="m1"), track(messageId="m1"))
    post(segment_twin.url, track(messageId="m1"))
    assert [m["reason"] for m in segment_twin.messages()] == [None, "duplicate", "duplicate"]
    assert segment_twin.ids() == ["m1"]
    post(segment_twin.url, track(messageId="m1"), key="another")
    assert segment_twin.ids() == ["m1", "m1"]
    assert segment_twin.ids("another") == ["m1"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"batch": [%b, %b]}' % (json.dumps(track()).encode(), sized(32 * 1024 + 1)), "event_too_large"),
        (b'{"batch": [%b]}' % b",".join([sized(30_000)] * 17), "payload_too_large"),
        (b" " * 3_000_000, "payload_too_large"),
        (b'{"batch": [{"userId": "u1", "p": NaN}]}', "invalid_json"),
        (b"not json", "invalid_json"),
        (b"[]", "invalid_request"),
        (b'{"batch": 5}', "invalid_request"),
        (b'{"batch": [5]}', "invalid_request"),
    ],
    ids=brief,
)
def test_a_bad_request_is_answered_400_in_segments_form(segment_twin: Twin, body: bytes, code: str) -> None:
    answer = post_body(segment_twin.url, body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"code", "message"}
    assert answer.json()["code"] == code
    assert segment_twin.messages() == []
    assert segment_twin.stats()["by_status"] == {"400": 1}


def test_an_event_of_exactly_32_kb_is_stored(segment_twin: Twin) -> None:
    assert post_body(segment_twin.url, sized(32 * 1024), "track").status_code == 200
    assert segment_twin.stats()["stored"] == 1


def test_nul_is_stored(segment_twin: Twin) -> None:
    assert post(segment_twin.url, track(properties={"p": "a\x00b"})).status_code == 200
    assert only(segment_twin)["message"]["properties"] == {"p": "a\x00b"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(json.dumps({"batch": [track()]}).encode()), 200),
        (json.dumps({"batch": [track()]}).encode(), 400),
        (gzip.compress(b" " * 20_000_000), 400),
    ],
    ids=brief,
)
def test_gzip_is_unpacked_within_bounds(segment_twin: Twin, body: bytes, status: int) -> None:
    answer = post_body(segment_twin.url, body, **{"Content-Encoding": "gzip"})
    assert answer.status_code == status
    assert len(segment_twin.messages()) == (status == 200)


def test_a_chunked_body_is_read(segment_twin: Twin) -> None:
    body = json.dumps({"batch": [track()]}).encode()
    answer = requests.post(f"{segment_twin.url}/v1/batch", data=iter([body[:7], body[7:]]), auth=(KEY, ""), timeout=30)
    assert answer.json() == SUCCESS
    assert segment_twin.stats()["stored"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/batch", 405, "method_not_allowed"),
        ("POST", "/v1/nonsense", 404, "not_found"),
        ("POST", "/v1/batch/", 404, "not_found"),
        ("POST", "/v1//batch", 404, "not_found"),
    ],
)
def test_other_addresses_are_errors_and_never_redirects(segment_twin: Twin, method: str, path: str, status: int, code: str) -> None:
    answer = requests.request(method, segment_twin.url + path, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (answer.headers.get("Allow") is not None) is (status == 405)


def test_one_connection_takes_many_requests(segment_twin: Twin) -> None:
    connection = http.client.HTTPConnection(segment_twin.url.removeprefix("http://"), timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        socket_used = connection.sock
        for method, path in [("POST", "/v1/track"), ("POST", "/v1/nonsense"), ("GET", "/__twin/ids"), ("DELETE", "/__twin/messages")]:
            connection.request(method, path, json.dumps(track(writeKey=KEY)))
            connection.getresponse().read()
            assert connection.sock is socket_used


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/track HTTP/1.1\r\nHost: twin\r\nContent-Length: many\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nHost: twin\r\nContent-Length: 500\r\n\r\n{}",
        b"POST /v1/track HTTP/1.1\r\nHost: twin\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n{}\r\n0\r\n\r\n",
    ],
    ids=brief,
)
def test_half_a_request_is_not_taken(segment_twin: Twin, head: bytes) -> None:
    host, port = segment_twin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert segment_twin.stats()["requests"] == 0


def test_an_old_client_gets_its_answer_and_the_end_of_the_connection(segment_twin: Twin) -> None:
    host, port = segment_twin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"GET /__twin/ids HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert b"Connection: close" in answer.read()


@pytest.mark.parametrize("zipped", [False, True])
def test_segments_own_library_is_satisfied(segment_twin: Twin, *, zipped: bool) -> None:
    calls = [track(messageId="m1", timestamp="2024-05-01T12:00:00.000Z"), track(messageId="m2")]
    answer = segment_request.post(KEY, segment_twin.url, gzip=zipped, timeout=30, batch=calls)
    segment_request._session.close()  # the library keeps its connection open for ever
    assert (answer.status_code, answer.history, answer.json()) == (200, [], SUCCESS)
    assert segment_twin.ids(KEY) == ["m1", "m2"]
    assert segment_twin.messages()[0]["message"] == calls[0]
    assert segment_twin.messages()[0]["sentAt"] is not None


def test_segments_own_library_reads_the_refusal(segment_twin: Twin) -> None:
    with pytest.raises(segment_request.APIError) as refused:
        segment_request.post(KEY, segment_twin.url, timeout=30, batch=[track(properties={"p": float("nan")})])
    segment_request._session.close()  # the library keeps its connection open for ever
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")
