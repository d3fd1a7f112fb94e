"""Send notices to their channels: in order, at least once, no channel waiting for another. A use case beside the delivery."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from candu_source.causes import Urgency
from candu_source.channels import Answer, ChannelKind, Letter, Post, What
from candu_source.errors import StoreError
from candu_source.model import Secret
from candu_source.ports import Observer, Stop
from candu_source.pulse import pulse

_SHARE = 0.05
_STEP_SECONDS = 0.5
# Channels that failed their last try share few threads, so that those that answer never wait for them.
_HEALTHY, _FAILING = 8, 4
_MOST = 50
_UNREADABLE = "the address does not decrypt; set CANDU_SOURCE_SECRET_KEY to the key it was stored with, or add the channel anew"


class Posts(Protocol):
    """What waits for the channels; needed by the announcer."""

    def due(self, most: int, busy: Collection[int], now: float) -> list[Post]:
        """Return the next post of each channel that is due and not busy."""
        ...

    def settle(self, post: Post, answer: Answer, now: float) -> None:
        """Write down what became of a try."""
        ...


class Messenger(Protocol):
    """The way to a channel; needed by the announcer."""

    def send(self, kind: ChannelKind, address: Secret, letter: Letter) -> Answer:
        """Send one letter once and say what came back; never raise for what the far end does."""
        ...


@dataclass(slots=True)
class Announcer:
    """Take what is due, send each in a thread, settle."""

    posts: Posts
    messenger: Messenger
    observer: Observer
    _under_way: dict[int, Future[None]] = field(default_factory=dict)
    _healthy: Executor = field(default_factory=lambda: ThreadPoolExecutor(_HEALTHY, "announcer"))
    _failing: Executor = field(default_factory=lambda: ThreadPoolExecutor(_FAILING, "announcer-again"))

    def run(self, stop: Stop) -> None:
        """Send until `stop` is set; what is under way then is sent again by the next one."""
        try:
            pulse(self._step, stop, self.observer, name="announcer", share=_SHARE, idle_seconds=_STEP_SECONDS)
        finally:
            for pool in (self._healthy, self._failing):
                pool.shutdown(wait=False, cancel_futures=True)

    def _step(self) -> bool:
        """Begin what is due; there is never more to do at once, a channel has one letter under way."""
        self._under_way = {channel: sending for channel, sending in self._under_way.items() if not sending.done()}
        for post in self.posts.due(_MOST, self._under_way, time.time()):
            pool = self._failing if post.tries else self._healthy
            self._under_way[post.channel] = pool.submit(self._send, post)
        return False

    def _send(self, post: Post) -> None:
        answer = self._answer(post)
        letter = post.letter
        self.observer.tell("notice.sent", notice=letter.id, what=letter.what, channel=post.channel, ok=answer.ok, answer=answer.detail)
        try:
            self.posts.settle(post, answer, time.time())
        except StoreError as error:
            self.observer.tell("store.failed", worker="announcer", error=str(error))

    def _answer(self, post: Post) -> Answer:
        if post.address is None:
            return Answer(ok=False, detail=_UNREADABLE)
        try:
            return self.messenger.send(post.kind, post.address, post.letter)
        except Exception as error:  # noqa: BLE001 - one address must not end the delivery that runs beside
            return Answer(ok=False, detail=type(error).__name__)


def test_letter(now: float) -> Letter:
    """Return what tries a channel."""
    text = "This is a test, sent because somebody asked for it: notices of candu-source arrive here."
    return Letter(What.TEST, 0, "test", "", Urgency.NOTE, text, now)
