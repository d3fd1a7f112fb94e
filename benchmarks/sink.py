"""Stand in for the far end: read each request, count its messages, answer 200 after the delay asked for.

Run as `python -m benchmarks.sink PORT DELAY_MS [REFUSED]`; GET answers with the counts so far. A request with the text REFUSED in it is
answered 400, and its messages do not count.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.running import await_port, environment, free_port, running

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_ANSWER = b'{"success":true}'


@dataclass(slots=True)
class Counts:
    """Count what has arrived."""

    requests: int = 0
    events: int = 0


class Far(asyncio.Protocol):
    """Serve one connection, a request at a time."""

    def __init__(self, counts: Counts, delay: float, refused: bytes) -> None:
        self._counts = counts
        self._delay = delay
        self._refused = refused
        self._chunks: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Gather the request; answer once it is whole."""
        self._chunks.append(data)
        if self._missing > len(data):
            self._missing -= len(data)
            return
        request = b"".join(self._chunks)
        end = request.find(_END)
        if end < 0:
            return
        length = _LENGTH.search(request, 0, end)
        self._missing = end + len(_END) + int(length[1]) - len(request) if length else 0
        if self._missing <= 0:
            self._chunks.clear()
            self._take(request)

    def _take(self, request: bytes) -> None:
        if request.startswith(b"GET "):
            self._answer(json.dumps(asdict(self._counts)).encode())
            return
        self._counts.requests += 1
        if self._refused and self._refused in request:
            self._answer(b"{}", b"400 Bad Request")
            return
        self._counts.events += request.count(b'"messageId"')
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._answer, _ANSWER)
        else:
            self._answer(_ANSWER)

    def _answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


async def serve(port: int, delay: float, refused: bytes) -> None:
    """Listen until the process ends."""
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Far(counts, delay, refused), "127.0.0.1", port)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Sink:
    """Name a running sink."""

    url: str

    def counts(self) -> Counts:
        """Ask what has arrived so far."""
        with urllib.request.urlopen(self.url, timeout=30) as answer:  # noqa: S310 - our own address
            return Counts(**json.load(answer))


@contextlib.contextmanager
def sink(directory: Path, *, delay_ms: int = 0, refused: str = "") -> Iterator[Sink]:
    """Run a sink in a process of its own."""
    port = free_port()
    log = directory / "sink.log"
    with running(["benchmarks.sink", str(port), str(delay_ms), refused], environment(), log):
        await_port(port, log)
        yield Sink(f"http://127.0.0.1:{port}")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]) / 1000, "".join(sys.argv[3:]).encode()))
