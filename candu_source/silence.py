"""Learn when events usually come, and say how many gaps a silence is long: pure, made for nights, weekends and clocks that change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil, floor
from typing import NamedTuple

HOUR = 3_600
_DAY = 24 * HOUR
_DAY_HOURS, _WEEK_HOURS, _WEEK_DAYS = 24, 168, 7
# So much is learned from; with less than two whole weeks nothing is usual yet.
_MOST_WEEKS, _LEAST_WEEKS = 4, 2
LEARNED_SECONDS = _MOST_WEEKS * _WEEK_DAYS * _DAY


class Usual(NamedTuple):
    """Hold how often something comes at the least, in each hour of a week and on each of its days (UTC), from Thursday on as 1970 began."""

    hours: tuple[float, ...]
    days: tuple[float, ...]


NOTHING = Usual((0.0,) * _WEEK_HOURS, (0.0,) * _WEEK_DAYS)


def usual(counts: Mapping[int, int], until: float) -> Usual:
    """Learn from the events of the weeks before `until`; `counts` has them by the start of their hour, both in seconds since the epoch.

    Of the last four weeks, two at the least, the quietest counts: one quiet night, weekend or holiday among them is enough to expect
    nothing there. An hour counts as the quietest of itself and its neighbours: clocks change, and people come later. Events that come
    together, as one visit brings several, count as one. With less to learn from, returns `NOTHING`.
    """
    hours = {start // HOUR: amount for start, amount in counts.items()}
    end = int(until // HOUR)
    weeks = min(_MOST_WEEKS, (end - min(hours, default=end)) // _WEEK_HOURS)
    if weeks < _LEAST_WEEKS:
        return NOTHING
    known = range(end - weeks * _WEEK_HOURS, end)
    came = {hour: hours.get(hour, 0) for hour in known}
    quiet = {hour: min(came[near] for near in (hour - 1, hour, hour + 1) if near in came) for hour in known}
    days = Counter[int]()
    for hour, amount in came.items():
        days[hour // _DAY_HOURS] += amount
    whole = range(ceil(known.start / _DAY_HOURS), known.stop // _DAY_HOURS)
    together = _together(came, known)
    return Usual(_least(quiet, known, _WEEK_HOURS, together), _least(days, whole, _WEEK_DAYS, together))


def gaps(known: Usual, since: float, now: float) -> float:
    """Return how many usual gaps two times are apart, when events usually come: by the hour or, where they are rare, by whole days."""
    return max(_by_the_hour(known.hours, since / HOUR, now / HOUR), _by_the_day(known.days, ceil(since / _DAY), floor(now / _DAY)))


def _together(came: Mapping[int, int], known: range) -> float:
    """Return how many events come together: the variance of an hour over the weeks by its mean, which is 1 for those that come alone."""
    mean = spread = 0.0
    for phase in range(_WEEK_HOURS):
        sample = [came[hour] for hour in _same(known, phase, _WEEK_HOURS)]
        usually = sum(sample) / len(sample)
        mean += usually
        spread += sum((amount - usually) ** 2 for amount in sample) / (len(sample) - 1)
    return max(1.0, spread / mean) if mean else 1.0


def _least(amounts: Mapping[int, int], slots: range, period: int, together: float) -> tuple[float, ...]:
    return tuple(min(amounts[slot] for slot in _same(slots, phase, period)) / together for phase in range(period))


def _same(slots: range, phase: int, period: int) -> range:
    """Return the slots of one phase of a period."""
    return slots[(phase - slots.start) % period :: period]


def _by_the_hour(hours: tuple[float, ...], since: float, now: float) -> float:
    weeks, rest = divmod(max(0.0, now - since), _WEEK_HOURS)
    until = since + rest
    parts = (hours[hour % _WEEK_HOURS] * (min(hour + 1, until) - max(hour, since)) for hour in range(floor(since), ceil(until)))
    return weeks * sum(hours) + sum(parts)


def _by_the_day(days: tuple[float, ...], first: int, end: int) -> float:
    return sum(days[day % _WEEK_DAYS] for day in range(first, end))
