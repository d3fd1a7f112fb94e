"""Drive one sync by the real store and the real destination, a turn at a time, under a clock that a test moves."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from candu_source.deliveries import Batch, Decision, Delivery, Outcome, Settlement, Singly, StreamTarget, Tally
from candu_source.destinations.posting import Poster
from candu_source.destinations.streams import StreamDestination
from candu_source.integrations.tile import Integration
from candu_source.model import Admission, Connection, Event, Secret
from candu_source.retry import decide, decide_singly
from candu_source.store import Store
from candu_source.streams import CANDU_API, Stream
from tests.destinations.listening import Answer, whole
from tests.integrations.drafts import draft, events

NAME = "acme"
_SHIFT = (
    "UPDATE dead_letters SET due_at = due_at - :seconds, replay_at = replay_at - :seconds WHERE due_at > 0",
    "UPDATE lanes SET due_at = due_at - :seconds, waiting_since = waiting_since - :seconds, leased_until = leased_until - :seconds,"
    " leased_at = leased_at - :seconds",
)
_POISON = re.compile(rb"poison-(\d+)")


class FarEnd:
    """Answer 503, or 200 once it is well."""

    def __init__(self) -> None:
        self.well = False

    def __call__(self, _: bytes) -> Iterable[bytes]:
        """Answer one request."""
        return [whole("200 OK" if self.well else "503 Odd")]


class Clock:
    """Stand still until somebody sleeps; `pauses` are how long they did. `step` passes whenever it is read."""

    def __init__(self, step: float = 0.0) -> None:
        self.pauses: list[float] = []
        self._now, self._step = 1_000.0, step

    def __call__(self) -> float:
        """Tell the time."""
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and remember how much."""
        self.pauses.append(seconds)
        self._now += seconds


def acme(limits: Mapping[str, int] | None = None, **templates: Any) -> Integration:
    """Return an integration that posts the name of an event and who did it, some of its templates or limits changed."""
    parameters = [{"name": "endpoint", "display_name": "Endpoint"}, {"name": "key", "display_name": "Key", "secret": True}]
    return draft(parameters=parameters, events=events(**{"url": "${parameters.endpoint}", **templates}), limits=limits)


