"""The pace: a burst of a second, then the rate, per key and for all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from candu_source.limits import Bucket, Pace


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=300), st.floats(1, 50))
def test_a_bucket_never_lets_more_through_than_its_rate(gaps: list[float], rate: float) -> None:
    bucket, now, taken = Bucket(rate, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        if bucket.wait(now) == 0.0:
            bucket.take()
            taken += 1
    assert taken <= rate * now + max(1.0, rate) + 1e-6


def test_the_wait_it_names_is_enough() -> None:
    bucket = Bucket(0.5, 0.0)
    bucket.take()
    assert bucket.wait(0.0) == 2.0
    assert bucket.wait(2.0) == 0.0


def test_a_clock_that_goes_back_adds_nothing() -> None:
    bucket = Bucket(1, 100.0)
    bucket.take()
    assert bucket.wait(0.0) == 1.0


def test_one_key_at_its_limit_leaves_the_others_alone() -> None:
    pace = Pace(rate=100, key_rate=1, now=0.0)
    assert pace.take("a", 0.0) == 0.0
    assert pace.take("a", 0.0) == 1.0
    assert pace.take("b", 0.0) == 0.0


def test_all_keys_share_the_limit_of_all() -> None:
    pace = Pace(rate=2, key_rate=50, now=0.0)
    assert [pace.take(name, 0.0) for name in "abc"] == [0.0, 0.0, 0.5]


def test_keys_at_rest_are_forgotten() -> None:
    pace = Pace(rate=1e9, key_rate=1, now=0.0)
    for number in range(Pace._MOST_KEYS + 1):
        pace.take(number, float(number))
    assert len(pace._keys) < 10
