"""Send requests over a few kept connections for a while, cheaply, and time every answer.

Run as `python -m benchmarks.load PORT TOKEN ITEMS CONNECTIONS SECONDS`; it prints what came of it as JSON.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass
from statistics import quantiles

from benchmarks.items import Body, ids, request
from benchmarks.running import call

_PATH = "/v1/interactions"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BUFFER_BYTES = 1 << 20
_SILENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Load:
    """Say what a load came to: answers that were 2xx, those that were not, and how long the 2xx took in ms."""

    accepted: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Return 2xx answers a second."""
        return self.accepted / self.seconds

    def __str__(self) -> str:
        return f"{self.rate:,.0f} requests/s, p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, {self.refused} refused"


class _Line:
    """Follow one connection: one request under way at a time."""

    __slots__ = ("answer", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self.answer = b""
        self.sent_at = 0.0

    def send(self, data: bytes) -> None:
        """Send a whole request; it fits the socket's buffer."""
        self.sent_at = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> bool | None:
        """Read on; return whether the answer is a 2xx once it is whole."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed a connection that was in use")
        self.answer += data
        head, blank, body = self.answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or (length and len(body) < int(length[1])):
            return None
        accepted = self.answer.startswith(b"HTTP/1.1 2")
        self.answer = b""
        return accepted


class _Drive:
    """Keep connections busy until it is time to stop, and take in what is under way then."""

    def __init__(self, body: Body, until: float) -> None:
        self._source = ids()
        self._body = body
        self._until = until
        self.waits: list[float] = []
        self.refused = 0

    def start(self, line: _Line) -> None:
        """Send the next request."""
        line.send(self._body.fresh(self._source))

    def take(self, line: _Line) -> bool:
        """Read on; return whether this connection has done its part."""
        accepted = line.receive()
        if accepted is None:
            return False
        now = time.perf_counter()
        if accepted:
            self.waits.append(now - line.sent_at)
        else:
            self.refused += 1
        if now >= self._until:
            return True
        self.start(line)
        return False


def drive(port: int, token: str, items: int, connections: int, seconds: float) -> Load:
    """Keep every connection busy for `seconds`."""
    lines = [_Line(port) for _ in range(connections)]
    began = time.perf_counter()
    load = _Drive(request(_PATH, token, items), began + seconds)
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            load.start(line)
        under_way = connections
        while under_way:
            ready = selector.select(_SILENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"{under_way} requests got no answer within {_SILENCE_SECONDS:g} s")
            under_way -= sum(load.take(key.data) for key, _ in ready)
    return _load(load.waits, load.refused, time.perf_counter() - began)


def _load(waits: list[float], refused: int, elapsed: float) -> Load:
    if len(waits) < 2:
        raise RuntimeError(f"only {len(waits)} requests were accepted, {refused} refused")
    cuts = quantiles(waits, n=100)
    return Load(len(waits), refused, elapsed, cuts[49] * 1000, cuts[98] * 1000)


def load(port: int, token: str, *, items: int, connections: int, seconds: float) -> Load:
    """Drive from a process of its own."""
    return Load(**call(["benchmarks.load", str(port), token, str(items), str(connections), str(seconds)]))


if __name__ == "__main__":
    print(json.dumps(asdict(drive(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))))
