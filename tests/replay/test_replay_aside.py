"""Rejects, filtered events and dead letters go through again by today's rules; what does not stays where it is, counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from candu_source.doors import DOORS
from candu_source.errors import NotFound, Reason, StoreBusy
from candu_source.jobs import ReplayKind, State, Step, Turn, Wanted
from candu_source.mending import mend
from candu_source.model import Admission, Connection, Kind, Receipt, Reject, Rules
from tests.doors.mutations import bodies, fuzz
from tests.replay.scene import Scene, named, view

FILTERED, REJECTS, DEAD = ReplayKind.FILTERED, ReplayKind.REJECTS, ReplayKind.DEAD


def refuse(scene: Scene, connection: Connection, *raws: bytes, door: str = "webhook") -> None:
    """Keep bytes as rejects, whatever they are."""
    rejects = tuple(Reject(0, Reason.INVALID, {"field": ["was off"]}, raw) for raw in raws)
    scene.store.log.append(Admission(connection.id, door, rejects=rejects))


def shelf(scene: Scene, connection: Connection) -> list[tuple[str, int]]:
    """Return code and times of a connection's rejects, oldest first."""
    return [(each.code, each.times) for each in sorted(scene.store.shelves.rejects(connection.id, 100_000))]


def test_filtered_events_go_out_under_their_ids_and_times(scene: Scene) -> None:
    customer, other = scene.customer(Rules()), scene.customer(Rules())
    for connection in (other, customer, other):
        scene.send(connection, named("Signup", 1), named("candu.sdk.new", 2), named("Other", 3))
    changed = scene.change(customer, custom_events="send", classification={"Other": Kind.VIEW})
    assert scene.again(changed, Wanted(event="Signup"), kind=FILTERED) == {"accepted": 1}
    counts = scene.again(changed, kind=FILTERED)
    assert counts == {"filtered:unknown_event": 1, "refused:invalid": 1}
    assert shelf(scene, changed) == [], "an event is in one place only"
    (event,) = scene.store.trace.tail(customer.id)
    assert event.message_id == f"candu:{customer.id}:id-1"
    assert scene.store.ledger.tallies(customer.id)[0].filtered == 2
    assert scene.store.ledger.tallies(other.id)[0].filtered == 3
    assert scene.holds()


def test_a_time_that_nobody_gave_is_that_of_the_first_arrival(scene: Scene) -> None:
    customer = scene.customer(Rules())
    scene.send(customer, named("Signup", 1))
    with scene.store.database.write() as db:
        db.execute("UPDATE filtered SET accepted_at = 1700000000.25")
    scene.again(scene.change(customer, custom_events="send"), kind=FILTERED)
    (event,) = scene.store.trace.tail(customer.id)
    assert json.loads(event.message)["timestamp"].startswith("2023-11-14T22:13:20.250")


def test_rejects_that_pass_leave_their_shelf_and_the_others_are_told_why_not(scene: Scene) -> None:
    customer = scene.customer()
    refuse(scene, customer, json.dumps(view(1)).encode(), json.dumps(view(2)).encode()[:-1], b"[]", json.dumps(view(3)).encode())
    keep = sorted(scene.store.shelves.rejects(customer.id, 10))[3].id
    assert scene.again(customer, Wanted(ids=(keep,)), kind=REJECTS) == {"accepted": 1}
    assert scene.again(customer, Wanted(reason="invalid"), kind=REJECTS) == {
        "accepted": 1,
        "refused:broken_json": 1,
        "refused:nothing_accepted": 1,
    }
    assert shelf(scene, customer) == [("broken_json", 1), ("nothing_accepted", 1)]
    assert {event.message_id.rpartition(":")[2] for event in scene.store.trace.tail(customer.id)} == {"id-1", "id-3"}
    with pytest.raises(NotFound, match="not all of these rejects"):
        scene.store.replays.draft(customer, REJECTS, Wanted(ids=(keep,)))


def test_a_reject_that_is_filtered_today_goes_to_the_other_shelf(scene: Scene) -> None:
    customer = scene.customer(Rules())
    refuse(scene, customer, json.dumps(named("Signup", 1)).encode())
    assert scene.again(customer, kind=REJECTS) == {"filtered:custom_event": 1}
    assert shelf(scene, customer) == []
    assert scene.store.ledger.tallies(customer.id)[0].filtered == 1


def test_hostile_rejects_end_nothing(scene: Scene) -> None:
    customer = scene.customer()
    many = b"[" + b",".join([json.dumps(view(1)).encode()] * 10_001) + b"]"
    deep = b"[" * 100_000 + b"]" * 100_000
    hostile = [
        many,
        deep,
        b"\xff\x00",
        b'{"payload": NaN}',
        b'{"payload": {"userId": "\\ud800"}}',
        b"",
        b"1" * 10_000,
        b'"' + b"\\" * 9_999,
    ]
    for door in DOORS:
        refuse(scene, customer, *hostile, door=door)
    counts = scene.again(customer, kind=REJECTS)
    assert sum(counts.values()) == len(hostile) * len(DOORS)
    assert all(what.startswith("refused:") for what in counts), counts
    assert "refused:internal" not in counts
    assert len(shelf(scene, customer)) == len(hostile) * len(DOORS)


