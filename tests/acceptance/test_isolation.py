"""No customer waits for another: a sick destination costs its own lane, and nobody else, time."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

import pytest

from tests.acceptance.crowd import EVENTS_A_BATCH, Crowd
from tests.acceptance.proof import rows
from tests.acceptance.waiting import PATIENCE_SECONDS, SOAK, until

_ROUNDS = 7 if SOAK else 3
# A busy machine may spoil a round or two; a worker that lets lanes wait for each other spoils all of them.
_FURTHER_ROUNDS = 4
# Each lane has four requests under way, so it needs two turns; each takes so long that computing hardly counts.
_BATCHES = 8
_LATENCY_MS = 2_000
# As many as twenty lanes may use.
_SENDERS = 80
_SICK_BATCHES = 4
_LEAST_RATE = 0.9


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Gather twenty customers."""
    with Crowd.gathered(tmp_path_factory.mktemp("crowd"), 20) as gathered:
        yield gathered


def test_a_black_hole_and_a_throttled_key_leave_the_others_their_rate(crowd: Crowd) -> None:
    alone: list[float] = []
    beside: list[float] = []
    while len(alone) < _ROUNDS or (_rate(alone, beside) < _LEAST_RATE and len(alone) < _ROUNDS + _FURTHER_ROUNDS):
        alone.append(_drain_seconds(crowd, with_sick=False))
        beside.append(_drain_seconds(crowd, with_sick=True))
    sys.stdout.write(f"seconds to drain alone {alone}, beside two sick ones {beside}\n")
    assert _rate(alone, beside) >= _LEAST_RATE
    assert all(line["holds"] for line in crowd.service.read("ledger", "--check"))


def _rate(alone: list[float], beside: list[float]) -> float:
    return statistics.median(alone) / statistics.median(beside)


def _drain_seconds(crowd: Crowd, *, with_sick: bool) -> float:
    """Return how long the healthy ones need for a fixed backlog, from the first request to the last event."""
    black_holed, throttled, *healthy = crowd.doors
    if with_sick:
        crowd.send([black_holed, throttled], _SICK_BATCHES)
    awaited = crowd.twin.stats()["stored"] + crowd.send(healthy, _BATCHES)
    crowd.twin.fault(latency_ms=_LATENCY_MS)
    crowd.twin.fault(black_hole=True, key=black_holed.name)
    crowd.twin.fault(status=429, retry_after=1, key=throttled.name)
    requests = crowd.twin.stats()["requests"]
    with crowd.working(senders=_SENDERS):
        crowd.twin.wait(requests=requests + 1, timeout_seconds=PATIENCE_SECONDS)
        began = time.perf_counter()
        crowd.twin.wait(stored=awaited, timeout_seconds=PATIENCE_SECONDS)
        return time.perf_counter() - began


def test_a_lane_that_failed_once_gets_its_turn_while_all_others_are_busy(crowd: Crowd) -> None:
    failed, *busy = crowd.doors
    crowd.send([failed], 1)
    crowd.twin.fault(status=500, key=failed.name)
    with crowd.working(drained=False):
        until(lambda: rows(crowd.service, "SELECT 1 FROM lanes WHERE connection = ? AND failures > 0", failed.id), "the first try to fail")
    crowd.send(busy, _BATCHES)
    before = len(crowd.twin.ids(failed.name))
    with crowd.working(requests_per_second=40):
        until(lambda: len(crowd.twin.ids(failed.name)) > before, "the lane that failed to deliver")
        assert min(_pending(crowd).values()) > 0, "somebody was served to the end before the lane that failed"


def _pending(crowd: Crowd) -> dict[str, int]:
    """Count what waits in every lane but the first."""
    waiting = rows(
        crowd.service,
        "SELECT c.name, h.head - l.cursor FROM lanes l JOIN connections c ON c.id = l.connection JOIN heads h ON h.connection = c.id",
    )
    return {name: count for name, count in waiting if name != crowd.doors[0].name}


def test_a_single_sender_tries_again_too(crowd: Crowd) -> None:
    crowd.send(crowd.doors[:2], 1)
    crowd.twin.fault(status=500, count=1)
    before = crowd.twin.stats()["stored"]
    with crowd.working(senders=1):
        until(lambda: crowd.twin.stats()["stored"] == before + 2 * EVENTS_A_BATCH, "the lane that failed to deliver")
