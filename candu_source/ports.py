"""Declare what the use cases need of the floors above them, in Protocols of at most four methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from candu_source.model import Admission, Batch, Delivery, Outcome, Receipt, Settlement, Target


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


class Destination(Protocol):
    """Somewhere messages go; needed by the worker."""

    def deliver(self, target: Target, batch: Batch, tries: int) -> Outcome:
        """Send one batch once and say what came back; never decide, never raise for what the far end does."""
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
