"""Count requests by token and by address, and refuse the ones that are too many."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from candu_source.errors import Reason, Refused

_WORDS: Mapping[str, str] = {
    "address": "from this address (CANDU_SOURCE_BROWSER_ADDRESS_LIMIT)",
    "token": "with this token (CANDU_SOURCE_BROWSER_TOKEN_LIMIT)",
}


class Quota:
    """Allow so many requests a minute from one address and with one token; each web process counts for itself."""

    def __init__(self, per_address: int, per_token: int) -> None:
        self._limits = {"address": RateLimitItemPerMinute(per_address), "token": RateLimitItemPerMinute(per_token)}
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())

    def spend(self, kind: str, name: str) -> None:
        """Count one request of an `address` or `token`; raise Refused 429 with the seconds to wait when there were too many."""
        limit = self._limits[kind]
        if self._windows.hit(limit, kind, name):
            return
        wait = max(1, math.ceil(self._windows.get_window_stats(limit, kind, name).reset_time - time.time()))
        raise Refused(429, Reason.TOO_MANY_REQUESTS, f"More than {limit.amount} requests a minute {_WORDS[kind]}.", retry_after=wait)
