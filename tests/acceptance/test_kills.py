"""Killing any process at any point loses nothing, and nothing comes twice."""

from __future__ import annotations

import os
import random
import secrets
import sys
import threading
from pathlib import Path

import psutil

from candu_source.twin import Twin
from tests.acceptance.load import Load
from tests.acceptance.proof import prove
from tests.acceptance.service import Service
from tests.acceptance.waiting import SOAK, until

# How often each is killed: an accepting process, the delivering one, the accepting ones' parent, and everything at once.
_VICTIMS = {"acceptor": 80, "worker": 80, "web": 20, "all": 20} if SOAK else {"acceptor": 20, "worker": 20, "web": 5, "all": 6}
_LONGEST_PAUSE_SECONDS = 2.0 if SOAK else 0.9
_EVENTS_A_REQUEST = 40 if SOAK else 5


def test_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("CANDU_SEED") or secrets.randbits(32))
    sys.stdout.write(f"CANDU_SEED={seed} repeats these choices\n")
    chance = random.Random(seed)
    plan = [victim for victim, times in _VICTIMS.items() for _ in range(times)]
    chance.shuffle(plan)
    with Twin() as twin, Service(tmp_path) as service:
        service.serve()
        door = service.connect("Candu_Kills", "write-key", twin.url)
        with Load(door, each=_EVENTS_A_REQUEST) as load:
            for victim in plan:
                _pause(chance)
                _kill(service, victim, chance)
            until(lambda: service.answers() and service.child("worker"), "everything to run again")
            load.wait_for_more()
        load.assert_only(202)
        assert load.count() > len(plan) * _EVENTS_A_REQUEST
        prove(service, twin, door, load.acknowledged)
        assert service.stop() == 0


def _pause(chance: random.Random) -> None:
    """Let the river flow for a while, so that a kill meets it at any point."""
    threading.Event().wait(chance.uniform(0, _LONGEST_PAUSE_SECONDS))


def _kill(service: Service, victim: str, chance: random.Random) -> None:
    if victim == "all":
        service.kill()
        service.serve()
        return
    found = until(lambda: _living(service, victim), f"a living {victim} to kill")
    try:
        chance.choice(found).kill()
    except psutil.NoSuchProcess:
        _kill(service, victim, chance)


def _living(service: Service, victim: str) -> list[psutil.Process]:
    if victim == "acceptor":
        return service.acceptors()
    child = service.child(victim)
    return [child] if child else []
