"""Declare what the use cases need of the floors above them, in Protocols of at most four methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from candu_source.deliveries import Batch, Delivery, Outcome, Settlement
from candu_source.findings import Knowledge, Lesson, Notice, Reading, Source, Subject
from candu_source.jobs import Aside, Page, Past, Replay, Step, Turn
from candu_source.model import Admission, Connection, Input, Receipt

To_contra = TypeVar("To_contra", contravariant=True)


class Log(Protocol):
    """The durable, ordered list of a connection's events; needed by intake."""

    def append(self, admission: Admission) -> Receipt:
        """Commit everything in `admission` and return the receipt; raise StoreBusy or StoreFull, having taken nothing for sure."""
        ...


class Lanes(Protocol):
    """One connection x one destination each: a place in the log plus retry state; needed by the worker."""

    def claim(self, worker: str, most: int, *, busy: Sequence[tuple[str, str]] = (), healthy_only: bool = False) -> list[Delivery]:
        """Take up to `most` due lanes under a lease, the longest-waiting first, none of `busy`, each with its next batches."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Write outcomes in one transaction and renew the leases; False for each whose lease was lost."""
        ...

    def renew(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Prolong the leases; False for each that was lost."""
        ...

    def release(self, worker: str) -> None:
        """Give back every lane that this worker holds."""
        ...


class Keeper(Protocol):
    """The store's housekeeping; needed by the worker."""

    def prune(self) -> int:
        """Delete one small step of what every lane has passed and retention has released; return the rows deleted."""
        ...


class Destination(Protocol[To_contra]):
    """Somewhere messages go, of one kind of target; needed by the worker."""

    def deliver(self, target: To_contra, batch: Batch, tries: int) -> Outcome:
        """Send one batch once and say what came back; never decide, never raise for what the far end does."""
        ...


class Shapes(Protocol):
    """What came in, in order, and what is known of its shape; needed by the watch."""

    def read(self, source: Source, most: int) -> Reading:
        """Return about so many inputs that were not read yet, oldest first."""
        ...

    def knowledge(self, subject: Subject) -> Knowledge:
        """Return what was learned and noticed of a subject."""
        ...

    def events(self, connection: str, door: str) -> set[str]:
        """Return the events of which anything was learned or noticed."""
        ...

    def keep(self, reading: Reading, notices: Sequence[Notice], lessons: Sequence[Lesson]) -> None:
        """Write all that a reading gave and where it ended, together; raise StaleLease when another has read on meanwhile."""
        ...


class Index(Protocol):
    """What events can be found by and how many came; needed by indexing."""

    def read_on(self, most: int) -> int:
        """Take in about so many inputs of each kind that were not read yet, oldest first; return how many that were."""
        ...


class Named(Protocol):
    """Connections by name or id; needed by the watch."""

    def named(self, name: str) -> Connection:
        """Find a connection; raise NotFound."""
        ...


class Contents(Protocol):
    """Candu's contents that a connection has seen; needed by the watch."""

    def seen(self, connection: str, pairs: Sequence[tuple[str, str | None]]) -> int:
        """Add what these pairs of content id and slug say that is new; return how many contents that changed."""
        ...


class Hear(Protocol):
    """How a door reads a body; needed by replays."""

    def __call__(self, body: bytes, connection: Connection, /) -> Sequence[Input]:
        """Return what each item is; raise Refused for a body that is too much."""
        ...


class Turns(Protocol):
    """Replays, lent by lease; needed by replaying."""

    def take(self, worker: str, only: int | None = None) -> Turn | None:
        """Take the job that is due and was left alone longest, or the one named; None when none may go on now."""
        ...

    def settle(self, turn: Turn, step: Step) -> bool:
        """Write down what a step did, all together; False, having written nothing, when the lease was lost."""
        ...

    def release(self, worker: str) -> None:
        """Give back every job that this worker holds."""
        ...


class Replayable(Protocol):
    """What replays work through, a page at a time; needed by replaying."""

    def events(self, replay: Replay) -> Page[Past]:
        """Read the next events of the log, about as many as one request may hold."""
        ...

    def aside(self, replay: Replay) -> Page[Aside]:
        """Read the next rejects or filtered events."""
        ...

    def dead(self, replay: Replay) -> Page[int]:
        """Read the places of the next dead letters."""
        ...


class Mendable(Protocol):
    """Rejects that are edited by hand; needed by mending."""

    def reject(self, connection: str, identifier: int) -> Aside:
        """Find one; raise NotFound."""
        ...

    def mended(self, connection: Connection, identifier: int, *, by: str) -> None:
        """Forget one whose edited bytes were accepted, and say so in the audit."""
        ...


class Observer(Protocol):
    """Where facts are told; needed by every floor."""

    def tell(self, fact: str, **fields: Any) -> None:
        """Write one wide log line."""
        ...

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a declared counter."""
        ...

    def time(self, metric: str, seconds: float, **labels: str) -> None:
        """Add one observation to a declared histogram."""
        ...


class Stop(Protocol):
    """Tell whether to stop, as `threading.Event` does; needed by what works until then."""

    def is_set(self) -> bool:
        """Tell whether to stop."""
        ...

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds, or until it is time to stop; tell which."""
        ...
