"""Raise notices: every few seconds read the signals, judge, and reconcile with what is open. A use case beside the delivery."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from candu_source.errors import StoreError
from candu_source.noticing import Found, Limits, Signals, judge
from candu_source.ports import Observer, Stop
from candu_source.pulse import pulse

_SHARE = 0.05
_STEP_SECONDS = 5.0


class Notices(Protocol):
    """What is open, and what it is judged by; needed by the sentinel."""

    def signals(self, now: float, listening_since: float) -> Signals:
        """Read what is judged by."""
        ...

    def reconcile(self, found: Sequence[Found], now: float) -> None:
        """Open what is new, close what is healed."""
        ...

    def forget(self, now: float) -> None:
        """Forget what was closed long ago."""
        ...


@dataclass(slots=True)
class Sentinel:
    """Keep notices as things are; `began` is when it began to look (seconds since the epoch)."""

    notices: Notices
    limits: Limits
    observer: Observer
    began: float = field(default_factory=time.time)

    def run(self, stop: Stop) -> None:
        """Look every five seconds until `stop` is set."""
        pulse(self._step, stop, self.observer, name="sentinel", share=_SHARE, idle_seconds=_STEP_SECONDS)

    def look(self, now: float) -> None:
        """Judge once; raise StoreError, having changed nothing for sure."""
        found = judge(self.notices.signals(now, self.began), self.limits, now)
        self.notices.reconcile(found, now)
        self.notices.forget(now)

    def _step(self) -> bool:
        try:
            self.look(time.time())
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - what one signal provokes must not end the delivery that runs beside
            self.observer.tell("notices.skipped", error=f"{type(error).__name__}: {error}")
        return False
