"""Break the far end on purpose, for some requests or for some time, and heal it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec

from candu_source.twin.rules import Call, mentions

_LOOK_SECONDS = 1.0  # how often a held request looks whether its client is still there

_Natural = Annotated[int, msgspec.Meta(ge=1)]
_Header = Annotated[str, msgspec.Meta(pattern="^[ -~]{1,100}$")]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Describe one fault: at most one of status, black_hole, reset_after_body, refuse_event and drop_share; latency_ms goes with each.

    `drop_share` answers 200 and loses that share of the calls, the same ones whenever they are sent: their messageId decides.

    `count` (requests) and `seconds` end it, whichever comes first; with neither it lasts until healed. `source` (a
    `source_id`) restricts it to one write key. Raises ValueError for a combination that means nothing.
    """

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | _Header | None = None
    count: _Natural | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0, le=threading.TIMEOUT_MAX)] | None = None
    black_hole: bool = False
    reset_after_body: bool = False
    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 0
    refuse_event: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    drop_share: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        """Check the combination."""
        if sum(self._effects()) > 1:
            raise ValueError("one fault has one effect: choose among status, black_hole, reset_after_body, refuse_event and drop_share")
        if self.retry_after is not None and self.status is None:
            raise ValueError("retry_after needs status")
        if (self.count is not None or self.seconds is not None) and self.heals:
            raise ValueError("count and seconds need status, black_hole, reset_after_body, refuse_event, drop_share or latency_ms")

    def _effects(self) -> list[bool]:
        refuses, drops = self.refuse_event is not None, self.drop_share is not None
        return [self.status is not None, self.black_hole, self.reset_after_body, refuses, drops]

    @property
    def heals(self) -> bool:
        """Tell whether nothing is broken by this: setting it heals."""
        return not (any(self._effects()) or self.latency_ms)

    def loses(self, message_id: str) -> bool:
        """Tell whether this fault drops a call silently."""
        if self.drop_share is None:
            return False
        chance = int.from_bytes(hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()[:8])
        return chance < self.drop_share * 2**64


class ActiveFault:
    """Follow one fault while it lasts. Made by `Faults`."""

    def __init__(self, fault: Fault, now: Callable[[], float]) -> None:
        self.fault = fault
        self.left = fault.count
        self._now = now
        self._until = None if fault.seconds is None else now() + fault.seconds
        self._over = threading.Event()

    def end(self) -> None:
        """End it and let every waiting request go."""
        self._over.set()

    def seconds_left(self) -> float | None:
        """Return the seconds until it ends by itself (0 when it has), None when it does not."""
        return None if self._until is None else max(0.0, self._until - self._now())

    def delay(self) -> None:
        """Wait for latency_ms, less when the fault is healed meanwhile."""
        if self.fault.latency_ms:
            self._over.wait(self.fault.latency_ms / 1000)

    def hold(self, is_gone: Callable[[], bool]) -> None:
        """Wait until the fault is over, or until `is_gone` says that nobody waits for an answer any more."""
        while not is_gone():
            left = self.seconds_left()
            if self._over.wait(_LOOK_SECONDS if left is None else min(left, _LOOK_SECONDS)) or left == 0:
                return


class Faults:
    """Hold at most one fault for all requests and one for each source; the narrower wins. Safe to share between threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._active: dict[str | None, ActiveFault] = {}
        self._spent: list[ActiveFault] = []  # their count is used up, but they may still hold requests

    def set(self, fault: Fault) -> None:
        """Put this fault in place of the one for the same source; one that breaks nothing heals that source, or all."""
        if fault.heals and fault.source is None:
            self.heal()
            return
        with self._lock:
            spent = [held for held in self._spent if held.fault.source == fault.source]
            self._spent = [held for held in self._spent if held.fault.source != fault.source]
            for old in (self._active.pop(fault.source, None), *spent):
                if old is not None:
                    old.end()
            if not fault.heals:
                self._active[fault.source] = ActiveFault(fault, self._now)

    def heal(self) -> None:
        """End all faults; requests held in a black hole are let go, without an answer."""
        with self._lock:
            for old in (*self._active.values(), *self._spent):
                old.end()
            self._active.clear()
            self._spent.clear()

    def take(self, source: str | None, calls: Iterable[tuple[Call, bytes]]) -> ActiveFault | None:
        """Return the fault this request meets, and count the request; None when all is well.

        A refuse_event fault is met only by a request with a call of that name.
        """
        with self._lock:
            self._expire()
            active = self._active.get(source) or self._active.get(None)
            if active is None:
                return None
            name = active.fault.refuse_event
            if name is not None and not any(mentions(call, name) for call, _ in calls):
                return None
            if active.left is not None:
                active.left -= 1
                if active.left == 0:
                    self._spent.append(self._active.pop(active.fault.source))
            return active

    def shown(self) -> list[dict[str, object]]:
        """Return the active faults as they were set, each with `left` (requests) and `seconds_left` where it ends by itself."""
        with self._lock:
            self._expire()
            return [_show(active) for active in self._active.values()]

    def _expire(self) -> None:
        for source, active in list(self._active.items()):
            if active.seconds_left() == 0:
                del self._active[source]
                active.end()


def _show(active: ActiveFault) -> dict[str, object]:
    ends = {"left": active.left, "seconds_left": active.seconds_left()}
    shown: dict[str, object] = msgspec.to_builtins(active.fault)
    return shown | {name: value for name, value in ends.items() if value is not None}
