"""Count requests by token, by address and by connection, and refuse the ones that are too many."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from candu_source.errors import Reason, Refused
from candu_source.model import Connection

_WORDS: Mapping[str, str] = {
    "address": "from this address (CANDU_SOURCE_BROWSER_ADDRESS_LIMIT)",
    "token": "with this token (CANDU_SOURCE_BROWSER_TOKEN_LIMIT)",
    "connection": "to this connection (`connections set NAME --requests-per-minute`)",
}
# How long it is believed how many events wait: at the full rate of a door a quota is passed by what comes in so long.
_BELIEVED_SECONDS = 1.0
# What waits goes when a person has mended the lane, or the far end has healed.
_FULL_RETRY_SECONDS = 30


class Quota:
    """Allow so many requests a minute from one address and with one token; each web process counts for itself."""

    def __init__(self, per_address: int, per_token: int) -> None:
        self._limits = {"address": RateLimitItemPerMinute(per_address), "token": RateLimitItemPerMinute(per_token)}
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())

    def spend(self, kind: str, name: str) -> None:
        """Count one request of an `address` or `token`; raise Refused 429 with the seconds to wait when there were too many."""
        _hit(self._windows, self._limits[kind], kind, name)


class ConnectionQuota:
    """Hold each connection to its own limits: requests a minute, which each web process counts for itself, and events that may wait."""

    def __init__(self, waiting: Callable[[str], int]) -> None:
        self._waiting = waiting
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._known: dict[str, tuple[float, int]] = {}

    def spend(self, connection: Connection) -> None:
        """Count one request; raise Refused 429 when there were too many, 503 when too many events wait."""
        if connection.requests_per_minute:
            _hit(self._windows, RateLimitItemPerMinute(connection.requests_per_minute), "connection", connection.id)
        if connection.pending_most and (waiting := self._waiting_of(connection.id)) >= connection.pending_most:
            full = f"{waiting} events of this connection wait to be delivered, and {connection.pending_most} may"
            advice = "Deliver them (`connections resume NAME`), or let more wait (`connections set NAME --pending-most`)."
            sentence = f"{full}. {advice} Nothing was taken: send it again."
            raise Refused(503, Reason.QUOTA_FULL, sentence, retry_after=_FULL_RETRY_SECONDS)

    def _waiting_of(self, connection: str) -> int:
        known = self._known.get(connection)
        if known and time.monotonic() - known[0] < _BELIEVED_SECONDS:
            return known[1]
        waiting = self._waiting(connection)
        self._known[connection] = time.monotonic(), waiting
        return waiting


def _hit(windows: SlidingWindowCounterRateLimiter, limit: RateLimitItem, kind: str, name: str) -> None:
    """Count one request; raise Refused 429 with the seconds to wait when there were too many."""
    if windows.hit(limit, kind, name):
        return
    wait = max(1, math.ceil(windows.get_window_stats(limit, kind, name).reset_time - time.time()))
    raise Refused(429, Reason.TOO_MANY_REQUESTS, f"More than {limit.amount} requests a minute {_WORDS[kind]}.", retry_after=wait)
