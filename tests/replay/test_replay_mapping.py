"""What is sent again is what today's mapping makes of it, as the dry run foretold; everything else is counted with its reason."""

from __future__ import annotations

import json

import pytest

from candu_source.errors import UsageError
from candu_source.jobs import ReplayKind, Wanted
from candu_source.mapping import EVENT_ID_CHARACTERS, MESSAGE_ID_CHARACTERS, again_id, message_id, own_id
from candu_source.model import Kind, PortalRule
from tests.doors.items import call, seed_properties
from tests.replay.scene import Scene, named, view

EVENTS = 10_000


def test_the_dry_run_foretells_ten_thousand_calls_byte_for_byte(scene: Scene) -> None:
    customer = scene.customer()
    for start in range(0, EVENTS, 1_000):
        made = [named("Signup", n, plan=n) if n % 10 == 0 else view(n, userId=f"u{n % 7}") for n in range(start, start + 1_000)]
        scene.send(customer, *made)
    scene.deliver()
    sent = scene.arrived(customer)
    assert len(sent) == EVENTS
    changed = scene.change(
        customer, portal=PortalRule("constant", 12), extra_properties=False, classification={"Signup": Kind.FILTER}, integrations={}
    )
    run, calls = scene.foretold(changed)
    assert run.counts == {"changed": 9_000, "filtered:excluded_event": 1_000}
    assert {(each.path, each.kind): each.events for each in run.differences.values()} == {
        ("properties.portalId", "added"): 9_000,
        ("properties.contentId", "removed"): 9_000,
        ("integrations.Candu", "removed"): 9_000,
    }
    assert len(run.differences["properties.portalId", "added"].samples) == 3
    assert run.samples["filtered:excluded_event"][0].endswith(":id-0")
    scene.twin.clear()
    counts = scene.again(changed)
    assert counts == dict(run.counts)
    assert sorted(scene.arrived(changed)) == sorted(calls)
    assert scene.holds()


