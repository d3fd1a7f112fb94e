"""Let many customers share one worker: their doors stay open while the worker is started for each round anew."""

from __future__ import annotations

import contextlib
import http.client
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from candu_source.twin import Twin
from tests.acceptance.hands import connect
from tests.acceptance.load import Client, batch_of
from tests.acceptance.proof import drain
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_NO_LIMIT = 1_000_000
# So large that a few events fill a request to Segment: many requests with few events.
_EVENT_CHARACTERS = 30_000
EVENTS_A_BATCH = 14
_HANDS = 4


class Crowd:
    """Hold a service with many connections, each delivering to the twin under its own name as write key."""

    def __init__(self, service: Service, twin: Twin, doors: Sequence[Door]) -> None:
        self.service = service
        self.twin = twin
        self.doors = doors
        self._numbers = itertools.count()

    @classmethod
    @contextlib.contextmanager
    def gathered(cls, directory: Path, size: int) -> Iterator[Crowd]:
        """Open the doors of a crowd of connections; no worker runs yet."""
        settings = {"requests_per_second": _NO_LIMIT, "key_requests_per_second": _NO_LIMIT}
        with Twin(keep=1) as twin, Service(directory, **settings) as service:
            service.start("web")
            until(service.answers, "the doors to open")
            yield cls(service, twin, connect(service, {f"crowd-{number:02}": twin.url for number in range(size)}))
            service.stop("web")

    def send(self, doors: Sequence[Door], batches: int) -> int:
        """Have so many full requests wait for each of these; return the number of events."""
        bodies = [(door, self._body()) for door in doors for _ in range(batches)]
        with ThreadPoolExecutor(_HANDS) as hands:
            statuses = set(hands.map(_post, bodies))
        assert statuses == {http.client.ACCEPTED}
        return len(bodies) * EVENTS_A_BATCH

    def _body(self) -> bytes:
        first = next(self._numbers) * EVENTS_A_BATCH
        return batch_of((f"crowd-{first + each}" for each in range(EVENTS_A_BATCH)), context={"page": {"title": "x" * _EVENT_CHARACTERS}})

    @contextlib.contextmanager
    def working(self, *, drained: bool = True, **settings: object) -> Iterator[None]:
        """Let a worker deliver; at the end heal the far end, let everything drain unless told otherwise, and stop it."""
        before = dict(self.service.settings)
        self.service.settings.update(settings)
        self.service.start("worker")
        self.service.settings = before
        try:
            yield
            self.twin.heal()
            if drained:
                drain(self.service)
        finally:
            self.twin.heal()
            code = self.service.stop("worker")
        assert code == 0


def _post(letter: tuple[Door, bytes]) -> int:
    """Send until there is an answer that is not 503; return its status."""
    door, body = letter
    with contextlib.closing(Client(door)) as client:
        return until(lambda: _final(client.post(body)[0]), "an answer")


def _final(status: int) -> int | None:
    return None if status in (0, http.client.SERVICE_UNAVAILABLE) else status
