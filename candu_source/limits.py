"""Say how much one request holds, and pace requests: a bucket of tokens per write key and one for all; `now` is an argument (monotonic)."""

from __future__ import annotations

import threading
from collections.abc import Hashable

# Segment: 500 KB and 2 500 events a batch; 50 KB of head-room for the envelope and for how the far end counts.
BATCH_BYTES = 450_000
BATCH_EVENTS = 2_500


class Bucket:
    """Let `rate` requests a second through, with a burst of one second's worth."""

    __slots__ = ("_burst", "_filled_at", "_level", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._burst = max(1.0, rate)
        self._level = self._burst
        self._filled_at = now

    def wait(self, now: float) -> float:
        """Return the seconds until a request may go, 0 when it may go now."""
        self._level = min(self._burst, self._level + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
        return max(0.0, (1.0 - self._level) / self._rate)

    def take(self) -> None:
        """Count one request that goes now."""
        self._level -= 1.0

    def is_full(self, now: float) -> bool:
        """Tell whether it holds its whole burst, so that forgetting it changes nothing."""
        return self.wait(now) == 0.0 and self._level >= self._burst


class Pace:
    """Hold the bucket of all requests and one per key; keys at rest are forgotten. Safe to share between threads."""

    _MOST_KEYS = 10_000

    def __init__(self, *, rate: float, key_rate: float, now: float) -> None:
        self._all = Bucket(rate, now)
        self._key_rate = key_rate
        self._keys: dict[Hashable, Bucket] = {}
        self._taking = threading.Lock()

    def take(self, key: Hashable, now: float) -> float:
        """Return 0 and count the request, or the seconds until it may go, having counted nothing."""
        with self._taking:
            return self._take(key, now)

    def _take(self, key: Hashable, now: float) -> float:
        if len(self._keys) >= self._MOST_KEYS:
            self._keys = {name: bucket for name, bucket in self._keys.items() if not bucket.is_full(now)}
        bucket = self._keys.setdefault(key, Bucket(self._key_rate, now))
        wait = max(self._all.wait(now), bucket.wait(now))
        if wait == 0.0:
            self._all.take()
            bucket.take()
        return wait
