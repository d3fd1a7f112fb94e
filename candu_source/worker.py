"""Claim due lanes, deliver their batches side by side, settle what came of it: the second use case."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from candu_source.deliveries import Again, Batch, Bisect, Bury, Decision, Delivery, Hold, LaneKind, Outcome, Settlement, Singly
from candu_source.errors import Reason, StoreError
from candu_source.limits import Pace
from candu_source.ports import Destination, Keeper, Lanes, Observer, Stop
from candu_source.retry import decide, decide_singly

# How often an idle worker looks whether something is due; the look costs one read of the lanes.
_IDLE_SECONDS = 0.1
# Lanes claimed at a time: up to 16 x 4 batches of 450 KB in memory.
_LANES = 16
# Leases are renewed when a third of their time has gone; nothing new is sent when two thirds have.
_RENEW_PART, _LAST_PART = 1 / 3, 2 / 3
_PRUNE_EVERY_SECONDS = 1.0
_SETTLE_AGAIN_SECONDS = 0.5


@dataclass(slots=True)
class Run:
    """Follow one claimed lane until all its batches are settled or it must wait."""

    delivery: Delivery
    leased_at: float
    todo: deque[Batch]
    in_flight: int = 0
    refusals: int = 0
    over: bool = False

    @property
    def lane(self) -> tuple[str, str]:
        """Return the lane's name."""
        return self.delivery.connection_id, self.delivery.destination

    def heal(self) -> None:
        """Forget the refusals: something was accepted."""
        self.refusals = 0


@dataclass(slots=True)
class Sent:
    """Hold one answer that has come."""

    run: Run
    batch: Batch
    started_at: float
    outcome: Outcome
    seconds: float


