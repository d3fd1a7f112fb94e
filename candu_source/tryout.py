"""Send one event of our own down the river and tell how far it came."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from candu_source import intake
from candu_source.confirming import Cause, Evidence, causes_of_nothing
from candu_source.deliveries import Tally
from candu_source.mapping import message_id
from candu_source.model import Call, Connection
from candu_source.ports import Log, Observer

EVENT = "candu-source test"
USER = "candu-source-test"
# It is a call of Candu's REST API in every respect, so that it is found, shown and replayed like one.
_DOOR = "rest"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Arrival:
    """Say how far a test event came.

    `state` is pending, accepted (by Segment), confirmed or dead; `detail` why it waits or died, a reason code or `paused`; `readback`
    whether Segment can tell that it stored it; `causes` why nothing was heard of it, the likeliest first, once it is accepted.
    """

    state: str
    detail: str = ""
    readback: bool = False
    causes: tuple[Cause, ...] = ()

    @property
    def is_final(self) -> bool:
        """Tell whether waiting longer changes nothing."""
        return self.state in ("confirmed", "dead") or (self.state == "accepted" and not self.readback)

    @property
    def is_heard_of(self) -> bool:
        """Tell whether it came as far as can be known."""
        return self.state == "confirmed" or (self.state == "accepted" and not self.readback)

    @property
    def text(self) -> str:
        """Return it as a sentence."""
        if self.state == "accepted" and self.readback:
            return "Segment accepted it; nothing was heard back yet."
        return {
            "confirmed": "Segment stored it and sent it back.",
            "accepted": "Segment accepted it; without a readback address nobody knows whether it was stored.",
            "dead": f"It was given up: {self.detail}. `candu-source dead list` tells more.",
        }.get(self.state, f"It waits{f': {self.detail}' if self.detail else '; is a worker running?'}")


class Audit(Protocol):
    """Write down who did what; needed here."""

    def note(self, by: str, action: str, name: str, changes: Mapping[str, tuple[Any, Any]], *, connection: str | None = None) -> None:
        """Add a row."""
        ...


class Life(Protocol):
    """What is known of one event; needed here."""

    @property
    def states(self) -> Mapping[str, tuple[str, str | None]]:
        """Return destination -> (delivered, dead or pending; reason)."""
        ...

    @property
    def confirmed(self) -> Mapping[str, float]:
        """Return destination -> when it was sent back."""
        ...


class Trace(Protocol):
    """Find an event; needed here."""

    def life(self, connection: str, message_id: str) -> Life:
        """Return everything known of one event; raise NotFound."""
        ...


class Confirmations(Protocol):
    """What came back; needed here."""

    def evidence(self, connection: str, destination: str, now: float) -> Evidence:
        """Return what is known of a lane's confirmations."""
        ...


class Ledger(Protocol):
    """Where lanes stand; needed here."""

    def tallies(self, connection: str | None = None) -> Sequence[Tally]:
        """Return one tally a lane."""
        ...


def send_test(log: Log, audit: Audit, observer: Observer, connection: Connection, *, by: str, now: datetime) -> str:
    """Append a track call named EVENT like any event and return its message id; raise StoreBusy or StoreFull."""
    own = f"test-{uuid.uuid4()}"
    said = {"type": "track", "userId": USER, "event": EVENT, "properties": {"by": by}, "messageId": own, "timestamp": _iso(now)}
    body = {"event": EVENT, "properties": {"by": by}}
    call = Call(0, _encode(said), "track", EVENT, USER, None, body, {}, id=own, occurred_at=_iso(now))
    intake.accept(connection, _DOOR, [call], log, observer)
    sent = message_id(connection.id, own)
    audit.note(by, "test.sent", connection.name, {"message_id": (None, sent)}, connection=connection.id)
    return sent


def heard(
    trace: Trace, confirmations: Confirmations, ledger: Ledger, connection: Connection, destination: str, sent: str, now: float
) -> Arrival:
    """Return how far a test event has come on one lane (now: epoch seconds); raise NotFound."""
    life = trace.life(connection.id, sent)
    state, reason = life.states[destination]
    evidence = confirmations.evidence(connection.id, destination, now)
    if destination in life.confirmed:
        return Arrival("confirmed", readback=True)
    if state == "delivered":
        return Arrival("accepted", readback=evidence.ready, causes=causes_of_nothing(evidence, now) if evidence.ready else ())
    return Arrival(state, reason or _why_it_waits(ledger, connection, destination), readback=evidence.ready)


def _why_it_waits(ledger: Ledger, connection: Connection, destination: str) -> str:
    if connection.paused:
        return "paused"
    return next((tally.held for tally in ledger.tallies(connection.id) if tally.destination == destination and tally.held), "")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
