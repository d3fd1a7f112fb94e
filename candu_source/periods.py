"""Cut the past into the periods that people look at, and those into the points of a chart: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from candu_source.errors import UsageError

MINUTE, HOUR = 60, 3_600
DAY = 24 * HOUR
# How long what is counted by the minute, and by the hour, is kept; Amplitude has four hours of minutes and 90 days of hours.
KEPT: Mapping[int, int] = MappingProxyType({MINUTE: 2 * DAY, HOUR: 90 * DAY})
MOST_POINTS = 120


class Period(StrEnum):
    """Name a stretch of time as Amplitude does (Event Streaming Metrics Summary API, `time_period`)."""

    TEN_MINUTES = "TEN_MINUTES"
    ONE_HOUR = "ONE_HOUR"
    FOUR_HOURS = "FOUR_HOURS"
    ONE_DAY = "ONE_DAY"
    ONE_WEEK = "ONE_WEEK"
    TWO_WEEKS = "TWO_WEEKS"
    CUSTOM = "CUSTOM"


# Period -> its length and the distance of its points, in seconds.
_LENGTHS: Mapping[Period, tuple[int, int]] = MappingProxyType(
    {
        Period.TEN_MINUTES: (10 * MINUTE, MINUTE),
        Period.ONE_HOUR: (HOUR, MINUTE),
        Period.FOUR_HOURS: (4 * HOUR, 2 * MINUTE),
        Period.ONE_DAY: (DAY, 15 * MINUTE),
        Period.ONE_WEEK: (7 * DAY, 2 * HOUR),
        Period.TWO_WEEKS: (14 * DAY, 4 * HOUR),
    }
)


class Window(NamedTuple):
    """Hold a period cut into points: from `since` (included) to `until` (excluded), each `width` wide, counted by `step`; seconds."""

    since: int
    until: int
    width: int
    step: int

    @property
    def starts(self) -> range:
        """Return where each point begins."""
        return range(self.since, self.until, self.width)


def window(period: Period, now: float, *, since: float | None = None, until: float | None = None) -> Window:
    """Return a period that ends now, or for CUSTOM the one from `since` to `until` (now when left out), in at most 120 points.

    Times are seconds since the epoch. A CUSTOM period that begins more than two days ago is counted by whole hours. Raises UsageError
    for a period that does not go with its times.
    """
    if period is not Period.CUSTOM:
        _insist_alone(since, until)
        length, width = _LENGTHS[period]
        end = _up(now, width)
        return Window(end - length, end, width, _step(length))
    begin, end, step = _asked(now, since, until)
    width = step * math.ceil((end - begin) / step / MOST_POINTS)
    return Window(begin, begin + _up(end - begin, width), width, step)


def whole(period: Period, now: float, *, since: float | None = None, until: float | None = None) -> Window:
    """Return a period as one point, whose ends are no further off than it is counted by. Raises as `window` does."""
    if period is not Period.CUSTOM:
        _insist_alone(since, until)
        length, _ = _LENGTHS[period]
        end = _up(now, _step(length))
        return Window(end - length, end, length, _step(length))
    begin, end, step = _asked(now, since, until)
    return Window(begin, end, end - begin, step)


def _insist_alone(since: float | None, until: float | None) -> None:
    if since is not None or until is not None:
        raise UsageError("since and until go with the period CUSTOM only; leave them out or choose CUSTOM")


def _step(length: int) -> int:
    return MINUTE if length <= DAY else HOUR


def _asked(now: float, since: float | None, until: float | None) -> tuple[int, int, int]:
    """Return where a CUSTOM period begins and ends, in steps of what it is counted by."""
    if since is None:
        raise UsageError("the period CUSTOM needs since: when it begins")
    end_at = now if until is None else until
    if not now - KEPT[HOUR] <= since < end_at <= now + DAY:
        raise UsageError(f"since must be before until, at most {KEPT[HOUR] // DAY} days ago, and until not in the future")
    step = MINUTE if since >= now - KEPT[MINUTE] + HOUR else HOUR
    return int(since // step) * step, _up(end_at, step), step


def _up(at: float, step: int) -> int:
    return math.ceil(at / step) * step
