"""Keep warehouses up to date: look which is due, let each sync be a process of its own, note what ended badly."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from candu_source.errors import NotFound
from candu_source.ports import Observer, Stop
from candu_source.pulse import pulse
from candu_source.warehouses import Sync, Warehouse

_SHARE = 0.05


class Warehouses(Protocol):
    """Which warehouses are due, and what became of their syncs; needed by upkeep."""

    def due(self, now: float) -> list[Warehouse]:
        """List those that are due, the longest-waiting first."""
        ...

    def ended(self, warehouse: Warehouse, sync: Sync, *, now: float) -> None:
        """Write down what a sync did, and when the next is due."""
        ...

    def abandon(self) -> None:
        """Note that no sync is under way."""
        ...


class Process(Protocol):
    """A sync under way, as `subprocess.Popen` is one."""

    def poll(self) -> int | None:
        """Return its exit code once it has ended."""
        ...

    def kill(self) -> None:
        """End it at once; what it has not committed is not loaded."""
        ...


@dataclass(slots=True)
class UnderWay:
    """Follow one sync; `until` is when it has taken too long, by the monotonic clock."""

    warehouse: Warehouse
    process: Process
    started_at: float
    until: float


@dataclass(slots=True)
class Upkeeper:
    """Start at most so many syncs at a time, each by `start`; a sync writes down itself what it did, and ends with 0.

    One that takes longer than `most_seconds` is killed: a far end may be there and never answer.
    """

    warehouses: Warehouses
    start: Callable[[Warehouse], Process]
    observer: Observer
    most: int
    most_seconds: float
    _under_way: list[UnderWay] = field(default_factory=list)

    def run(self, stop: Stop) -> None:
        """Look every second until `stop` is set; then end what is under way."""
        self.warehouses.abandon()
        try:
            pulse(self._step, stop, self.observer, name="warehouses", share=_SHARE)
        finally:
            for each in self._under_way:
                each.process.kill()

    def _step(self) -> bool:
        self._under_way = [each for each in self._under_way if not self._ended(each)]
        for warehouse in self._next(self.warehouses.due(time.time())):
            self._under_way.append(UnderWay(warehouse, self.start(warehouse), time.time(), time.monotonic() + self.most_seconds))
            self.observer.tell("warehouse.sync", connection=warehouse.connection, warehouse=warehouse.name)
        return False

    def _next(self, due: Sequence[Warehouse]) -> list[Warehouse]:
        busy = {(each.warehouse.connection, each.warehouse.name) for each in self._under_way}
        free = [each for each in due if (each.connection, each.name) not in busy]
        return free[: max(0, self.most - len(busy))]

    def _ended(self, each: UnderWay) -> bool:
        code = each.process.poll()
        if code is None and time.monotonic() > each.until:
            each.process.kill()
        if code:
            now = time.time()
            with contextlib.suppress(NotFound):  # the warehouse was removed meanwhile
                self.warehouses.ended(each.warehouse, Sync(each.started_at, now - each.started_at, error=_why(code)), now=now)
        return code is not None


def _why(code: int) -> str:
    if code < 0:
        return f"the sync was killed (signal {-code}); what it had committed stays"
    return f"the process of the sync ended with code {code}; its last log lines say why"
