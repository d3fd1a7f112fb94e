"""Send interactions as real clients do: again with the same messageId until they are acknowledged, and remember which were."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urlsplit

from tests.acceptance.service import Door
from tests.acceptance.waiting import until

_AGAIN_SECONDS = 0.05
_SILENCE_SECONDS = 30.0


def interaction(message_id: str, **fields: Any) -> dict[str, Any]:
    """Make one interaction in the words of Segment's Candu source page."""
    properties = {"tutorialId": 48213, "segmentId": "Everyone", "portalId": 311, "versionId": "2fd4e1c67a2d", "eventName": "Start tour"}
    return {"type": "tutorial.interaction", "userId": "user-1842", "properties": properties, "messageId": message_id, **fields}


class Client:
    """Speak to one door over one kept connection, as collectors do."""

    def __init__(self, door: Door) -> None:
        address = urlsplit(door.interactions_url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SILENCE_SECONDS)
        self._path = address.path
        self._headers = {"Authorization": f"Bearer {door.token}", "Content-Type": "application/json"}

    def post(self, body: bytes) -> tuple[int, str | None]:
        """Return status and Retry-After; status 0 when no answer came."""
        try:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("Retry-After")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Load:
    """Keep sending through one door from several threads while the `with` block runs.

    `each` events a request, `pause` seconds between two requests of a thread. `acknowledged` holds the ids answered 2xx.
    """

    def __init__(self, door: Door, name: str = "load", *, threads: int = 3, each: int = 5, pause: float = 0.02) -> None:
        self.acknowledged: set[str] = set()
        self.answers: Counter[int] = Counter()
        self.told_to_wait: set[str | None] = set()
        self._door, self._name, self._each, self._pause = door, name, each, pause
        self._changed = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,), name=f"load-{number}") for number in range(threads)]

    def __enter__(self) -> Self:
        """Begin to send."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sending; what has no answer yet stays unacknowledged."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def count(self) -> int:
        """Return how many events are acknowledged so far."""
        return len(self.acknowledged)

    def wait_for_more(self) -> None:
        """Wait until the doors have accepted something after this."""
        seen = self.count()
        until(lambda: self.count() > seen, "the doors to accept again")

    def _send(self, thread: int) -> None:
        client = Client(self._door)
        for number in itertools.count():
            ids = [f"{self._name}-{thread}-{number}-{each}" for each in range(self._each)]
            self._send_until_acknowledged(client, ids)
            if self._over.wait(self._pause):
                break
        client.close()

    def _send_until_acknowledged(self, client: Client, ids: list[str]) -> None:
        body = batch_of(ids)
        while True:
            status, retry_after = client.post(body)
            with self._changed:
                self.answers[status] += 1
                if status == http.client.SERVICE_UNAVAILABLE:
                    self.told_to_wait.add(retry_after)
                if status == http.client.ACCEPTED:
                    self.acknowledged.update(ids)
            if status == http.client.ACCEPTED or self._over.wait(_AGAIN_SECONDS):
                return

    def assert_only(self, *statuses: int) -> None:
        """Assert that every answer had one of these statuses, or was none because a connection broke, and none of them was absent."""
        assert set(self.answers) - {0} == set(statuses), self.answers


def batch_of(ids: Iterable[str], **fields: Any) -> bytes:
    """Return the body of one request."""
    return json.dumps({"batch": [interaction(each, **fields) for each in ids]}).encode()
