"""Latency buckets: percentiles are off by less than 5 %, whatever is counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.latency import LAST_BUCKET, LEAST_SECONDS, RATIO, bucket, percentile

DAYS_30 = 30 * 86_400.0
times = st.floats(min_value=LEAST_SECONDS, max_value=DAYS_30)


@given(times)
def test_a_bucket_holds_what_lies_between_its_ends(seconds: float) -> None:
    number = bucket(seconds)
    assert LEAST_SECONDS * RATIO ** (number - 1) * (1 - 1e-9) <= seconds <= LEAST_SECONDS * RATIO**number * (1 + 1e-9)


@given(st.lists(times, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_nearest_rank_within_five_per_cent(values: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = percentile(counts, share)
    assert found is not None
    assert exact / 1.05 <= found <= exact * 1.05


@pytest.mark.parametrize(("seconds", "number"), [(-5.0, 0), (0.0, 0), (LEAST_SECONDS, 0), (0.0011, 1), (1e9, LAST_BUCKET)])
def test_what_is_out_of_range_goes_into_the_first_or_the_last(seconds: float, number: int) -> None:
    assert bucket(seconds) == number


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile({}, 0.95) is None
