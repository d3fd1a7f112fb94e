"""Play Segment's Webhooks destination: post what was stored to an address, in the background, again when that fails."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Annotated, NamedTuple

import msgspec
import requests

MOST_WAITING = 100_000
"""Calls that may wait to be posted; further ones are not posted, and counted as given up."""

_TIMEOUT_SECONDS = 5.0  # Segment, "Webhooks": the service must respond within 5 seconds
_POSTERS = 8  # so that calls come back out of order, as they do
_TRIES = 10
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 30.0
_RETRYABLE = frozenset({408, 429, *range(500, 600)})  # Segment, "Webhooks": 5xx are posted again
_IDLE_SECONDS = 1.0

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Readback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Describe one Webhooks destination: where it posts, how long after a call, how many calls at once; of one `source` or of all.

    `batch` above 1 posts lists, as Webhooks (Actions) does with batching switched on.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]+")]
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 0
    batch: Annotated[int, msgspec.Meta(ge=1, le=4_000)] = 1
    source: str | None = None


class _Post(NamedTuple):
    due_at: float
    place: int
    to: Readback
    call: bytes
    tries: int = 0


class Readbacks:
    """Hold at most one destination for all sources and one for each; the narrower wins. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._destinations: dict[str | None, Readback] = {}
        self._waiting: list[_Post] = []
        self._places = count()
        self._posted = self._given_up = 0
        self._threads: list[threading.Thread] = []
        self._closing = False

    def set(self, readback: Readback) -> None:
        """Put this destination in place of the one for the same source."""
        with self._changed:
            self._destinations[readback.source] = readback

    def forget(self) -> None:
        """Take all destinations away, and what waits for them."""
        with self._changed:
            self._destinations.clear()
            self._waiting.clear()

    def shown(self) -> dict[str, object]:
        """Return the destinations without the end of their addresses, which is a token, and exact counts."""
        with self._changed:
            shown = [msgspec.to_builtins(each) | {"url": each.url.rpartition("/")[0] + "/…"} for each in self._destinations.values()]
            return {"readback": shown, "waiting": len(self._waiting), "posted": self._posted, "given_up": self._given_up}

    def add(self, source: str | None, message_id: str, raw: bytes) -> None:
        """Note a stored call, to be posted to the destination of its source."""
        with self._changed:
            to = self._destinations.get(source) or self._destinations.get(None)
            if to is None or self._closing:
                return
            call = msgspec.json.encode(_decode_fields(raw) | {"messageId": message_id, "version": 2})
            self._push(_Post(time.monotonic() + to.delay_ms / 1000, next(self._places), to, call))
            self._start()

    def open(self) -> None:
        """Post again after `close`; what waited then goes out."""
        with self._changed:
            self._closing = False
            if self._waiting:
                self._start()

    def close(self) -> None:
        """Stop posting; a request under way is finished."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(_TIMEOUT_SECONDS)

    def _start(self) -> None:
        if not self._threads:
            self._threads = [threading.Thread(target=self._run, name="twin-readback", daemon=True) for _ in range(_POSTERS)]
            for thread in self._threads:
                thread.start()

    def _push(self, post: _Post) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._given_up += 1
            return
        heapq.heappush(self._waiting, post)
        self._changed.notify_all()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while posts := self._take():
                self._post(session, posts)

    def _take(self) -> list[_Post]:
        """Wait for what is due and return it, as many calls as its destination takes at once; nothing when closing."""
        with self._changed:
            while not self._closing:
                wait = self._waiting[0].due_at - time.monotonic() if self._waiting else _IDLE_SECONDS
                if self._waiting and wait <= 0:
                    return list(self._due())
                self._changed.wait(wait)
            return []

    def _due(self) -> Iterator[_Post]:
        first = heapq.heappop(self._waiting)
        yield first
        for _ in range(first.to.batch - 1):
            if not self._waiting or self._waiting[0].to is not first.to or self._waiting[0].due_at > time.monotonic():
                return
            yield heapq.heappop(self._waiting)

    def _post(self, session: requests.Session, posts: list[_Post]) -> None:
        to, calls = posts[0].to, [post.call for post in posts]
        body = calls[0] if to.batch == 1 else b"[" + b",".join(calls) + b"]"
        headers = {"Content-Type": "application/json", "User-Agent": "Segment.io/1.0"}
        try:
            status = session.post(to.url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False).status_code
        except requests.RequestException:
            status = 503
        with self._changed:
            if status in _RETRYABLE:
                self._again(posts)
            elif status < 300:  # noqa: PLR2004 - the 2xx class
                self._posted += len(posts)
            else:
                self._given_up += len(posts)

    def _again(self, posts: list[_Post]) -> None:
        for post in posts:
            if post.tries + 1 >= _TRIES:
                self._given_up += 1
                continue
            wait = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**post.tries)
            self._push(post._replace(due_at=time.monotonic() + wait, tries=post.tries + 1))
