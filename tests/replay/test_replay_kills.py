"""Real processes are killed in the middle of a replay, again and again: nothing is missing, nothing comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from candu_source.twin import Twin
from tests.acceptance.service import Service
from tests.acceptance.waiting import until
from tests.replay.scene import Scene, arrived, view

EVENTS = 300
# So large that a request holds about twenty.
_NOTE = "x" * 20_000


@pytest.mark.parametrize("as_new", [False, True])
def test_kills_in_the_middle_lose_nothing_and_repeat_nothing(tmp_path: Path, as_new: bool) -> None:
    with Twin() as twin, Service(tmp_path, replay_events_per_second=1_000_000, lease_seconds=1) as service:
        scene = Scene(tmp_path, twin, store_url=f"sqlite:///{service.store}")
        customer = scene.customer(name="Candu_Prod")
        scene.send(customer, *[view(n, context={"page": {"title": _NOTE}}) for n in range(EVENTS)])
        scene.deliver()
        sent = arrived(twin, "key-Candu_Prod")
        twin.clear()
        twin.fault(latency_ms=40)
        _kill_the_command_line(service, twin, "replay", "--connection", "Candu_Prod", "--yes", *(["--as-new"] if as_new else []))
        for requests in (5, 8):
            service.start("worker")
            twin.wait(requests=requests, timeout_seconds=60)
            service.kill()
        _kill_the_command_line(service, twin, "replay", "resume", "1")
        service.start("worker")
        until(lambda: scene.store.replays.get(customer.id, 1).state == "done", "the worker to go on to the end")
        ended = scene.store.replays.get(customer.id, 1)
        assert (ended.counts, ended.looked_at) == ({"unchanged": EVENTS}, EVENTS)
        again = [json.loads(call) for call in arrived(twin, "key-Candu_Prod")]
        space = f"{ended.namespace}:" if as_new else ""
        wanted = [
            {**call, "messageId": f"candu:{customer.id}:{space}{call['messageId'].rpartition(':')[2]}"} for call in map(json.loads, sent)
        ]
        assert sorted(again, key=_id) == sorted(wanted, key=_id)
        assert scene.store.ledger.tallies(check=True)[0].holds
        scene.store.close()


def _id(call: dict[str, object]) -> str:
    return str(call["messageId"])


def _kill_the_command_line(service: Service, twin: Twin, *words: str) -> None:
    """Start a command and kill it when it has sent two more requests."""
    before = twin.stats()["requests"]
    command = [sys.executable, "-m", "candu_source", *words]
    started = subprocess.Popen(command, env=service.environment(), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        twin.wait(requests=before + 2, timeout_seconds=60)
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
