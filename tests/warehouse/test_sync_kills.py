"""Syncs are killed at random points, again and again: nothing is missing, nothing is there twice."""

from __future__ import annotations

import os
import random
import secrets
import signal
import sys
import threading

from tests.warehouse.syncing import Scene

KILLS = 30
_EVENTS_A_ROUND = 120
_LONGEST_SECONDS = 0.5


def test_kills_at_random_points_lose_nothing_and_repeat_nothing(scene: Scene) -> None:
    seed = int(os.environ.get("CANDU_SEED") or secrets.randbits(32))
    sys.stdout.write(f"CANDU_SEED={seed} repeats these choices\n")
    chance = random.Random(seed)
    kills = came = 0
    while kills < KILLS:
        scene.append(range(came, came := came + _EVENTS_A_ROUND))
        sync = scene.start()
        threading.Event().wait(chance.uniform(0, _LONGEST_SECONDS))
        sync.kill()
        sync.join()
        kills += sync.exitcode == -signal.SIGKILL
        if "tracks" in scene.tables():
            assert set(scene.ids("tracks")) == set(scene.ids("tutorial_interaction"))
    last = scene.start()
    last.join()
    assert last.exitcode == 0, scene.store.warehouses.upkeep(scene.warehouse).last
    scene.prove(range(came))


def test_syncs_at_the_same_time_load_everything_once(scene: Scene) -> None:
    scene.append(range(400))
    together = [scene.start() for _ in range(3)]
    for sync in together:
        sync.join()
    assert [sync.exitcode for sync in together] == [0, 0, 0]
    scene.prove(range(400))
