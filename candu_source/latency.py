"""Count how long things take in logarithmic buckets, and read percentiles from them: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

# A bucket ends 10 % above the one before: what is read from it is off by less than 5 %.
RATIO = 1.1
# Bucket 0 holds all that takes no longer than a millisecond, the last one (32 days) all that takes longer.
LEAST_SECONDS = 0.001
LAST_BUCKET = 228
_LOG_RATIO = math.log(RATIO)


def bucket(seconds: float) -> int:
    """Return the bucket of a time: n holds what is longer than `LEAST_SECONDS * RATIO ** (n - 1)` and no longer than that `* RATIO`."""
    if seconds <= LEAST_SECONDS:
        return 0
    return min(LAST_BUCKET, math.ceil(math.log(seconds / LEAST_SECONDS) / _LOG_RATIO))


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """Return the time in seconds within which `share` (0 to 1) of what was counted came; None when nothing was.

    `buckets` is bucket -> count. The nearest rank, off by less than 5 % between `LEAST_SECONDS` and 32 days.
    """
    wanted = max(1, math.ceil(share * sum(buckets.values())))
    passed = 0
    for number in sorted(buckets):
        passed += buckets[number]
        if passed >= wanted:
            return middle(number)
    return None


def middle(number: int) -> float:
    """Return the time that stands for a bucket: the geometric mean of its ends."""
    return LEAST_SECONDS if number == 0 else LEAST_SECONDS * RATIO ** (number - 0.5)
