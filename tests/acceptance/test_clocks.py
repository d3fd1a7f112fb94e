"""A clock that jumps by a day, either way, delays no lane, loses nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from candu_source.twin import Twin
from tests.acceptance.clocks import Clock
from tests.acceptance.load import Load, interaction
from tests.acceptance.proof import drain, prove, rows
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_DAY = 86_400

River = tuple[Service, Twin, Clock]


@pytest.fixture
def river(tmp_path: Path) -> Iterator[River]:
    """Run one service whose clock can be moved."""
    with Twin() as twin, Service(tmp_path) as service:
        clock = Clock(service, tmp_path)
        yield service.serve(), twin, clock


@pytest.mark.parametrize("days", [1, -1])
def test_deliveries_go_on_while_the_clock_jumps_forth_and_back(river: River, days: int) -> None:
    service, twin, clock = river
    door = service.connect("Candu_Clock", "write-key", twin.url)
    with Load(door) as load:
        for ahead in (0, days * _DAY, 0, days * _DAY):
            clock.jump(ahead)
            _fail_for_a_while(service, twin, door)
        clock.jump(0)
    load.assert_only(202)
    prove(service, twin, door, load.acknowledged)


def _fail_for_a_while(service: Service, twin: Twin, door: Door) -> None:
    """Let a few tries fail under the clock as it is, then let one through."""
    refused = _count(service, door, "server_error")
    twin.fault(status=503, key="write-key")
    until(lambda: _count(service, door, "server_error") >= refused + 2, "two tries to fail")
    twin.heal()
    accepted = _count(service, door, "accepted")
    until(lambda: _count(service, door, "accepted") > accepted, "a try to get through")


def test_a_wait_set_by_a_clock_that_was_ahead_is_forgotten(river: River) -> None:
    service, twin, clock = river
    door = service.connect("Candu_Ahead", "write-key", twin.url)
    clock.jump(_DAY)
    twin.fault(status=429, retry_after=600, key="write-key", count=1)
    assert door.post(interaction("ahead")).status_code == 202
    until(lambda: _count(service, door, "throttled") == 1, "the first try to be throttled")
    twin.fault(status=429, retry_after=1, key="write-key", count=1)
    clock.jump(0)
    until(lambda: _count(service, door, "throttled") == 2, "the second try to be throttled")
    prove(service, twin, door, {"ahead"})


def test_the_jump_is_seen_by_python_and_by_sqlite(river: River) -> None:
    service, twin, clock = river
    door = service.connect("Candu_Jump", "write-key", twin.url)
    for days in (0, 1, -1):
        clock.jump(days * _DAY)
        assert door.post(interaction(f"jump-{days}")).status_code == 202
        drain(service)
        life = service.read("events", "show", f"candu:{door.id}:jump-{days}")
        accepted_at, tried_at = (datetime.fromisoformat(text) for text in (life["accepted_at"], life["attempts"][0]["at"]))
        ((leased_at,),) = rows(service, "SELECT leased_at FROM lanes")
        for moment in (accepted_at, tried_at, datetime.fromtimestamp(leased_at, UTC)):
            assert abs(moment - datetime.now(UTC) - timedelta(days=days)) < timedelta(hours=1)


def _count(service: Service, door: Door, outcome: str) -> int:
    ((count,),) = rows(service, "SELECT count(*) FROM attempts WHERE connection = ? AND outcome = ?", door.id, outcome)
    return int(count)
