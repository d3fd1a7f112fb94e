"""Periods: Amplitude's names, at most 120 points, the present included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.errors import UsageError
from candu_source.periods import DAY, HOUR, KEPT, MINUTE, MOST_POINTS, Period, Window, whole, window

NOW = 1_800_000_000.0 + 12_345.6
LENGTHS = {"TEN_MINUTES": 600, "ONE_HOUR": HOUR, "FOUR_HOURS": 4 * HOUR, "ONE_DAY": DAY, "ONE_WEEK": 7 * DAY, "TWO_WEEKS": 14 * DAY}


@pytest.mark.parametrize(("name", "length"), LENGTHS.items())
def test_a_period_ends_now_and_has_few_points(name: str, length: int) -> None:
    found = window(Period(name), NOW)
    assert found.until - found.since == length
    assert found.until - found.width < NOW <= found.until
    assert 10 <= len(found.starts) <= MOST_POINTS
    assert found.since % found.step == found.width % found.step == 0
    assert NOW - found.since <= KEPT[found.step]


@given(st.floats(1, 90 * DAY - 1), st.floats(1, 90 * DAY))
def test_a_custom_period_covers_what_was_asked_for(ago: float, length: float) -> None:
    since, until = NOW - ago, min(NOW, NOW - ago + length)
    found = window(Period.CUSTOM, NOW, since=since, until=until)
    assert found.since <= since
    assert found.until >= until
    assert len(found.starts) <= MOST_POINTS
    assert found.since % found.step == found.width % found.step == (found.until - found.since) % found.width == 0
    assert found.step in (MINUTE, HOUR)
    assert found.step == HOUR or NOW - found.since <= KEPT[MINUTE]


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        (Period.CUSTOM, None, None),
        (Period.CUSTOM, NOW, NOW - 1),
        (Period.CUSTOM, NOW - 91 * DAY, None),
        (Period.CUSTOM, NOW - 1, NOW + 2 * DAY),
        (Period.CUSTOM, float("nan"), None),
        (Period.ONE_DAY, NOW - 1, None),
        (Period.ONE_DAY, None, NOW),
    ],
)
def test_a_period_that_does_not_go_with_its_times_is_refused(period: Period, since: float | None, until: float | None) -> None:
    for cut in (window, whole):
        with pytest.raises(UsageError, match="since"):
            cut(period, NOW, since=since, until=until)


def test_a_whole_period_ends_where_it_was_asked_to() -> None:
    minute = int(NOW // MINUTE) * MINUTE
    asked = whole(Period.CUSTOM, NOW, since=minute - 239 * MINUTE, until=minute)
    assert asked == Window(minute - 239 * MINUTE, minute, 239 * MINUTE, MINUTE)
    assert window(Period.CUSTOM, NOW, since=asked.since, until=asked.until).until > minute  # points of two minutes each
    old = whole(Period.CUSTOM, NOW, since=NOW - 80 * DAY, until=NOW - 79 * DAY)
    assert (old.step, old.until - old.since) == (HOUR, 25 * HOUR)
    for name, length in LENGTHS.items():
        found = whole(Period(name), NOW)
        assert (found.until - found.since, found.width) == (length, length)
        assert found.until - found.step < NOW <= found.until
