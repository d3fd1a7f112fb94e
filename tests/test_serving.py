"""Small posts are answered on the loop, all else by threads, and an application sees the same request either way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from flask import Flask, Response, request

from candu_source.serving import Serving
from tests.looping import looped

QUICK, SLOW = "/quick/", "/slow/"
_SMALL = 64 * 1024


def _app() -> Flask:
    app = Flask("echo", static_folder=None)

    @app.route("/<path:_>", methods=["GET", "POST"])
    def echo(_: str) -> Response:
        seen = {
            "thread": threading.get_ident(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "headers": {name: value for name, value in request.headers.items() if name != "Content-Length"},
            "address": request.remote_addr,
            "url": request.url,
            "length": len(request.get_data()),
        }
        return Response(json.dumps(seen), 207, headers=[("X-Twice", "1"), ("X-Twice", "2")])

    return app


class Told(NamedTuple):
    """Hold what the server was told to send, and the thread of its loop."""

    messages: list[Mapping[str, Any]]
    loop: int


def _ask(path: str, *bodies: bytes, method: str = "POST", length: bool = True, left: bool = False, **headers: str) -> Told:
    """Send a request to the echo, its body in pieces."""
    told: list[Mapping[str, Any]] = []
    pieces: Iterator[Mapping[str, Any]] = iter(
        [{"type": "http.request", "body": body, "more_body": left or number < len(bodies)} for number, body in enumerate(bodies, 1)]
    )

    def receive() -> asyncio.Future[Mapping[str, Any]]:  # no coroutine: a server may give whatever can be waited for
        message: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        message.set_result(next(pieces, {"type": "http.disconnect"}))
        return message

    async def send(message: Mapping[str, Any]) -> None:
        told.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    if length:
        given.append((b"content-length", str(sum(map(len, bodies))).encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"a=1&b=%20",
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "client": ("203.0.113.9", 4711),
        "headers": [(b"host", b"doors.example:8080"), *given],
    }

    async def ask() -> int:
        await Serving(_app(), [QUICK], threads=2)(scope, receive, send)
        return threading.get_ident()

    return Told(told, looped(ask()))


def _seen(told: Told) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(b"".join(message["body"] for message in told.messages[1:]))
    return seen


def _without_length(start: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**start, "headers": [each for each in start["headers"] if each[0] != b"content-length"]}


def _on_the_loop(told: Told) -> bool:
    return bool(_seen(told)["thread"] == told.loop)


def test_a_small_post_to_a_quick_path_is_answered_on_the_loop() -> None:
    assert _on_the_loop(_ask(QUICK + "door", b"{}"))
    assert _on_the_loop(_ask(QUICK + "door", b"x" * _SMALL))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(lambda: _ask(SLOW + "door", b"{}"), id="another path"),
        pytest.param(lambda: _ask(QUICK + "door", b"", method="GET"), id="another method"),
        pytest.param(lambda: _ask(QUICK + "door", b"x" * _SMALL, b"x"), id="large"),
        pytest.param(lambda: _ask(QUICK + "door", b"{}", content_encoding="gzip"), id="packed"),
        pytest.param(lambda: _ask(QUICK + "door", b"{", b"}", length=False), id="no length"),
        pytest.param(lambda: _ask(QUICK + "door", b"{}", length=False, content_length="+2"), id="no number as length"),
    ],
)
def test_all_else_is_answered_by_threads(told: Any) -> None:
    assert not _on_the_loop(told())


def test_the_application_sees_the_same_request_either_way() -> None:
    quick, slow = (
        _ask(path + "tür/%41", b"{", b"}", x_kind="a", content_type="application/json", authorization="Bearer t") for path in (QUICK, SLOW)
    )
    assert _without_length(quick.messages[0]) == _without_length(slow.messages[0])
    first, second = ({**_seen(told), "thread": None} for told in (quick, slow))
    assert {**second, "path": first["path"], "url": first["url"]} == first
    assert (first["path"], second["path"]) == (QUICK + "tür/%41", SLOW + "tür/%41")
    assert first["length"] == 2
    assert first["address"] == "203.0.113.9"
    assert first["url"].startswith("http://doors.example:8080/quick/")


def test_status_and_headers_are_the_applications() -> None:
    start = _ask(QUICK + "door", b"{}").messages[0]
    assert start["status"] == 207
    assert [value for name, value in start["headers"] if name == b"x-twice"] == [b"1", b"2"]


def test_a_body_without_length_is_read_to_its_end() -> None:
    assert _seen(_ask(QUICK + "door", b"x" * 70_000, b"y" * 70_000, length=False))["length"] == 140_000


def test_who_leaves_in_the_middle_of_a_body_is_answered_nothing() -> None:
    assert _ask(QUICK + "door", b"{", left=True).messages == []


def test_a_header_sent_twice_reads_as_one() -> None:
    told = _ask(QUICK + "door", b"{}", accept="a", ACCEPT="b")
    assert _seen(told)["headers"]["Accept"] == "a,b"
