"""Silence: never cried over nights, weekends, holidays, bursts and clocks that change; cried when events truly stop."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from candu_source.settings import Settings
from candu_source.silence import HOUR, LEARNED_SECONDS, NOTHING, Usual, gaps, usual

DAY, WEEK = 24 * HOUR, 168 * HOUR
LIMIT, SHORTEST = Settings().notice_silence_gaps, Settings().notice_silence_minutes * 60
_WEEKS = 7
_CLOCKS_CHANGE = 38 * DAY
Shape = Callable[[float], float]


def office(at: float) -> float:
    """Say how busy a place is that works from seven to seven on five days, by a clock that changes once."""
    hour = (at - (HOUR if at > _CLOCKS_CHANGE else 0)) % DAY / HOUR
    return math.sin((hour - 7) / 12 * math.pi) if 7 < hour < 19 and at // DAY % 7 not in (2, 3) else 0.0


def always(at: float) -> float:
    """Say how busy a place is that has quieter nights."""
    return 0.3 + 0.7 * math.sin(at % DAY / DAY * math.pi)


def events(shape: Shape, an_hour: float, together: int, seed: int) -> list[float]:
    """Return when events came over some weeks: so many an hour at the busiest, in visits of about so many events each."""
    return sorted(_events(shape, an_hour, together, random.Random(seed)))


def _events(shape: Shape, an_hour: float, together: int, chance: random.Random) -> Iterator[float]:
    at = 0.0
    while (at := at + chance.expovariate(an_hour / together / HOUR)) < _WEEKS * WEEK:
        if chance.random() <= shape(at):
            for number in range(1 + int(chance.expovariate(1 / together)) if together > 1 else 1):
                yield at + number * 20


def by_hour(came: list[float]) -> dict[int, int]:
    """Count by hour."""
    return Counter(int(at // HOUR) * HOUR for at in came)


def learned(hours: dict[int, int], last: float) -> Usual:
    """Learn as the store does: what came in the four weeks before the hour of the last event."""
    end = int(last // HOUR) * HOUR
    return usual({start: hours[start] for start in range(end - LEARNED_SECONDS, end, HOUR) if start in hours}, last)


def cries(known: Usual, since: float, now: float) -> bool:
    """Tell whether a silence is one."""
    return now - since >= SHORTEST and gaps(known, since, now) >= LIMIT


@pytest.mark.parametrize(("an_hour", "together"), [(1, 1), (5, 1), (20, 1), (200, 1), (5, 8), (100, 8), (100, 25)])
@pytest.mark.parametrize("shape", [office, always])
def test_no_false_alarm_in_weeks_of_usual_traffic(shape: Shape, an_hour: float, together: int) -> None:
    came = events(shape, an_hour, together, seed=7)
    hours = by_hour(came)
    cried = [since for since, now in pairwise(came) if now - since >= SHORTEST and cries(learned(hours, since), since, now)]
    assert cried == []


@pytest.mark.parametrize(("an_hour", "together", "within_hours"), [(1, 1, 168), (5, 1, 48), (20, 1, 4), (200, 1, 1), (500, 8, 4)])
@pytest.mark.parametrize("shape", [office, always])
def test_an_alarm_when_events_truly_stop(shape: Shape, an_hour: float, together: int, within_hours: float) -> None:
    came = events(shape, an_hour, together, seed=7)
    until = came[: bisect_left(came, (_WEEKS - 1) * WEEK + 11 * HOUR)]
    known, last = learned(by_hour(until), until[-1]), until[-1]
    assert not cries(known, last, last + SHORTEST - 1)
    assert cries(known, last, last + within_hours * HOUR)


def test_a_holiday_of_late_is_not_expected_to_have_events() -> None:
    hours = {start: 100 for start in range(0, 4 * WEEK, HOUR) if not 2 * WEEK <= start < 2 * WEEK + DAY}
    known = usual(hours, 4 * WEEK)
    assert gaps(known, 4 * WEEK, 4 * WEEK + 25 * HOUR) == 0
    assert gaps(known, 4 * WEEK, 4 * WEEK + 26 * HOUR) > LIMIT


@pytest.mark.parametrize("weeks", [0, 1, 1.99])
def test_nothing_is_usual_before_two_whole_weeks(weeks: float) -> None:
    assert usual(dict.fromkeys(range(0, int(weeks * WEEK), HOUR), 9), weeks * WEEK) == NOTHING


def test_events_that_come_together_count_as_one() -> None:
    alone = usual(dict.fromkeys(range(0, 2 * WEEK, HOUR), 10), 2 * WEEK)
    together = usual({start: 0 if (start // HOUR + start // WEEK) % 2 else 20 for start in range(0, 2 * WEEK, HOUR)}, 2 * WEEK)
    assert alone.hours == (10.0,) * 168
    assert together.hours == (0.0,) * 168
    assert set(together.days) == {240 / 20}


def test_rare_events_are_missed_by_whole_days() -> None:
    known = usual({day * DAY + 9 * HOUR: 4 for day in range(28)}, 4 * WEEK)
    assert gaps(known, 4 * WEEK, 4 * WEEK + 2.9 * DAY) == 8
    assert gaps(known, 4 * WEEK, 4 * WEEK + 3 * DAY) == 12


def test_a_silence_of_weeks_adds_up() -> None:
    known = usual(dict.fromkeys(range(0, 4 * WEEK, HOUR), 1), 4 * WEEK)
    assert gaps(known, 4 * WEEK + 600, 6 * WEEK + 1200) == pytest.approx(2 * 168 + 1 / 6)
    assert gaps(known, 4 * WEEK, 4 * WEEK - 5) == 0
