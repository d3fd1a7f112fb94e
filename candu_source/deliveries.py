"""Hold the nouns of delivery as frozen values: what a worker takes, what a try meets, and what is decided; nothing here acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from candu_source.errors import Reason
from candu_source.model import Secret


@dataclass(frozen=True, slots=True)
class Target:
    """Say where a lane delivers: base URL without `/v1`, and the write key."""

    host: str
    write_key: Secret


class Stored(NamedTuple):
    """Hold one event on its way out; `ref` belongs to the store and means nothing elsewhere."""

    ref: int
    message: bytes
    accepted_at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the events of one request to a destination; `replay` marks dead letters sent again."""

    events: tuple[Stored, ...]
    replay: bool = False

    def halves(self) -> tuple[Batch, Batch]:
        """Split into two, to close in on a poison event."""
        middle = len(self.events) // 2
        return Batch(self.events[:middle], self.replay), Batch(self.events[middle:], self.replay)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hold what a worker took from one lane under a lease; `lease` belongs to the store.

    `failures` counts the tries in a row that did not get through.
    """

    connection_id: str
    connection_name: str
    destination: str
    target: Target
    failures: int
    batches: tuple[Batch, ...]
    lease: object = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what a try met: a reason code, HTTP status when there was one, a masked detail, and Retry-After in seconds."""

    code: Reason
    status: int | None = None
    detail: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """Decide: these events are delivered."""


@dataclass(frozen=True, slots=True)
class Again:
    """Decide: try the lane again at `at` (seconds since the epoch)."""

    at: float


@dataclass(frozen=True, slots=True)
class Bury:
    """Decide: these events are dead, for this reason; they can be replayed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Bisect:
    """Decide: something in this batch is refused; try its halves."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Decide: nobody but a person can mend this; keep everything and wait for them."""

    reason: Reason


Decision = Advance | Again | Bury | Bisect | Hold


@dataclass(frozen=True, slots=True)
class Settlement:
    """Report one try: which events, what it met, what was decided, when it began (epoch) and how long it took (seconds)."""

    delivery: Delivery
    batch: Batch
    outcome: Outcome
    decision: Decision
    started_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Count one lane's events by where they ended; `accepted` is the sum of the other four when the ledger holds.

    `kind` is what the lane leads to; events wait for a warehouse's next sync, which is no sign of trouble.
    """

    connection: str
    destination: str
    accepted: int
    delivered: int
    dead: int
    filtered: int
    pending: int
    held: str | None = None
    oldest_pending: float | None = None
    faults: tuple[str, ...] = ()
    kind: str = "segment"

    @property
    def holds(self) -> bool:
        """Tell whether nothing vanished."""
        return not self.faults and self.accepted == self.delivered + self.dead + self.filtered + self.pending
