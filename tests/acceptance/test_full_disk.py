"""When there is no room the doors say so, what was acknowledged stays, and all goes on once room is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from candu_source.twin import Twin
from tests.acceptance.disks import LimitedFiles, SmallDisk, ways_to_fill_up
from tests.acceptance.load import Load, interaction
from tests.acceptance.proof import drain, prove
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_FULL_RETRY_AFTER = "30"
_BEYOND_EVERY_DISK_MB = 2**40


@pytest.mark.parametrize("way", ways_to_fill_up(), ids=lambda way: way.__name__)
def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path, way: type[SmallDisk | LimitedFiles]) -> None:
    with Twin() as twin, Service(tmp_path) as service, way.put_under(service) as disk:
        service.serve()
        door = service.connect("Candu_Full_Disk", "write-key", twin.url)
        with Load(door, each=20, pause=0) as load:
            until(load.count, "the first events")
            disk.fill()
            until(lambda: load.answers[503] > 20, "the doors to say that there is no room")
            service.kill_child("worker")
            disk.make_room()
            load.wait_for_more()
        load.assert_only(202, 503)
        assert load.told_to_wait == {_FULL_RETRY_AFTER}
        prove(service, twin, door, load.acknowledged)
        assert service.stop() == 0


def test_a_quota_closes_the_doors_until_it_is_raised(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path, store_max_mb=2) as service:
        service.serve()
        door = service.connect("Candu_Quota", "write-key", twin.url)
        with Load(door, each=20, pause=0) as load:
            until(lambda: load.answers[503] > 20, "the quota to be used up")
            _assert_closed(service, door)
            _wait_for_deliveries(service, twin, door)
            service.stop()
            service.settings["store_max_mb"] = 0
            service.serve()
            load.wait_for_more()
        load.assert_only(202, 503)
        assert load.told_to_wait == {_FULL_RETRY_AFTER}
        prove(service, twin, door, load.acknowledged)


def test_room_is_kept_back_so_that_deliveries_can_still_be_settled(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path) as service:
        service.serve()
        door = service.connect("Candu_Low_Disk", "write-key", twin.url)
        service.do("connections", "pause", door.name)
        assert door.post(interaction("before")).status_code == 202
        service.stop()
        service.settings["min_free_mb"] = _BEYOND_EVERY_DISK_MB
        service.serve()
        _assert_closed(service, door)
        service.do("connections", "resume", door.name)
        _wait_for_deliveries(service, twin, door)
        service.stop()
        service.settings["min_free_mb"] = 0
        service.serve()
        assert door.post(interaction("refused"), interaction("before")).json()["accepted"] == 1
        drain(service)
        prove(service, twin, door, {"before", "refused"})


def _wait_for_deliveries(service: Service, twin: Twin, door: Door) -> None:
    """Wait until what was accepted is delivered and settled while the doors are closed."""
    until(lambda: service.read("ledger", "--connection", door.name)[0]["pending"] == 0, "deliveries to be settled behind closed doors")
    assert twin.ids("write-key")


def _assert_closed(service: Service, door: Door) -> None:
    answer = door.post(interaction("refused"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, _FULL_RETRY_AFTER)
    assert answer.json()["type"] == "urn:candu-source:store_full"
    readiness = service.probe("/readyz")
    assert readiness is not None
    assert (readiness.status_code, readiness.json()["status"]) == (503, "not ready")
    assert readiness.json()["reason"]
