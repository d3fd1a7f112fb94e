"""Speak HTTP/1.1 with keep-alive, hang up, and reset connections: what a WSGI application cannot do by itself."""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

DROP = "candu_source.twin.drop"
"""WSGI environment key: a view puts HANG_UP or RESET there and its answer is not sent."""

HANG_UP = "hang_up"
RESET = "reset"

_HOLD_BYTES = 1_000_000  # of a request body; the rest is read and thrown away, so that the refusal can be read by the client
_CHUNK_BYTES = 65_536
_NO_BODY = frozenset({204, 304})
_BACKLOG = 1024


class Handler(WSGIRequestHandler):
    """Serve one connection. werkzeug's own handler closes it after each request; this one keeps it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_: object) -> None:
        """Stay silent: the inspection addresses tell more than an access log."""

    def run_wsgi(self) -> None:
        """Read one request whole, call the application, and send its answer unless it asks to drop the connection."""
        self.environ = environ = self.make_environ()
        if self.request_version < self.protocol_version:
            self.close_connection = True
        body = self._read_body(environ)
        if body is None:
            self.close_connection = True
            return
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[[bytes], object]:
            head[:] = [status, headers]
            return _no_write

        chunks = self.server.app(environ, start_response)
        try:
            if DROP in environ:
                self._drop(environ[DROP])
            else:
                self._answer(head[0], head[1], chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _read_body(self, environ: WSGIEnvironment) -> bytes | None:
        """Return the body, cut at `_HOLD_BYTES`; None when the client hangs up in the middle or its length is no number."""
        stream = environ["wsgi.input"]
        if environ.pop("wsgi.input_terminated", False):
            del environ["HTTP_TRANSFER_ENCODING"]  # the application gets a body of known length
            left = None
        else:
            try:
                left = int(environ.get("CONTENT_LENGTH") or 0)
            except ValueError:
                return None
        held = bytearray()
        while left is None or left > 0:
            try:
                chunk = stream.read(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES))
            except OSError:
                return None
            if not chunk:
                return bytes(held) if left is None else None
            if len(held) < _HOLD_BYTES:
                held += chunk
            left = None if left is None else left - len(chunk)
        return bytes(held)

    def _answer(self, status: str, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        bodyless = self.command == "HEAD" or int(status[:3]) in _NO_BODY
        sized = any(name.lower() == "content-length" for name, _ in headers)
        chunked = not (bodyless or sized or self.close_connection)
        lines = [f"HTTP/1.1 {status}", "Server: candu-source-twin", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines += ["Transfer-Encoding: chunked"] * chunked + ["Connection: close"] * self.close_connection
        pending = "\r\n".join([*lines, "", ""]).encode("latin-1")
        for chunk in () if bodyless else chunks:
            if chunk:
                self.wfile.write(pending + (b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk))
                pending = b""
        self.wfile.write(pending + (b"0\r\n\r\n" if chunked else b""))

    def _drop(self, how: str) -> None:
        self.close_connection = True
        if how == RESET:
            # Lingering for 0 s makes closing send RST. The descriptor is closed here because the server would shut the
            # connection down in an orderly way (FIN) first.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.connection.detach())


def _no_write(_: bytes) -> None:
    raise NotImplementedError("answers are returned, not written")


class Server(ThreadedWSGIServer):
    """Serve each connection in a thread of its own, and close all of them when asked."""

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        """Listen at once; port 0 means a free one. Raises OSError when the address cannot be had."""
        self._open: dict[threading.Thread, socket.socket] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Listening here and handing the descriptor over keeps werkzeug from leaving the process when the port is taken.
        with socket.create_server((host, port), family=family, backlog=_BACKLOG) as listener:
            super().__init__(host, listener.getsockname()[1], app, Handler, fd=listener.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a new connection."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), name="twin-connection", daemon=True)
        self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            self._open.pop(threading.current_thread(), None)

    def hang_up(self, timeout_seconds: float) -> None:
        """Close every connection and wait for its thread, so long each. Call it when no new ones are taken."""
        connections = list(self._open.items())
        for _, connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in connections:
            thread.join(timeout_seconds)


def is_gone(connection: socket.socket) -> bool:
    """Tell whether the client has closed its end."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
