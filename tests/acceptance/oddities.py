"""Answer as no well-behaved far end does: bytes as they are told, or the request itself thrown back."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[bytes], bytes]


@contextlib.contextmanager
def far_end(answer: Answer) -> Iterator[str]:
    """Serve on loopback: `answer` turns a whole request, head and body, into all that is sent back. Yields the address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.wfile.write(answer(self._request()))

        def _request(self) -> bytes:
            head = b""
            while line := self.rfile.readline().strip():
                head += line + b"\n"
            lengths = (int(line.partition(b":")[2]) for line in head.splitlines() if line.lower().startswith(b"content-length:"))
            length = next(lengths, 0)
            return head + b"\n" + self.rfile.read(length)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def answered(status: str, body: bytes, *headers: str) -> bytes:
    """Return a whole HTTP answer; more headers as lines."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(status: str, body: bytes, *headers: str) -> Answer:
    """Answer so, whatever is asked."""
    return lambda _: answered(status, body, *headers)


def echo_in_json(status: str) -> Answer:
    """Throw the request back in an error of Segment's form, as debugging proxies do."""
    return lambda request: answered(status, json.dumps({"code": "echo", "message": _telling(request)}).encode())


def echo_plainly(status: str) -> Answer:
    """Throw the request back as a page."""
    return lambda request: answered(status, _telling(request).encode())


def _telling(request: bytes) -> str:
    """Return what tells the most of a request to Segment in few words: the end of its body, then its head."""
    head, _, body = request.decode("latin-1").partition("\n\n")
    return f"{body[-100:]}\n{head}"
