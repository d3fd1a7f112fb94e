"""What a person sees and does when a lane needs them: held, paused, poisoned, and mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from tests.acceptance.load import interaction
from tests.acceptance.proof import ledger_of, prove
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_EVENTS = 100
_POISONED = frozenset({17, 18, 80})
_MOST_REQUESTS = 45

River = tuple[Service, Twin]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin for the whole file; each test has its own connection and key."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("lanes")) as service:
        yield service.serve(), twin


def test_a_refused_key_holds_the_lane_until_a_person_puts_another_in_place(river: River) -> None:
    service, twin = river
    door = service.connect("Candu_Held", "old-key", twin.url)
    twin.fault(status=401, key="old-key")
    _accept(door, {"held-0"})
    until(lambda: _listed(service, door)["state"] == "held: key_refused", "the lane to be held")
    _accept(door, {"held-1", "held-2"})
    assert _listed(service, door)["pending"] == 3
    assert {"connection": door.name, "destination": "segment", "reason": "key_refused"} in service.readiness()["held"]
    assert not twin.ids("old-key")
    service.do("connections", "set", door.name, "--write-key", "new-key")
    prove(service, twin, door, {"held-0", "held-1", "held-2"})
    assert len(twin.ids("new-key")) == 3
    assert _listed(service, door)["state"] == "delivering"
    assert not service.readiness()["held"]


def test_a_paused_connection_gathers_events_and_delivers_them_when_resumed(river: River) -> None:
    service, twin = river
    door, other = (service.connect(name, name, twin.url) for name in ("Candu_Paused", "Candu_Beside"))
    service.do("connections", "pause", door.name)
    _accept(door, {"paused-0", "paused-1"})
    _accept(other, {"beside-0"})
    until(lambda: twin.ids(other.name), "the connection beside it to deliver")
    assert not twin.ids(door.name)
    assert (_listed(service, door)["state"], _listed(service, door)["pending"]) == ("paused", 2)
    service.do("connections", "resume", door.name)
    prove(service, twin, door, {"paused-0", "paused-1"})


def test_poison_is_isolated_with_few_requests_and_can_be_replayed(river: River) -> None:
    service, twin = river
    door = service.connect("Candu_Poison", "poison-key", twin.url, "--custom-events", "send")
    service.do("connections", "pause", door.name)
    assert requests.post(door.webhook_url, json=[_custom(number) for number in range(_EVENTS)], timeout=30).json()["accepted"] == _EVENTS
    twin.fault(refuse_event="poison", key="poison-key")
    before = twin.stats()["requests"]
    service.do("connections", "resume", door.name)
    ids = {f"custom-{number}" for number in range(_EVENTS)}
    prove(service, twin, door, ids, dead=len(_POISONED))
    assert twin.stats()["requests"] - before <= _MOST_REQUESTS
    letters = service.read("dead", "list", "--connection", door.name)
    assert {letter["message_id"] for letter in letters} == door.message_ids({f"custom-{number}" for number in _POISONED})
    assert {letter["reason"] for letter in letters} == {"content_refused"}
    assert all("poison" in letter["detail"] for letter in letters)
    twin.heal()
    service.do("dead", "replay", "--connection", door.name, "--yes")
    prove(service, twin, door, ids)
    assert json.loads(service.do("dead", "list", "--connection", door.name, "--json")) == []


def _custom(number: int) -> dict[str, Any]:
    name = "poison" if number in _POISONED else "harmless"
    return {"payload": {"id": f"custom-{number}", "userId": "user-1842", "eventName": name, "properties": {"plan": "team"}}}


def _accept(door: Door, ids: set[str]) -> None:
    answer = door.post(*(interaction(each) for each in sorted(ids)))
    assert (answer.status_code, answer.json()["accepted"]) == (202, len(ids))


def _listed(service: Service, door: Door) -> dict[str, Any]:
    assert ledger_of(service, door)["holds"]
    return next(line for line in service.read("connections", "list") if line["name"] == door.name)