def test_whatever_a_fuzzer_makes_stays_or_passes_and_is_counted(scene: Scene) -> None:
    customer = scene.customer()

    @fuzz(examples=60)
    @given(bodies)
    def refused(body: bytes) -> None:
        refuse(scene, customer, body)

    refused()
    before = len(shelf(scene, customer))
    counts = scene.again(customer, kind=REJECTS)
    stays = sum(inputs for what, inputs in counts.items() if what.startswith("refused:"))
    assert sum(counts.values()) == before
    assert len(shelf(scene, customer)) == stays
    assert "refused:internal" not in counts


@pytest.mark.parametrize("kind", [REJECTS, FILTERED])
def test_a_step_that_is_cut_short_counts_nothing_twice(scene: Scene, kind: ReplayKind) -> None:
    """What has no id of its own is the same event when the step is done again."""
    customer = scene.customer(Rules())
    nameless = [named("Signup", n, n=n) for n in range(3)]
    for each in nameless:
        del each["payload"]["id"]
    if kind is REJECTS:
        refuse(scene, customer, *[json.dumps(each).encode() for each in nameless])
    else:
        scene.send(customer, *nameless)
    customer = scene.change(customer, custom_events="send")
    running = scene.start(customer, kind=kind)
    with pytest.raises(StoreBusy):
        replace(scene.replayer, turns=_Unsettled(scene.store.turns)).step(running.id)
    assert len(scene.store.trace.tail(customer.id)) == 3
    assert scene.play(running).state is State.DONE
    assert len(scene.store.trace.tail(customer.id)) == 3
    assert (shelf(scene, customer), scene.store.ledger.tallies(customer.id)[0].filtered) == ([], 0)


def test_dead_letters_are_asked_for_in_steps(scene: Scene) -> None:
    customer, other = scene.customer(), scene.customer()
    scene.twin.fault(refuse_event="poison")
    for connection in (customer, other):
        for start in range(2):
            scene.send(connection, *[named("poison", n) for n in range(start * 10, start * 10 + 10)], view(f"good-{start}"))
    scene.deliver()
    scene.twin.heal()
    with scene.store.database.write() as db:
        db.execute("UPDATE dead_letters SET reason = 'expired' WHERE seq < 4")
    assert scene.again(customer, Wanted(reason="expired"), kind=DEAD) == {"asked": 3}
    assert scene.again(customer, Wanted(message=f"candu:{customer.id}:id-9"), kind=DEAD) == {"asked": 1}
    assert scene.again(customer, kind=DEAD) == {"asked": 16}
    assert scene.store.replays.draft(customer, DEAD, Wanted(message="nobody")).total == 0
    scene.deliver()
    tallies = {tally.connection: tally for tally in scene.store.ledger.tallies(check=True)}
    assert (tallies[customer.name].delivered, tallies[customer.name].dead) == (22, 0)
    assert (tallies[other.name].delivered, tallies[other.name].dead) == (2, 20)
    assert scene.holds()


def test_a_reject_is_mended_by_hand(scene: Scene) -> None:
    customer, other = scene.customer(), scene.customer()
    refuse(scene, customer, b"{")
    (kept,) = scene.store.shelves.rejects(customer.id, 1)

    def mended(connection: Connection, raw: bytes) -> Receipt:
        return mend(connection, kept.id, raw, rejects=scene.store.replayable, doors=DOORS, log=scene.store.log, by="anna")

    assert mended(customer, b"{}").rejected[0].code is Reason.INVALID
    assert shelf(scene, customer) == [("invalid", 1)]
    with pytest.raises(NotFound, match="there is no reject"):
        mended(other, json.dumps(view(1)).encode())
    assert mended(customer, json.dumps(view(1)).encode()).accepted == 1
    assert shelf(scene, customer) == []
    assert [(row.action, row.who) for row in scene.store.audit.rows(customer.id, 1)] == [("reject.mended", "anna")]


def test_large_rejects_are_taken_a_few_at_a_time(scene: Scene) -> None:
    customer = scene.customer()
    refuse(scene, customer, *[json.dumps(view(n, note="x" * 400_000)).encode()[:-1] for n in range(10)])
    running = scene.start(customer, kind=REJECTS)
    assert len(scene.store.replayable.aside(running).items) == 3
    assert scene.play(running).counts == {"refused:broken_json": 10}


class _Unsettled:
    """Fail when a step is to be settled: the process died just before."""

    def __init__(self, turns: Any) -> None:
        self.take, self.release = turns.take, turns.release

    def settle(self, turn: Turn, step: Step) -> bool:
        """Fail."""
        raise StoreBusy("away")
