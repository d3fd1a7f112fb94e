"""Serve a WSGI application to an event loop: small posts wait without a thread each, all else goes to threads."""

from __future__ import annotations

import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import partial
from types import MappingProxyType
from typing import Any
from wsgiref.types import WSGIApplication

from a2wsgi import WSGIMiddleware

from candu_source.waiting import Calls

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Some 200 events, a few milliseconds of work: longer ones would hold up whoever is on the loop with them.
_SMALL_BYTES = 64 * 2**10
# CGI names these two unlike all other headers.
_NAMES: Mapping[bytes, str] = MappingProxyType({b"content-length": "CONTENT_LENGTH", b"content-type": "CONTENT_TYPE"})
# What is the same for each request (PEP 3333), and werkzeug's word for a body that ends where it ends.
_ENVIRON: Mapping[str, Any] = MappingProxyType(
    {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
)


class Serving:
    """Be the ASGI application of a WSGI one: posts to `quick` paths, if small and not packed, on the loop, all else in threads.

    What is done on the loop may wait by `waiting` only. Requests with no length, or a longer body than is small, are large.
    """

    def __init__(self, app: WSGIApplication, quick: Iterable[str], *, threads: int) -> None:
        self._app = app
        self._quick = tuple(quick)
        self._calls = Calls()
        self._threads: Any = WSGIMiddleware(self._ended, workers=threads)

    def _ended(self, environ: Any, start: Any) -> Iterable[bytes]:
        environ["wsgi.input_terminated"] = True  # a2wsgi's is, and does not say so
        return self._app(environ, start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._is_quick(scope):

            async def received() -> Mapping[str, Any]:  # a2wsgi takes coroutines alone, granian gives other things to wait for
                return await receive()

            await self._threads(scope, received, send)
            return
        body = await _body(receive)
        if body is None:
            return
        status, headers, data = await self._calls.do(partial(self._answer, _environ(scope, body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def _is_quick(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(self._quick):
            return False
        length = b""
        for name, value in scope["headers"]:
            if name == b"content-encoding":
                return False
            if name == b"content-length":
                length = value
        return length.isdigit() and int(length) <= _SMALL_BYTES

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        started: list[tuple[int, Headers]] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            started.append((int(status[:3]), [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]))
            return _write

        pieces = self._app(environ, start)
        try:
            data = b"".join(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        return *started[-1], data


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    host, port = scope["server"]
    environ: dict[str, Any] = {
        **_ENVIRON,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in scope["headers"]:
        key = _NAMES.get(name) or f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _write(_: bytes) -> object:
    raise NotImplementedError("PEP 3333's write() is for applications that cannot return what they answer")


async def _body(receive: Receive) -> bytes | None:
    """Return a request's whole body, or None when its sender has left."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message["body"])
        if not message.get("more_body"):
            return b"".join(pieces)