def test_the_same_rules_give_the_very_same_bytes(scene: Scene) -> None:
    """Times without a zone, without any, before Candu was and far ahead: what stands in the message stays."""
    customer = scene.customer()
    times = [None, "2026-01-31T12:00:00", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon", "2026-01-31T12:00:00.123456+05:30"]
    scene.send(customer, *[view(n, receivedAt=text) for n, text in enumerate(times)])
    scene.send(customer, {"type": "track", "userId": "u", "event": "Upgrade", "properties": {"é": 2.0}}, door="rest")
    scene.send(customer, call(properties=seed_properties(tutorialId="7")), door="interactions")
    scene.deliver()
    sent = scene.arrived(customer)
    assert len(sent) == len(times) + 2
    run, calls = scene.foretold(customer)
    assert run.counts == {"unchanged": len(sent)}
    assert sorted(calls) == sorted(sent)
    scene.again(customer)
    assert scene.arrived(customer) == sent, "Segment knows them by their ids"
    assert scene.twin.stats()["duplicates"] == len(sent)


def test_what_its_door_would_refuse_today_is_not_sent(scene: Scene) -> None:
    customer = scene.customer()
    scene.send(customer, named("Signup", 1), named("Signup", 2, documentId=3))
    scene.deliver()
    changed = scene.change(customer, classification={"Signup": Kind.VIEW})
    assert scene.foretold(changed)[0].counts == {"refused:invalid": 1, "changed": 1}
    scene.twin.clear()
    assert scene.again(changed) == {"refused:invalid": 1, "changed": 1}
    (only,) = map(json.loads, scene.arrived(changed))
    assert (only["type"], only["name"], only["properties"]["tutorialId"]) == ("screen", "tutorial.view", 3)


def test_new_ids_are_the_same_every_time_and_never_too_long(scene: Scene) -> None:
    customer = scene.customer()
    long = "x" * EVENT_ID_CHARACTERS
    scene.send(customer, view(1), view(2, id=long), view(3, id=long[:-1] + "y"))
    scene.deliver()
    _, calls = scene.foretold(customer, as_new=True)
    started = scene.start(customer, as_new=True)
    scene.twin.clear()
    scene.play(started)
    ids = [json.loads(each)["messageId"] for each in scene.arrived(customer)]
    assert ids[0] == f"candu:{customer.id}:{started.namespace}:id-1"
    assert len(set(ids)) == 3
    assert all(each.startswith(f"candu:{customer.id}:{started.namespace}:") and len(each) < 100 for each in ids)
    assert [len(each) for each in calls] == [len(each) for each in scene.arrived(customer)]
    assert scene.seen(started).counts == {"unchanged": 3}
    assert scene.start(customer, as_new=True).namespace != started.namespace


@pytest.mark.parametrize("length", [1, 71, 72, 73, 200])
def test_a_copys_id_is_never_too_long_and_tells_events_apart(length: int) -> None:
    ids = [message_id("0123456789", again_id("0123456789", letter * length, "abcdef01")) for letter in "xy"]
    assert len(set(ids)) == 2
    assert all(len(each) <= MESSAGE_ID_CHARACTERS for each in ids)
    assert own_id("0123456789", message_id("0123456789", "x" * length)) == "x" * length


def test_filters_choose_by_event_user_and_time(scene: Scene) -> None:
    customer, other = scene.customer(), scene.customer()
    scene.send(other, view("other"))
    scene.send(customer, view(1), view(2, userId="u2"), named("Signup", 3), view(4, userId=None, anonymousId="a"))
    scene.deliver()
    with scene.store.database.write() as db:
        db.execute("UPDATE log SET accepted_at = 1000 WHERE connection = ?", (customer.id,))
    for number in range(5, 9):
        scene.send(customer, view(number))
    scene.deliver()
    with scene.store.database.write() as db:
        db.execute("UPDATE log SET accepted_at = 1000 * (last_seq - 3) WHERE connection = ? AND last_seq > 4", (customer.id,))

    def sent(**wanted: object) -> list[str]:
        _, calls = scene.foretold(customer, Wanted(**wanted))  # type: ignore[arg-type]
        return [json.loads(each)["messageId"].rpartition("-")[2] for each in calls]

    assert sent() == list("12345678")
    assert sent(event="Signup") == sent(event="Signup", user="u1") == ["3"]
    assert sent(event="tutorial.view") == sent(event="candu.sdk.content") == list("1245678")
    assert sent(user="u2") == ["2"]
    assert sent(user="a") == ["4"]
    assert sent(since=1000.0) == list("12345678")
    assert sent(since=1000.5) == list("5678")
    assert sent(since=2000.0, until=4000.0) == ["5", "6"]
    assert sent(until=1000.0) == sent(since=9e9) == []
    scene.twin.clear()
    assert scene.again(customer, Wanted(user="u2")) == {"not_wanted": 7, "unchanged": 1}
    assert [json.loads(each)["userId"] for each in scene.arrived(customer)] == ["u2"]
    assert scene.arrived(other) == []


@pytest.mark.parametrize(
    ("kind", "wanted", "sentence"),
    [
        (ReplayKind.REJECTS, Wanted(user="u"), "cannot be narrowed by user"),
        (ReplayKind.EVENTS, Wanted(ids=(1,)), "cannot be narrowed by ids"),
        (ReplayKind.EVENTS, Wanted(since=2.0, until=2.0), "until must be later than since"),
    ],
)
def test_what_makes_no_sense_is_said(scene: Scene, kind: ReplayKind, wanted: Wanted, sentence: str) -> None:
    customer = scene.customer()
    with pytest.raises(UsageError, match=sentence):
        scene.store.replays.draft(customer, kind, wanted)
    with pytest.raises(UsageError, match="no lane 'moon'"):
        scene.store.replays.draft(customer, ReplayKind.EVENTS, Wanted(), destination="moon")
    with pytest.raises(UsageError, match="nothing to send again"):
        scene.start(customer)
