"""Hold the nouns of delivery as frozen values: what a worker takes, what a try meets, and what is decided; nothing here acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from candu_source.errors import Reason
from candu_source.model import Secret
from candu_source.streams import Stream


class LaneKind(StrEnum):
    """Say what a lane leads to: Segment, a warehouse, or the destination of a sync."""

    SEGMENT = "segment"
    WAREHOUSE = "warehouse"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Target:
    """Say where a lane delivers: base URL without `/v1`, and the write key."""

    host: str
    write_key: Secret


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """Say what a sync is, and what its secret parameters hold."""

    stream: Stream
    secrets: Mapping[str, Secret]

    @property
    def parameters(self) -> dict[str, str]:
        """Return what templates are filled with: plain parameters and what the secret ones hold."""
        return {**self.stream.parameters, **{name: secret.reveal() for name, secret in self.secrets.items()}}


class Stored(NamedTuple):
    """Hold one event on its way out; `ref` belongs to the store and means nothing elsewhere.

    `tries` counts those of an event that is parked. For a sync, `door` and `raw` say how and as what it came.
    """

    ref: int
    message: bytes
    accepted_at: float
    tries: int = 0
    door: str = ""
    raw: bytes = b""


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

    `failures` counts the tries in a row that did not get through; of a sync, the events in a row.
    """

    connection_id: str
    connection_name: str
    destination: str
    target: Target | StreamTarget
    failures: int
    batches: tuple[Batch, ...]
    lease: object = None
    kind: LaneKind = LaneKind.SEGMENT


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what a try met: a reason code, HTTP status when there was one, a masked detail, and Retry-After in seconds.

    A destination that answers event by event says what `each` met, in the order of the batch; those beyond it were not tried. `left_out`
    counts the values in them that it does not take.
    """

    code: Reason
    status: int | None = None
    detail: str = ""
    retry_after: float | None = None
    each: tuple[Outcome, ...] | None = None
    left_out: int = 0


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


# What is decided for a batch as a whole.
Decision = Advance | Again | Bury | Bisect | Hold


@dataclass(frozen=True, slots=True)
class Filter:
    """Decide: this event is none of the lane's, for this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Park:
    """Decide: set this event aside, and try it again at `at` (seconds since the epoch); the lane goes on without it."""

    at: float


Verdict = Advance | Filter | Park | Bury


@dataclass(frozen=True, slots=True)
class Singly:
    """Decide for each of the first events of a batch by itself; the others were not tried.

    `failures` counts the events in a row, up to the last, that did not get through. The lane goes on at `at` (seconds since the epoch,
    0 for at once), or `sooner` if the time of a parked event comes before.
    """

    verdicts: tuple[Verdict, ...]
    failures: int
    at: float = 0.0
    sooner: bool = False


class Part(NamedTuple):
    """Hold events that met the same, and what was decided for them."""

    events: Sequence[Stored]
    outcome: Outcome
    decision: Decision | Verdict | Singly

    @property
    def name(self) -> str:
        """Return what the decision is called in the store, in metrics and in the log."""
        return type(self.decision).__name__.lower()


@dataclass(frozen=True, slots=True)
class Settlement:
    """Report one try: which events, what it met, what was decided, when it began (epoch) and how long it took (seconds)."""

    delivery: Delivery
    batch: Batch
    outcome: Outcome
    decision: Decision | Singly
    started_at: float
    seconds: float

    def parts(self) -> list[Part]:
        """Return the events that were tried, neighbours that met the same together."""
        if not isinstance(self.decision, Singly):
            return [Part(self.batch.events, self.outcome, self.decision)]
        tried = zip(self.outcome.each or (), self.decision.verdicts, self.batch.events, strict=False)
        return [Part([event for *_, event in some], *met) for met, some in groupby(tried, key=lambda each: each[:2])]


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
