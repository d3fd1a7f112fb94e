"""A shape that changes is noticed once, and counted exactly, by the real service; also when its worker is killed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import requests

from candu_source.twin import Twin
from tests.acceptance.proof import prove
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_KILLS = 6
_EVENTS = 40
_SAMPLE = json.loads((Path(__file__).parents[2] / "samples" / "webhook" / "view.json").read_text("utf-8"))


def test_a_changed_field_is_listed_once_however_often_the_worker_is_killed(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path) as service:
        service.serve()
        door = service.connect("Candu_Shapes", "write-key", twin.url)
        sent: set[str] = set()
        for turn in range(_KILLS):
            sent |= _post(door, f"turn-{turn}")
            _wait_for(service, random.randrange(turn * _EVENTS, len(sent)))
            service.kill_child("worker")
        until(lambda: _count(service) == len(sent), "every input to be counted")
        (notice,) = service.read("shapes", "list")
        assert (notice["change"], notice["path"], notice["type"]) == ("retyped", "payload.properties.documentId", "text")
        assert (notice["count"], notice["touches"]) == (len(sent), "tutorialId (screen and track)")
        assert service.read("shapes", "show", str(notice["id"]))["sample"]["payload"]["properties"]["documentId"] == "48213"
        until(lambda: service.child("worker"), "a worker")
        prove(service, twin, door, sent)
        assert service.stop() == 0
        assert len(list(service.facts("shape.noticed"))) <= 1


def _post(door: Door, turn: str) -> set[str]:
    """Send views whose documentId has become a text, which the door takes, and return their ids."""
    ids = {f"{turn}-{number}" for number in range(_EVENTS)}
    for each in sorted(ids):
        assert requests.post(door.webhook_url, json=_view(each), timeout=30).status_code == 202
    return ids


def _wait_for(service: Service, least: int) -> None:
    until(lambda: _count(service) >= least, f"{least} inputs to be counted")


def _view(identifier: str) -> dict[str, Any]:
    payload = _SAMPLE["payload"]
    return {"payload": {**payload, "id": identifier, "properties": {**payload["properties"], "documentId": "48213"}}}


def _count(service: Service) -> int:
    return sum(int(row["count"]) for row in service.read("shapes", "list"))