@dataclass(slots=True)
class Worker:
    """Move events from lanes to destinations until told to stop.

    `lease_seconds` is the store's lease; `give_up_after` the age in seconds at which failing events are buried (0: never).
    """

    lanes: Lanes
    keeper: Keeper
    destinations: Mapping[LaneKind, Destination[Any]]
    pace: Pace
    observer: Observer
    name: str
    senders: int
    lease_seconds: float
    stop_seconds: float
    give_up_after: float = 0.0
    _runs: list[Run] = field(default_factory=list)
    _pending: dict[Future[Sent], Run] = field(default_factory=dict)
    _unsettled: list[tuple[Run, Settlement]] = field(default_factory=list)
    _pruned_at: float = 0.0
    _stop: Stop = field(default_factory=threading.Event)

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set; then finish what is in flight, within the limit, and give the lanes back."""
        self._stop = stop
        pool = ThreadPoolExecutor(self.senders, thread_name_prefix="sender")
        try:
            while not stop.is_set():
                self._guarded(lambda: self._step(pool))
            self._finish()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _step(self, pool: ThreadPoolExecutor) -> None:
        self._settle()
        self._renew()
        self._runs = [run for run in self._runs if run.in_flight or (run.todo and not run.over)]
        self._claim()
        self._wait(min(_IDLE_SECONDS, self._send(pool)))
        if not self._runs:
            self._prune()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Outlast what the store meets: outcomes wait in memory and are settled when it is back."""
        try:
            step()
        except StoreError as error:
            self.observer.tell("store.failed", worker=self.name, error=str(error), unsettled=len(self._unsettled))
            self._wait(_SETTLE_AGAIN_SECONDS)

    def _claim(self) -> None:
        """Take due lanes into free places: some in turn, failing ones among them, then healthy ones, so that neither kind has them all."""
        failing = sum(1 for run in self._runs if run.delivery.failures)
        self._take(min(max(1, self.senders // 2) - failing, _LANES // 2), healthy_only=False)
        self._take(_LANES, healthy_only=True)

    def _take(self, most: int, *, healthy_only: bool) -> None:
        free = min(most, _LANES - sum(1 for run in self._runs if run.todo), self.senders - len(self._pending))
        if free > 0:
            busy = [run.lane for run in self._runs]
            deliveries = self.lanes.claim(self.name, free, busy=busy, healthy_only=healthy_only)
            now = time.monotonic()
            self._runs += [Run(delivery, now, deque(delivery.batches)) for delivery in deliveries]

    def _send(self, pool: ThreadPoolExecutor) -> float:
        """Hand batches to the senders, a lane after the other; return the seconds until the pace lets more through."""
        now = time.monotonic()
        paced = _IDLE_SECONDS
        for run in sorted(self._runs, key=lambda run: run.in_flight):
            while run.todo and not run.over and len(self._pending) < self.senders and self._is_ours(run, now):
                seconds = self._paced(run.delivery, now)
                if seconds:
                    paced = min(paced, seconds)
                    break
                run.in_flight += 1
                self._pending[pool.submit(self._deliver, run, run.todo.popleft())] = run
        return paced

    def _paced(self, delivery: Delivery, now: float) -> float:
        """Return the seconds until a request to Segment may go; what a sync may send, its integration says."""
        return self.pace.take(delivery.target, now) if delivery.kind is LaneKind.SEGMENT else 0.0

    def _is_ours(self, run: Run, now: float) -> bool:
        """Tell whether the lease is young enough for another request to come back under it."""
        return now - run.leased_at < self.lease_seconds * _LAST_PART

    def _deliver(self, run: Run, batch: Batch) -> Sent:
        started_at, began = time.time(), time.perf_counter()
        try:
            outcome = self.destinations[run.delivery.kind].deliver(run.delivery.target, batch, run.delivery.failures)
        except Exception as error:  # noqa: BLE001 - what one far end provokes must not end the delivery to all others
            outcome = Outcome(Reason.NETWORK, detail=f"the destination broke: {type(error).__name__}")
        return Sent(run, batch, started_at, outcome, time.perf_counter() - began)

    def _wait(self, seconds: float) -> None:
        """Wait for answers, and decide what each answer means."""
        if not self._pending:
            self._stop.wait(seconds)
            return
        done, _ = wait(self._pending, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            self._decide(self._pending.pop(future), future.result())

    def _decide(self, run: Run, sent: Sent) -> None:
        run.in_flight -= 1
        decision = self._decision(run, sent)
        match decision:
            case Bisect():
                run.todo.extendleft(reversed(sent.batch.halves()))
            case Again() | Hold():
                run.over = True
            case Singly(_, _, at):
                run.over = run.over or at > 0
            case Bury():
                run.refusals += 1
            case _:
                run.heal()
        settlement = Settlement(run.delivery, sent.batch, sent.outcome, decision, sent.started_at, sent.seconds)
        self._unsettled.append((run, settlement))
        self._tell(settlement)

    def _decision(self, run: Run, sent: Sent) -> Decision | Singly:
        now, chance, failures = time.time(), random.random(), run.delivery.failures  # noqa: S311 - jitter
        if sent.outcome.each is not None:
            return decide_singly(sent.outcome, sent.batch, failures=failures, now=now, chance=chance)
        return decide(
            sent.outcome,
            sent.batch,
            failures=failures,
            refusals=run.refusals,
            now=now,
            chance=chance,
            give_up_after=self.give_up_after,
        )

    def _settle(self) -> None:
        if not self._unsettled:
            return
        kept = self.lanes.settle([settlement for _, settlement in self._unsettled])
        settled, self._unsettled = self._unsettled, []
        self._mark([run for run, _ in settled], kept)

    def _renew(self) -> None:
        now = time.monotonic()
        old = [run for run in self._runs if now - run.leased_at > self.lease_seconds * _RENEW_PART]
        if old:
            self._mark(old, self.lanes.renew([run.delivery for run in old]))

    def _mark(self, runs: Sequence[Run], kept: Sequence[bool]) -> None:
        """Note which leases stand; a lane that another worker has taken is left at once."""
        now = time.monotonic()
        for run, ours in zip(runs, kept, strict=True):
            if ours:
                run.leased_at = now
            elif not run.over:
                run.over = True
                self.observer.tell("lease.lost", worker=self.name, connection=run.delivery.connection_name)

    def _finish(self) -> None:
        """Let what is in flight come back and settle it; what is not back by the limit is sent again later."""
        for run in self._runs:
            run.over = True
        deadline = time.monotonic() + self.stop_seconds
        while self._pending and time.monotonic() < deadline:
            self._wait(_IDLE_SECONDS)
            self._guarded(self._settle)
        self._guarded(self._settle)
        self._guarded(lambda: self.lanes.release(self.name))

    def _prune(self) -> None:
        now = time.monotonic()
        if now - self._pruned_at >= _PRUNE_EVERY_SECONDS:
            deleted = self.keeper.prune()
            self._pruned_at = 0.0 if deleted else now
            self.observer.count("pruned_rows", deleted)

    def _tell(self, settlement: Settlement) -> None:
        delivery, outcome, events = settlement.delivery, settlement.outcome, len(settlement.batch.events)
        decision = type(settlement.decision).__name__.lower()
        self.observer.count("attempts", destination=delivery.kind, outcome=outcome.code)
        for part in settlement.parts():
            self.observer.count("attempted_events", len(part.events), destination=delivery.kind, decision=part.name)
        self.observer.time("attempt_seconds", settlement.seconds, destination=delivery.kind)
        self.observer.tell(
            "delivery.attempted",
            connection=delivery.connection_name,
            destination=delivery.destination,
            events=events,
            outcome=outcome.code,
            status=outcome.status,
            detail=outcome.detail,
            retry_after=outcome.retry_after,
            decision=decision,
            failures=delivery.failures,
            ms=round(settlement.seconds * 1000, 1),
        )
