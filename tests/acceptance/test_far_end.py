"""Break the far end while events keep coming, then heal it: everything acknowledged is there once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from tests.acceptance.load import Load
from tests.acceptance.proof import prove, rows
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_FAULT_SECONDS = 30
_RETRY_AFTER_SECONDS = 2
# Starts are written down with the precision of the store's clock, ends with that of a timer.
_CLOCK_SECONDS = 0.005

River = tuple[Service, Twin]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin for the whole file; each test has its own connection and key."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("far-end"), send_timeout_seconds=1) as service:
        yield service.serve(), twin


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param({"status": 500}, "server_error", id="500"),
        pytest.param({"black_hole": True}, "timeout", id="black hole"),
        pytest.param({"reset_after_body": True}, "network", id="reset after the body"),
    ],
)
def test_a_broken_far_end_costs_no_event(river: River, fault: dict[str, Any], outcome: str) -> None:
    service, twin = river
    door = service.connect(f"Candu_{outcome}", outcome, twin.url)
    with Load(door) as load:
        _break_for_a_while(twin, door, load, key=outcome, **fault)
    load.assert_only(202)
    assert outcome in {met for _, _, met in _tries(service, door)}
    prove(service, twin, door, load.acknowledged)


def test_nothing_is_sent_before_retry_after_has_passed(river: River) -> None:
    service, twin = river
    door = service.connect("Candu_throttled", "throttled", twin.url)
    # So few events that each claim is one request: what follows a refusal was not under way already.
    with Load(door, threads=1, each=1, pause=0.05) as load:
        _break_for_a_while(twin, door, load, key="throttled", status=429, retry_after=_RETRY_AFTER_SECONDS)
    load.assert_only(202)
    prove(service, twin, door, load.acknowledged)
    waits = [
        following - (started + seconds)
        for (started, seconds, met), (following, _, _) in pairwise(_tries(service, door))
        if met == "throttled"
    ]
    assert waits
    assert min(waits) >= _RETRY_AFTER_SECONDS - _CLOCK_SECONDS


def _break_for_a_while(twin: Twin, door: Door, load: Load, *, key: str, **fault: Any) -> None:
    """Break the far end for one key when events flow, and wait until it has healed and the doors have taken more."""
    until(lambda: any(door.id in each for each in twin.ids(key)), "events to flow")
    twin.fault(**fault, key=key, seconds=_FAULT_SECONDS)
    until(lambda: not requests.get(f"{twin.url}/__twin/faults", timeout=30).json()["faults"], "the fault to end by itself")
    load.wait_for_more()


def _tries(service: Service, door: Door) -> list[tuple[float, float, str]]:
    return rows(service, "SELECT started_at, seconds, outcome FROM attempts WHERE connection = ? ORDER BY started_at", door.id)
