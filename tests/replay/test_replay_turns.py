"""A lane that has work of its own, other customers, dead letters, another worker: a replay gives way and counts what it did."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from candu_source.deliveries import Bury, Outcome, Settlement
from candu_source.errors import Reason, UsageError
from candu_source.jobs import ReplayKind, State, Turn, Wanted
from candu_source.limits import Pace
from tests.replay.scene import Scene, delivered, ids, named, view


def test_dead_letters_are_sent_by_todays_mapping_and_dead_no_more(scene: Scene) -> None:
    """Those that were asked to go out again already are left to the lane."""
    customer = scene.customer()
    scene.send(customer, named("poison", 0), named("poison", 1), named("poison", 2), view(3))
    scene.twin.fault(refuse_event="poison")
    scene.deliver()
    assert scene.store.ledger.tallies()[0].dead == 3
    scene.twin.heal()
    asked = Wanted(message=f"candu:{customer.id}:id-1")
    assert scene.again(customer, asked, kind=ReplayKind.DEAD) == {"asked": 1}
    changed = scene.change(customer, integrations={"Candu": True})
    assert scene.again(changed) == {"changed": 3, "waiting": 1}
    (tally,) = scene.store.ledger.tallies(check=True)
    assert (tally.delivered, tally.dead, tally.pending, tally.holds) == (3, 0, 1, True)
    scene.deliver()
    (tally,) = scene.store.ledger.tallies(check=True)
    assert (tally.delivered, tally.pending, tally.holds) == (4, 0, True)


def test_a_dead_letter_that_got_through_by_a_replay_stays_delivered(scene: Scene) -> None:
    """The lane had it in flight at the same time, and was refused."""
    customer = scene.customer()
    scene.send(customer, named("poison", 0))
    scene.twin.fault(refuse_event="poison")
    scene.deliver()
    scene.twin.heal()
    running = scene.start(customer)
    turn = scene.store.turns.take("test", running.id)
    assert turn is not None
    page = scene.store.replayable.events(turn.replay)
    assert not page.items[0].waiting
    assert scene.again(customer, kind=ReplayKind.DEAD) == {"asked": 1}
    (delivery,) = scene.store.lanes.claim("w", 1)
    with_page = _Reading(scene.store.replayable, page)
    _with(scene, turns=_Lending(turn, scene.store.turns), replayable=with_page).step()
    buried = Settlement(delivery, delivery.batches[0], Outcome(Reason.CONTENT_REFUSED, 400), Bury(Reason.CONTENT_REFUSED), 1.0, 0.1)
    scene.store.lanes.settle([buried])
    (tally,) = scene.store.ledger.tallies(check=True)
    assert (tally.delivered, tally.dead, tally.faults) == (1, 0, ())


def test_only_what_the_lane_has_ended_is_sent_again(scene: Scene) -> None:
    customer = delivered(scene, 3)
    scene.send(customer, view("new"))
    assert scene.store.replays.draft(customer, ReplayKind.EVENTS, Wanted()).total == 3


def test_live_events_go_first(scene: Scene) -> None:
    customer = delivered(scene)
    scene.send(customer, view("live"))
    running = scene.start(customer)
    with scene.store.database.write() as db:
        db.execute("UPDATE log SET accepted_at = accepted_at - 60 WHERE last_seq > 40")
    assert not scene.replayer.step(running.id)
    assert "live events go first" in str(scene.store.replays.waits(running))
    assert ids(scene, customer) == []
    scene.deliver()
    assert scene.play(running).state is State.DONE
    assert ids(scene, customer)[0] == "id-live"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE connections SET paused = 1", "paused"),
        ("UPDATE lanes SET enabled = 0", "off"),
        ("UPDATE lanes SET held = 'key_refused'", "held: key_refused"),
        ("UPDATE lanes SET failures = 1", "do not get through"),
    ],
)
def test_a_job_waits_while_its_lane_does(scene: Scene, change: str, why: str) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    with scene.store.database.write() as db:
        db.execute(change)
    assert not scene.replayer.step(running.id)
    assert why in str(scene.store.replays.waits(running))
    assert scene.twin.stats()["requests"] == 0


def test_a_job_keeps_to_its_rate_and_to_the_pace_of_its_key(scene: Scene) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    slow = _with(scene, events_per_second=10.0)
    assert slow.step(running.id)
    assert len(ids(scene, customer)) == 10
    resting = scene.seen(running)
    assert resting.due_at - resting.changed_at > 0.5
    spent = Pace(rate=1e-6, key_rate=1.0, now=time.monotonic())
    with scene.store.database.write() as db:
        db.execute("UPDATE replays SET due_at = 0")
    assert _with(scene, pace=spent).step(running.id)
    assert scene.twin.stats()["requests"] == 2
    with scene.store.database.write() as db:
        db.execute("UPDATE replays SET due_at = 0, place = 0, looked_at = 0, state = 'running'")
    assert _with(scene, pace=spent).step(running.id)
    assert scene.twin.stats()["requests"] == 2, "the key's pace is used up: nothing is sent, nothing is passed over"
    assert scene.seen(running).place == 0


def test_another_connection_is_never_touched(scene: Scene) -> None:
    one, other = delivered(scene, 5), delivered(scene, 5)
    running = scene.start(one)
    for call in (scene.store.replays.cancel, scene.store.replays.resume):
        with pytest.raises(UsageError, match="there is no replay"):
            call(other, running.id, by="test")
    assert scene.store.replays.all(other.id) == []
    scene.play(running)
    assert len(ids(scene, one)) == 5
    assert ids(scene, other) == []
    assert {each.connection for each in scene.store.audit.rows(None, 50) if each.action.startswith("replay")} == {one.id}


def test_a_cancelled_job_stays_where_it_is_and_goes_on_from_there(scene: Scene) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    _with(scene, events_per_second=15.0).step(running.id)
    stopped = scene.store.replays.cancel(customer, running.id, by="anna")
    assert (stopped.state, stopped.looked_at) == (State.CANCELLED, 15)
    assert not scene.replayer.step()
    with pytest.raises(UsageError, match="is cancelled; only one that is running or held"):
        scene.store.replays.cancel(customer, running.id, by="anna")
    done = scene.play(scene.store.replays.resume(customer, running.id, by="anna"))
    assert (done.state, done.counts) == (State.DONE, {"unchanged": 40})
    assert scene.twin.stats()["duplicates"] == 0
    with pytest.raises(UsageError, match="is done"):
        scene.store.replays.resume(customer, running.id, by="anna")


def test_a_job_that_is_cancelled_while_it_sends_counts_what_was_sent(scene: Scene) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    turn = scene.store.turns.take("test", running.id)
    assert turn is not None
    scene.store.replays.cancel(customer, running.id, by="anna")
    _with(scene, turns=_Lending(turn, scene.store.turns)).step()
    ended = scene.seen(running)
    assert (ended.state, ended.counts) == (State.CANCELLED, {"unchanged": 40})


def test_who_lost_the_lease_writes_nothing(scene: Scene) -> None:
    customer = delivered(scene)
    running = scene.start(customer)
    turn = scene.store.turns.take("test", running.id)
    assert turn is not None
    assert scene.store.turns.take("other", running.id) is None, "it is lent"
    scene.store.turns.release("test")
    assert scene.another("other").step(running.id)
    _with(scene, turns=_Lending(turn, scene.store.turns)).step()
    ended = scene.seen(running)
    assert (ended.looked_at, ended.counts) == (40, {"unchanged": 40})
    assert len(ids(scene, customer)) == 40


def test_retention_meanwhile_is_counted(scene: Scene) -> None:
    customer = delivered(scene, 4)
    scene.send(customer, view("kept"))
    scene.deliver()
    scene.twin.clear()
    running = scene.start(customer)
    with scene.store.database.write() as db:
        db.execute("DELETE FROM log WHERE connection = ? AND last_seq = 4", (customer.id,))
        db.execute("UPDATE connections SET pruned_to = 4 WHERE id = ?", (customer.id,))
    assert scene.play(running).counts == {"expired": 4, "unchanged": 1}
    assert ids(scene, customer) == ["id-kept"]


def test_a_connection_that_is_deleted_takes_its_job_along(scene: Scene) -> None:
    customer, other = delivered(scene), delivered(scene, 2)
    running, last = scene.start(customer), scene.start(other)
    turn = scene.store.turns.take("test", running.id)
    assert turn is not None
    scene.store.connections.delete(customer, by="test")
    assert _with(scene, turns=_Lending(turn, scene.store.turns)).step()
    assert scene.replayer.step(), "the other one"
    assert not scene.replayer.step()
    assert scene.seen(last).state is State.DONE


def test_an_event_of_a_door_that_is_no_more_is_counted(scene: Scene) -> None:
    customer = delivered(scene, 2)
    with scene.store.database.write() as db:
        db.execute("UPDATE log SET door = 'gone'")
    assert scene.again(customer) == {"refused:not_found": 2}


def test_jobs_take_turns(scene: Scene) -> None:
    one, other = delivered(scene), delivered(scene)
    jobs = [scene.start(one), scene.start(other)]
    slow = _with(scene, events_per_second=39.0)
    assert slow.step()
    assert slow.step()
    assert [scene.seen(job).looked_at for job in jobs] == [39, 39]


def _with(scene: Scene, **changes: Any) -> Any:
    return replace(scene.replayer, **changes)


class _Lending:
    """Lend one turn that was taken before."""

    def __init__(self, turn: Turn, turns: Any) -> None:
        self._turn = turn
        self.settle = turns.settle
        self.release = turns.release

    def take(self, worker: str, only: int | None = None) -> Turn:
        """Return it."""
        return self._turn


class _Reading:
    """Give a page that was read before."""

    def __init__(self, replayable: Any, page: Any) -> None:
        self._page = page
        self.aside, self.dead = replayable.aside, replayable.dead

    def events(self, replay: Any) -> Any:
        """Return it."""
        return self._page
