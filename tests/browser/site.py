"""Stand between a real browser and the service: the customer's site, and a way to the service that can be broken."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

SAMPLE = Path(__file__).parents[2] / "samples" / "browser"
_STAY_BEHIND = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive", "host"})
_SILENCE_SECONDS = 30


class _Loopback:
    """Serve one kind of handler on a free loopback port while the `with` block runs."""

    def __init__(self, handler: Any) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name=type(self).__name__)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Site(_Loopback):
    """Serve the sample page as a careful customer would: with a strict Content-Security-Policy."""

    def __init__(self, service: str) -> None:
        self.policy = f"default-src 'self'; script-src 'self' {service}; connect-src {service}"
        super().__init__(partial(_Files, self.policy, directory=SAMPLE))


class _Files(SimpleHTTPRequestHandler):
    def __init__(self, policy: str, *args: Any, **options: Any) -> None:
        self._policy = policy
        super().__init__(*args, **options)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self._policy)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@dataclass(frozen=True)
class Post:
    """Hold one request of the collector: its items, whether a beacon carried it, and what became of it."""

    items: tuple[dict[str, Any], ...]
    beacon: bool
    mode: str

    @property
    def ids(self) -> list[str]:
        """Return the ids of its items."""
        return [item["messageId"] for item in self.items]


class Gateway(_Loopback):
    """Pass requests on to the service, or break the way: `mode` is `pass`, a status, `cut` (no answer) or `deaf` (the answer is lost).

    `refusal` holds more headers for answers with that status. Only posts are broken; those that come after `hold` wait for `release`.
    `posts` holds every one that got through to here, in the order in which they came.
    """

    def __init__(self, service: str) -> None:
        self.mode = "pass"
        self.refusal: Mapping[str, str] = {}
        self.posts: list[Post] = []
        self.service = service
        self._open = threading.Event()
        self._open.set()
        super().__init__(partial(_Passage, self))

    def __exit__(self, *_: object) -> None:
        """Close the port; nothing waits on."""
        self.release()
        super().__exit__()

    def hold(self) -> None:
        """Keep every post that comes waiting for its answer."""
        self._open.clear()

    def release(self) -> None:
        """Let the waiting posts go on."""
        self._open.set()

    def take(self, post: Post) -> None:
        """Note one post and keep it as long as the gateway holds."""
        self.posts.append(post)
        self._open.wait(_SILENCE_SECONDS)

    def met(self, mode: str) -> list[Post]:
        """Return the posts that ended in this way."""
        return [post for post in self.posts if post.mode == mode]

    def passed_ids(self, *, beacons: bool = True) -> list[str]:
        """Return the id of each item that was passed on, as often as it was; those of beacons can be left out."""
        return [each for post in self.met("pass") for each in post.ids if beacons or not post.beacon]


class _Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, gateway: Gateway, *args: Any) -> None:
        self._gateway = gateway
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer(*self._ask(b""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = self._gateway.mode
        self._gateway.take(Post(tuple(json.loads(body)["batch"]), self.headers["Sec-Fetch-Mode"] == "no-cors", mode))
        answer = self._ask(body) if mode in ("pass", "deaf") else None
        if mode == "pass" and answer:
            self._answer(*answer)
        elif mode.isdigit():
            headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", **self._gateway.refusal}
            self._answer(int(mode), headers, b"")
        else:
            self.close_connection = True

    def _ask(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        address = urlsplit(self._gateway.service)
        way = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SILENCE_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _STAY_BEHIND}
        way.request(self.command, self.path, body or None, headers)
        answer = way.getresponse()
        data = answer.read()
        way.close()
        return answer.status, dict(answer.getheaders()), data

    def _answer(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _STAY_BEHIND:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        with contextlib.suppress(OSError):  # the page may be gone
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""
