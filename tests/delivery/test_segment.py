"""The Segment destination: the library's own request, carrying the stored bytes."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from segment.analytics import request as library
from segment.analytics.client import Client

from candu_source.deliveries import Batch, Stored, Target
from candu_source.destinations.segment import SegmentDestination
from candu_source.errors import Reason
from candu_source.model import Secret
from candu_source.twin import Twin
from tests.destinations.listening import Answer, Listener, always

KEY = "CANARYwritekey"


def destination(*, allow_private: bool = True, timeout_seconds: float = 5.0) -> SegmentDestination:
    """Make a destination that may reach loopback."""
    return SegmentDestination(senders=4, timeout_seconds=timeout_seconds, allow_private=allow_private)


def messages(*names: str) -> list[dict[str, Any]]:
    """Build messages with the official library."""
    client = Client(KEY, send=False, sync_mode=True)
    return [client.track("u", name, {"n": 1.5, "text": "é😀\u2028"}, message_id=f"id-{name}")[1] for name in names]


def batch(*sent: dict[str, Any]) -> Batch:
    """Make a batch of stored messages."""
    return Batch(tuple(Stored(place, json.dumps(message).encode(), 0.0) for place, message in enumerate(sent)))


@contextmanager
def recorder(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Serve on loopback, keep every request, and answer as told."""
    seen: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def reply(status: int, body: bytes = b"{}", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with a status, headers and body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_the_request_is_the_librarys_own() -> None:
    sent = messages("a", "b")
    with recorder(reply(200)) as (url, seen):
        library.post(KEY, url, batch=sent, retry_count=2)
        outcome = destination().deliver(Target(url, Secret(KEY)), batch(*sent), tries=2)
    (their_headers, their_body), (our_headers, our_body) = seen
    assert outcome.code is Reason.ACCEPTED
    assert {**our_headers, "Content-Length": ""} == {**their_headers, "Content-Length": ""}
    theirs, ours = (re.sub(rb'"sentAt": "[^"]+"', b'"sentAt": ""', body) for body in (their_body, our_body))
    assert json.loads(ours) == json.loads(theirs)
    assert ours.replace(b",{", b", {") == theirs
    assert re.search(rb'"sentAt": "\d{4}-', our_body)


def test_the_twin_stores_what_we_send(segment_twin: Twin) -> None:
    sent = messages("a", "b", "c")
    destination().deliver(Target(segment_twin.url, Secret(KEY)), batch(*sent), tries=0)
    assert [kept["message"]["event"] for kept in segment_twin.messages(status="stored")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("fault", "reason", "wait"),
    [
        ({"status": 500}, Reason.SERVER_ERROR, None),
        ({"status": 429, "retry_after": 700}, Reason.THROTTLED, 700.0),
        ({"status": 401}, Reason.KEY_REFUSED, None),
        ({"status": 404}, Reason.ENDPOINT_WRONG, None),
        ({"status": 400}, Reason.CONTENT_REFUSED, None),
        ({"reset_after_body": True}, Reason.NETWORK, None),
    ],
)
def test_what_comes_back_becomes_an_outcome(segment_twin: Twin, fault: dict[str, Any], reason: Reason, wait: float | None) -> None:
    segment_twin.fault(**fault)
    outcome = destination().deliver(Target(segment_twin.url, Secret(KEY)), batch(*messages("a")), tries=0)
    assert (outcome.code, outcome.retry_after) == (reason, wait)


def test_silence_is_a_timeout(segment_twin: Twin) -> None:
    segment_twin.fault(black_hole=True)
    outcome = destination(timeout_seconds=0.05).deliver(Target(segment_twin.url, Secret(KEY)), batch(*messages("a")), tries=0)
    assert outcome.code is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("http://127.0.0.1:1", Reason.NETWORK),
        ("http://no-such-host.invalid", Reason.NETWORK),
        ("ftp://127.0.0.1", Reason.ENDPOINT_WRONG),
        ("no-scheme", Reason.ENDPOINT_WRONG),
    ],
)
def test_addresses_that_lead_nowhere(host: str, reason: Reason) -> None:
    assert destination().deliver(Target(host, Secret(KEY)), batch(*messages("a")), tries=0).code is reason


def test_redirects_are_not_followed() -> None:
    with recorder(reply(200)) as (elsewhere, reached), recorder(reply(307, Location=elsewhere)) as (url, _):
        outcome = destination().deliver(Target(url, Secret(KEY)), batch(*messages("a")), tries=0)
    assert outcome.code is Reason.ENDPOINT_WRONG
    assert reached == []


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"])
def test_private_addresses_are_not_reached(address: str) -> None:
    """Every spelling of loopback: what counts is where it leads, and nobody there hears of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        host = f"http://{address}:{server.getsockname()[1]}"
        outcome = destination(allow_private=False).deliver(Target(host, Secret(KEY)), batch(*messages("a")), tries=0)
        assert outcome.code is Reason.ADDRESS_REFUSED
        with pytest.raises(BlockingIOError):
            server.accept()


def test_answers_that_echo_the_key_are_masked() -> None:
    body = json.dumps({"code": "invalid", "message": f"key {KEY} {'x' * 5_000}"}).encode()
    with recorder(reply(400, body)) as (url, _):
        outcome = destination().deliver(Target(url, Secret(KEY)), batch(*messages("a")), tries=0)
    assert KEY not in outcome.detail
    assert len(outcome.detail) == 500


def _large(head: str) -> Answer:
    return lambda _: (head.encode() if not place else b"A" * 2**16 for place in range(1_600))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", Reason.ACCEPTED),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n", Reason.ACCEPTED),
        ("HTTP/1.1 500 Odd\r\n\r\n", Reason.SERVER_ERROR),
    ],
    ids=["a body", "a chunk", "a body of no length"],
)
def test_a_large_answer_is_not_taken(head: str, code: Reason) -> None:
    with Listener(_large(head)) as listener:
        outcome = destination().deliver(Target(listener.url.removesuffix("/events"), Secret(KEY)), batch(*messages("a")), 0)
    assert outcome.code is code
    assert len(outcome.detail) <= 500
    assert listener.sent < 20 * 2**20


def test_a_packed_answer_is_not_unpacked_beyond_that() -> None:
    bomb = gzip.compress(b"A" * 50 * 2**20)
    tracemalloc.start()
    with Listener(always("500 Odd", bomb, "Content-Encoding: gzip")) as listener:
        outcome = destination().deliver(Target(listener.url.removesuffix("/events"), Secret(KEY)), batch(*messages("a")), 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.code is Reason.SERVER_ERROR
    assert peak < 20 * 2**20
