"""The service stops as it is asked to, never lives on in part, and starts again at once."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import psutil
import pytest

from candu_source.twin import Twin
from tests.acceptance.load import Load, interaction
from tests.acceptance.proof import prove, rows
from tests.acceptance.service import Service
from tests.acceptance.test_upgrade import write_version
from tests.acceptance.waiting import until

_LONG_SECONDS = 3_600


def test_a_stop_under_load_loses_nothing_and_leaves_no_lease(tmp_path: Path) -> None:
    # A lease that stayed would keep the lane from the next worker, which has another name, for an hour.
    with Twin() as twin, Service(tmp_path, lease_seconds=_LONG_SECONDS, worker_name="first") as service:
        service.serve()
        door = service.connect("Candu_Stop", "write-key", twin.url)
        with Load(door) as load:
            until(lambda: load.count() > 100, "events to flow")
            twin.fault(latency_ms=500)
            seen = len(twin.ids())
            until(lambda: len(twin.ids()) > seen, "a slow answer to be under way")
            assert service.stop() == 0
            twin.heal()
            assert rows(service, "SELECT worker FROM lanes") == [(None,)]
            service.settings["worker_name"] = "second"
            service.serve()
            load.wait_for_more()
        load.assert_only(202)
        prove(service, twin, door, load.acknowledged)


def test_a_stop_does_not_wait_for_a_far_end_that_says_nothing(tmp_path: Path) -> None:
    settings = {"stop_seconds": 1, "send_timeout_seconds": _LONG_SECONDS, "lease_seconds": _LONG_SECONDS, "worker_name": "first"}
    with Twin() as twin, Service(tmp_path, **settings) as service:
        service.serve()
        door = service.connect("Candu_Silent", "write-key", twin.url)
        twin.fault(black_hole=True)
        assert door.post(interaction("silent")).status_code == 202
        until(lambda: rows(service, "SELECT worker FROM lanes") == [("first",)], "the lane to be claimed")
        assert service.stop() == 0
        twin.heal()
        service.settings["worker_name"] = "second"
        service.serve()
        prove(service, twin, door, {"silent"})


def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path) as service:
        service.serve()
        door = service.connect("Candu_Orphans", "write-key", twin.url)
        with Load(door) as load:
            until(lambda: load.count() > 100, "events to flow")
            family = service.family()
            assert len(family) >= 4
            service.kill_supervisor()
            until(lambda: not any(psutil.pid_exists(each.pid) and each.is_running() for each in family), "the orphans to end by themselves")
            socket.create_server(("127.0.0.1", service.port)).close()
            service.serve()
            load.wait_for_more()
        load.assert_only(202)
        prove(service, twin, door, load.acknowledged)


@pytest.mark.parametrize("role", ["worker", "web"])
def test_a_killed_child_is_started_again(tmp_path: Path, role: str) -> None:
    with Twin() as twin, Service(tmp_path) as service:
        service.serve()
        door = service.connect("Candu_Children", "write-key", twin.url)
        before = service.child(role)
        service.kill_child(role)
        until(lambda: service.child(role) not in (None, before), f"another {role}")
        until(service.answers, "the doors to be open")
        assert door.post(interaction("after")).status_code == 202
        prove(service, twin, door, {"after"})
        assert [(fact["role"], fact["code"]) for fact in service.facts("process.ended")] == [(role, -signal.SIGKILL)]
        assert service.stop() == 0


def test_a_child_that_cannot_start_ends_the_whole_service(tmp_path: Path) -> None:
    with Service(tmp_path, web_processes=1) as service:
        service.serve()  # the one web process answers, so it has opened the store: only the worker meets the newer version
        family = service.family()
        write_version(service, 99)
        service.kill_child("worker")
        assert until(lambda: service.process().poll(), "the service to give up") not in (None, 0)
        assert not any(each.is_running() for each in family)
        assert [fact["role"] for fact in service.facts("process.gave_up")] == ["worker"]
        assert "newer candu-source" in service.log.read_text()


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with Service(tmp_path) as service, socket.create_server(("127.0.0.1", service.port)):
        ended = service.ask("serve")
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{service.port}" in ended.stderr
    assert not service.store.exists()


def test_doors_that_cannot_open_again_end_the_whole_service(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.serve()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            until(lambda: _steal(service, thief), "the port to be stolen")
            assert until(lambda: service.process().poll(), "the service to give up") not in (None, 0)
        assert [fact["role"] for fact in service.facts("process.gave_up")] == ["web"]


def _steal(service: Service, thief: socket.socket) -> bool:
    """Kill the doors and take their port before they are back."""
    service.kill_child("web")
    for _ in range(100_000):
        try:
            thief.bind(("127.0.0.1", service.port))
            thief.listen()
        except OSError:
            continue
        return True
    return False
