"""Syncs come on the hour, and sooner after a failure."""

from __future__ import annotations

import pytest

from candu_source.cadence import next_sync

_HOUR = 3_600.0


@pytest.mark.parametrize(
    ("every", "failures", "now", "due"),
    [
        (60, 0, 10.0, _HOUR),
        (60, 0, _HOUR, 2 * _HOUR),
        (1, 0, 59.9, 60.0),
        (1_440, 0, 1.0, 86_400.0),
        (60, 1, 0.0, 60.0),
        (60, 3, 0.0, 240.0),
        (60, 7, 0.0, _HOUR),
        (60, 10_000, 0.0, _HOUR),
        (1_440, 20, 0.0, 86_400.0),
        (1, 1, 50.0, 60.0),
    ],
)
def test_the_next_sync(every: int, failures: int, now: float, due: float) -> None:
    assert next_sync(every, failures, now) == due