@dataclass(slots=True)
class Stage:
    """Hold a store with one connection, its lane to Segment off, and a sync that is on."""

    store: Store
    connection: Connection
    sync: Stream
    destination: StreamDestination
    now: float = field(default_factory=time.time)
    chance: float = 0.5

    def use(self, integration: Integration) -> None:
        """Release another version of the integration."""
        self.destination.find = lambda _: integration

    def send(self, *names: str, user: str | None = "u-1", door: str = "rest", **properties: Any) -> None:
        """Accept tracks of these names."""
        stored = []
        for name in names:
            track = {"type": "track", "userId": user, "event": name, "properties": {"plan": "team", **properties}, "messageId": f"m-{name}"}
            stored.append(Event(f"m-{name}", json.dumps(track).encode(), b"{}"))
        self.store.log.append(Admission(self.connection.id, door, events=tuple(stored)))

    def claim(self) -> list[Delivery]:
        """Take the sync's lane, if it is due."""
        return self.store.lanes.claim("w", 10)

    def deliver(self, delivery: Delivery) -> list[Settlement]:
        """Send what was taken, a batch after the other until the lane has to wait, and decide."""
        made = []
        assert isinstance(delivery.target, StreamTarget)
        for batch in delivery.batches:
            outcome = self.destination.deliver(delivery.target, batch, delivery.failures)
            made.append(Settlement(delivery, batch, outcome, self._decide(delivery, outcome, batch), self.now, 0.1))
            if not isinstance(made[-1].decision, Singly) or made[-1].decision.at:
                break
        return made

    def _decide(self, delivery: Delivery, outcome: Outcome, batch: Batch) -> Decision | Singly:
        if outcome.each is None:
            return decide(outcome, batch, failures=delivery.failures, refusals=0, now=self.now, chance=self.chance)
        return decide_singly(outcome, batch, failures=delivery.failures, now=self.now, chance=self.chance)

    def turn(self) -> list[Settlement]:
        """Claim, send and settle; return what was settled, nothing when nothing was due."""
        made = [settled for delivery in self.claim() for settled in self.deliver(delivery)]
        assert all(self.store.lanes.settle(made))
        return made

    def run(self) -> int:
        """Take turns until nothing is due; return how many there were."""
        turns = 0
        while self.turn():
            turns += 1
            assert turns < 200, "the lane is due again and again"
        return turns

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass for all that waits; less than none is a clock that jumps back."""
        with self.store.database.write() as db:
            for statement in _SHIFT:
                db.execute(statement, {"seconds": seconds})

    def waits(self) -> list[float]:
        """Return the seconds after which parked events are due, in their order in the log."""
        with self.store.database.read() as db:
            parked = db.execute("SELECT due_at FROM dead_letters WHERE replay_at IS NOT NULL AND due_at > 0 ORDER BY seq").fetchall()
        return [due_at - self.now for (due_at,) in parked]

    def lane(self, *columns: str) -> tuple[Any, ...]:
        """Read columns of the sync's lane."""
        with self.store.database.read() as db:
            row = db.execute(f"SELECT {', '.join(columns)} FROM lanes WHERE kind = 'stream'").fetchone()  # noqa: S608 - our own words
        return tuple(row)

    def tally(self) -> Tally:
        """Return the sync's tally, which has to hold."""
        found = next(each for each in self.store.ledger.tallies(check=True) if each.destination == NAME)
        assert found.holds, found.faults
        return found

    def counts(self) -> tuple[int, int, int, int]:
        """Return what the ledger says: delivered, dead, filtered, pending."""
        found = self.tally()
        return found.delivered, found.dead, found.filtered, found.pending

    def dead(self) -> dict[str, str]:
        """Return why which events are dead."""
        return {letter.message_id.removeprefix("m-"): letter.reason for letter in self.store.shelves.dead(self.connection.id, 100)}


def staged(
    store: Store,
    endpoint: str,
    integration: Integration | None = None,
    *,
    connection_name: str = "Prod",
    clock: Clock | None = None,
    timeout_seconds: float = 5.0,
    parameters: Mapping[str, str] | None = None,
    **choices: Any,
) -> Stage:
    """Make a stage whose sync posts to an endpoint; without an integration it is the native destination."""
    store.database._writer.execute("PRAGMA synchronous = OFF")  # there is nothing here about disks, and many a commit
    connection, _ = store.connections.add(Connection("", connection_name, segment_host="http://127.0.0.1:9"), Secret("k"), by="test")
    store.connections.set_lane(connection, "segment", enabled=False, by="test")
    name = NAME if integration else CANDU_API
    chosen = {"events": True, "users": True, "fields": {"id": "user_id"} if integration else {}, **choices}
    filled = {"endpoint": endpoint, **({} if integration else {"dialect": "bearer", "arrays": "no"}), **(parameters or {})}
    secrets = {"key" if integration else "apiKey": Secret("CANARY")}
    sync = store.streams.add(connection, Stream("", NAME, name, chosen, filled), secrets, by="test")
    clock = clock or Clock()
    poster = Poster(senders=1, timeout_seconds=timeout_seconds, allow_private=True)
    destination = StreamDestination(poster, lambda _: integration or acme(), clock, clock.sleep)
    return Stage(store, connection, store.streams.enable(connection, sync, by="test"), destination)


def refusing(*headers: str) -> Answer:
    """Answer with the number in an event called poison-NUMBER, else 200."""

    def answer(request: bytes) -> Iterable[bytes]:
        poison = _POISON.search(request)
        return [whole(f"{poison[1].decode()} Poison", b"{}", *headers) if poison else whole("200 OK", b"{}")]

    return answer


def in_turn(answers: Iterable[Answer]) -> Answer:
    """Answer each request by another."""
    each = iter(answers)

    def answer(request: bytes) -> Iterable[bytes]:
        return next(each)(request)

    return answer
