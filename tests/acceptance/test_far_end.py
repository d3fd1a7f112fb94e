"""Break the far end while events keep coming, then heal it: everything acknowledged is there once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
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
Outage = tuple[Door, Load]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin for the whole file; each test has its own connection and key."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("far-end"), send_timeout_seconds=1) as service:
        yield service.serve(), twin


# Enough events for every try to have some; the faults last so long that more would only keep the machine busy.
_SLOWLY: Mapping[str, Any] = {"pause": 0.1}
# What the far end does -> how its tries are named, and how events are sent meanwhile. Of those with Retry-After so few at a time that
# each claim is one request: what follows a refusal was not under way already.
_FAULTS: Mapping[str, tuple[dict[str, Any], str, Mapping[str, Any]]] = {
    "500": ({"status": 500}, "server_error", _SLOWLY),
    "black hole": ({"black_hole": True}, "timeout", _SLOWLY),
    "reset after the body": ({"reset_after_body": True}, "network", _SLOWLY),
    "429": ({"status": 429, "retry_after": _RETRY_AFTER_SECONDS}, "throttled", {"threads": 1, "each": 1, "pause": 0.05}),
}


@pytest.fixture(scope="module")
def outages(river: River) -> Mapping[str, Outage]:
    """Break the far end in every way at once, each for one connection's key, while events flow, until it has healed by itself."""
    service, twin = river
    doors = {name: service.connect(f"Candu_{outcome}", outcome, twin.url) for name, (_, outcome, _) in _FAULTS.items()}
    with ExitStack() as running:
        loads = {name: running.enter_context(Load(doors[name], **pace)) for name, (_, _, pace) in _FAULTS.items()}
        for name, (fault, key, _) in _FAULTS.items():
            until(lambda name=name, key=key: any(doors[name].id in each for each in twin.ids(key)), "events to flow")  # type: ignore[misc]
            twin.fault(**fault, key=key, seconds=_FAULT_SECONDS)
        until(lambda: not requests.get(f"{twin.url}/__twin/faults", timeout=30).json()["faults"], "the faults to end by themselves")
        for load in loads.values():
            load.wait_for_more()
    return {name: (doors[name], loads[name]) for name in _FAULTS}


@pytest.mark.parametrize("name", _FAULTS)
def test_a_broken_far_end_costs_no_event(river: River, outages: Mapping[str, Outage], name: str) -> None:
    service, twin = river
    door, load = outages[name]
    load.assert_only(202)
    assert _FAULTS[name][1] in {met for _, _, met in _tries(service, door)}
    prove(service, twin, door, load.acknowledged)


def test_nothing_is_sent_before_retry_after_has_passed(river: River, outages: Mapping[str, Outage]) -> None:
    tries = _tries(river[0], outages["429"][0])
    waits = [following - (started + seconds) for (started, seconds, met), (following, _, _) in pairwise(tries) if met == "throttled"]
    assert waits
    assert min(waits) >= _RETRY_AFTER_SECONDS - _CLOCK_SECONDS


def _tries(service: Service, door: Door) -> list[tuple[float, float, str]]:
    return rows(service, "SELECT started_at, seconds, outcome FROM attempts WHERE connection = ? ORDER BY started_at", door.id)
