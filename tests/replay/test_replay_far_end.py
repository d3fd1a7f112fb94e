"""A far end that fails, refuses or takes only so much: a replay tries again, closes in or is held, and loses nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from candu_source.jobs import State
from candu_source.limits import BATCH_EVENTS
from candu_source.model import PortalRule
from tests.replay.scene import Scene, arrived, delivered, ids, named


@pytest.mark.parametrize("fault", [{"status": 500}, {"reset_after_body": True}, {"status": 429, "retry_after": 0}])
def test_what_passes_is_tried_again(scene: Scene, fault: dict[str, Any]) -> None:
    customer = delivered(scene)
    scene.twin.fault(**fault, count=2)
    assert scene.again(customer) == {"unchanged": 40}
    assert sorted(ids(scene, customer)) == sorted(f"id-{n}" for n in range(40))
    assert scene.store.ledger.tallies(check=True)[0].holds
    tries = scene.store.trace.life(customer.id, f"candu:{customer.id}:id-3").tries
    assert [(each.decision, bool(each.replay)) for each in tries] == [
        ("advance", False),
        ("again", True),
        ("again", True),
        ("advance", True),
    ]


def test_retry_after_is_kept(scene: Scene) -> None:
    customer = delivered(scene)
    scene.twin.fault(status=429, retry_after=300, count=1)
    started = scene.start(customer)
    assert scene.replayer.step(started.id)
    assert not scene.replayer.step(started.id)
    waiting = scene.seen(started)
    assert 299 <= waiting.due_at - waiting.changed_at <= 301
    assert (waiting.state, waiting.failures, waiting.place) == (State.RUNNING, 1, 0)


@pytest.mark.parametrize(("status", "reason"), [(401, "key_refused"), (404, "endpoint_wrong")])
def test_what_only_a_person_can_mend_holds_the_job_and_not_the_lane(scene: Scene, status: int, reason: str) -> None:
    customer = delivered(scene)
    scene.twin.fault(status=status)
    held = scene.play(scene.start(customer))
    assert held.state is State.HELD
    assert held.detail.startswith(reason)
    assert scene.store.ledger.tallies()[0].held is None
    scene.twin.heal()
    resumed = scene.store.replays.resume(customer, held.id, by="anna")
    assert scene.play(resumed).counts == {"unchanged": 40}
    assert [(each.action, each.who) for each in scene.store.audit.rows(customer.id, 3)] == [
        ("replay.finished", "test"),
        ("replay.resumed", "anna"),
        ("replay.started", "test"),
    ]


def test_a_poison_event_is_closed_in_on_counted_and_no_dead_letter(scene: Scene) -> None:
    customer = scene.customer()
    scene.send(customer, *[named("poison" if n in (3, 41, 97) else "good", n) for n in range(200)])
    scene.deliver()
    scene.twin.clear()
    scene.twin.fault(refuse_event="poison")
    assert scene.again(customer) == {"unchanged": 197, "turned_away:content_refused": 3}
    assert len(ids(scene, customer)) == 197
    assert scene.twin.stats()["requests"] <= 60
    (tally,) = scene.store.ledger.tallies(check=True)
    assert (tally.delivered, tally.dead, tally.holds) == (200, 0, True)


def test_a_far_end_that_refuses_everything_holds_the_job(scene: Scene) -> None:
    customer = delivered(scene)
    scene.twin.fault(status=400)
    held = scene.play(scene.start(customer))
    assert (held.state, held.detail.partition(":")[0]) == (State.HELD, "refuses_everything")
    assert held.counts == {"turned_away:content_refused": 20}


def test_a_key_that_does_not_decrypt_holds_the_job(scene: Scene) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    with scene.store.database.write() as db:
        db.execute("UPDATE connections SET write_key = x'00'")
    assert not scene.replayer.step()
    assert scene.seen(running).detail.startswith("key_unreadable")


def test_several_requests_for_more_than_one_holds(scene: Scene) -> None:
    customer = delivered(scene, BATCH_EVENTS + 10)
    assert scene.again(customer) == {"unchanged": BATCH_EVENTS + 10}
    assert scene.twin.stats()["duplicates"] == 0
    assert len(ids(scene, customer)) == BATCH_EVENTS + 10


def test_the_portal_of_today_goes_out(scene: Scene) -> None:
    customer = scene.change(delivered(scene, 1), portal=PortalRule("constant", 5))
    scene.again(customer, as_new=True)
    (call,) = map(json.loads, arrived(scene.twin, f"key-{customer.name}"))
    assert call["properties"]["portalId"] == 5
