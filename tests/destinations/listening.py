"""Listen on loopback, count who connects and what is said, and answer with bytes as they are told, at the pace they are told."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

# Whatever drips ends then, so that a test of something that waits for ever fails in place of hanging.
DRIP_SECONDS = 8.0
_DROP_SECONDS = 0.02
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

# Turns a request, head and body, into the pieces of an answer.
Answer = Callable[[bytes], Iterable[bytes]]


class Listener:
    """Hold what came in: the addresses of `callers`, each request whole in `heard`, and how many bytes of answers went out."""

    def __init__(self, answer: Answer) -> None:
        self.callers: list[object] = []
        self.heard: list[bytes] = []
        self.sent = 0
        self._answer = answer

    def __enter__(self) -> Self:
        """Begin to listen."""
        listener = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while request := self._request():
                        listener.heard.append(request)
                        for piece in listener._answer(request):
                            self.wfile.write(piece)
                            listener.sent += len(piece)

            def _request(self) -> bytes:
                head = b""
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    head += line
                length = _LENGTH.search(head)
                return head + b"\r\n" + self.rfile.read(int(length[1]) if length else 0) if head else b""

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def verify_request(self, _: object, caller: object) -> bool:
                listener.callers.append(caller)
                return True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def visitors(self) -> int:
        """Return how many connected before; they are seen in their turn, so a call of our own says when that is."""
        with socket.create_connection(("127.0.0.1", self.port)) as own:
            deadline = time.monotonic() + DRIP_SECONDS
            while own.getsockname() not in self.callers and time.monotonic() < deadline:
                time.sleep(_DROP_SECONDS)
            return self.callers.index(own.getsockname())

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self.port}/events"


def whole(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return an answer after which the connection may be used again."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def always(status: str, body: bytes = b"", *headers: str) -> Answer:
    """Answer so, whatever is asked."""
    return lambda _: [whole(status, body, *headers)]


def dripping(before: bytes, drop: bytes, after: bytes) -> Answer:
    """Answer a little at a time, without end as far as a sender's patience goes."""

    def answer(_: bytes) -> Iterator[bytes]:
        deadline = time.monotonic() + DRIP_SECONDS
        yield before
        while time.monotonic() < deadline:
            time.sleep(_DROP_SECONDS)
            yield drop
        yield after

    return answer
