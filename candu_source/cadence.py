"""Say when a warehouse is synced next: pure, `now` an argument."""

from __future__ import annotations

_MINUTE = 60.0


def next_sync(every: int, failures: int, now: float) -> float:
    """Return when the next sync is due (seconds since the epoch): the next multiple of `every` minutes since midnight UTC.

    After failures in a row it is tried sooner: after 1, 2, 4… minutes, and never later than it would be anyway.
    """
    step = every * _MINUTE
    regular = (now // step + 1) * step
    if not failures:
        return regular
    return min(regular, now + _MINUTE * 2.0 ** min(failures - 1, 16))
