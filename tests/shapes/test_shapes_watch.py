"""The watch over a real store: what it notices, counts, learns and leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from candu_source.doors import DOORS
from candu_source.model import Connection, Kind, Rules
from candu_source.shapes import MOST_LEARNED
from candu_source.watch import MOST_EVENTS, STEP
from tests.doors.mutations import bodies, fuzz
from tests.shapes.watching import Place, sample

VIEW = "candu.sdk.content"


@pytest.fixture
def customer(place: Place) -> Connection:
    """Make a connection."""
    return place.customer()


def view(number: object = 0, **fields: Any) -> dict[str, Any]:
    """Make a view with an id of its own and fields of the payload changed."""
    made: dict[str, Any] = sample("webhook/view.json")
    made["payload"] |= {"id": f"id-{number}", **fields}
    return made


def named(event: str, number: object = 0, **properties: Any) -> dict[str, Any]:
    """Make a track of any name."""
    return {"payload": {"id": f"id-{number}", "userId": "u", "type": "Track", "eventName": event, "properties": properties}}


def test_a_change_gives_one_notice_that_counts_on(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", [view(n, mood="x") for n in range(3)])
    place.look()
    place.send(customer, "webhook", view(3, mood="y"))
    place.send(customer, "webhook", view(4))
    place.look()
    assert place.seen(customer) == [("new", "payload.mood", "text", 4)]
    (notice,) = place.notices(customer)
    assert json.loads(place.store.shapes.sample(notice)) == view(0, mood="x")
    assert notice.first_at <= notice.last_at


def test_a_change_is_told_once_in_the_log_and_the_metric(place: Place, customer: Connection) -> None:
    for number in range(3):
        place.send(customer, "webhook", view(number, mood="x"))
        place.look()
    (fact,) = place.facts("shape.noticed")
    told = {name: fact[name] for name in ("connection", "door", "event", "change", "path", "type")}
    expected = {"connection": customer.name, "door": "webhook", "event": VIEW, "change": "new", "path": "payload.mood", "type": "text"}
    assert told == expected
    assert b'candu_source_shape_notices_total{change="new",door="webhook"} 1.0' in place.telltale.exposition()


def test_what_is_inside_of_a_new_object_is_known_with_it(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", view(0, extra={"a": 1, "b": {"c": "x"}}))
    place.look()
    place.send(customer, "webhook", view(1, extra={"a": "x", "b": {"c": "x", "d": 1}}))
    place.send(customer, "webhook", view(2, extra={}))
    place.look()
    assert place.seen(customer) == [
        ("new", "payload.extra", "object", 3),
        ("retyped", "payload.extra.a", "text", 1),
        ("new", "payload.extra.b.d", "integer", 1),
    ]


def test_null_is_a_type_and_a_missing_field_is_counted(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", [view(n, anonymousId=None) for n in range(2)])
    without = view(2)
    del without["payload"]["context"]
    place.send(customer, "webhook", without)
    place.look()
    assert place.seen(customer) == [("retyped", "payload.anonymousId", "null", 2), ("missing", "payload.context", "", 1)]


def test_what_a_door_refused_is_watched_and_read_once(place: Place, customer: Connection) -> None:
    refused = view(0)
    refused["payload"]["properties"]["documentId"] = "forty-two"
    for _ in range(3):
        assert place.send(customer, "webhook", refused).rejected
        place.look()
    assert place.seen(customer) == [("retyped", "payload.properties.documentId", "text", 1)]


def test_another_connection_is_noticed_for_itself(place: Place, customer: Connection) -> None:
    other = place.customer()
    for each in (customer, other):
        place.send(each, "webhook", view(0, mood="x"))
    place.look()
    assert place.seen(customer) == place.seen(other) == [("new", "payload.mood", "text", 1)]


def test_an_unknown_name_of_candu_is_noticed_until_the_table_knows_it(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", [named("candu.sdk.new", n, a=1) for n in range(2)])
    place.look()
    assert place.seen(customer) == [("unknown_event", "", "", 2)]
    place.store.connections.save(replace(customer, rules=Rules({"candu.sdk.new": Kind.FILTER})), by="test")
    place.send(customer, "webhook", named("candu.sdk.new", 3, a=1))
    place.look()
    assert place.seen(customer) == [("unknown_event", "", "", 2)]


@pytest.mark.parametrize("event", ["candu.sdk.flow_step", "Onboarding Finished", "candu.sdk.mine"])
def test_other_names_are_learned_in_silence_and_held_to_it(place: Place, event: str) -> None:
    customer = place.customer(Rules({"candu.sdk.mine": Kind.FILTER}))
    place.send(customer, "webhook", named(event, 0, a=1, b={"c": "x"}))
    place.look()
    assert place.seen(customer) == []
    place.send(customer, "webhook", [named(event, 1, a=2, b={"c": "y"}), named(event, 2, a="x", b={"c": "y"}), named(event, 3, a=2)])
    place.look()
    assert place.seen(customer) == [("retyped", "payload.properties.a", "text", 1), ("missing", "payload.properties.b", "", 1)]


def test_a_refused_input_teaches_no_first_shape(place: Place, customer: Connection) -> None:
    nobody = named("Custom", 0, a="x")
    del nobody["payload"]["userId"]
    assert place.send(customer, "webhook", nobody).rejected
    place.look()
    place.send(customer, "webhook", named("Custom", 1, a=1))
    place.look()
    assert place.seen(customer) == []


def test_what_has_no_shape_is_skipped(place: Place, customer: Connection) -> None:
    for body in (b'{"payload":', b"\xff", json.dumps(sample("webhook/slack-format.json")).encode(), b'{"payload":' + b"[" * 100_000):
        place.send(customer, "webhook", body)
    place.send(customer, "webhook", view(0, mood="x"))
    place.look()
    assert place.seen(customer) == [("new", "payload.mood", "text", 1)]
    assert place.facts("shape.skipped") == []


def test_what_json_takes_only_tolerantly_is_watched(place: Place, customer: Connection) -> None:
    raw = json.dumps(view(0)).replace('"text"', "").replace("48213", "NaN").encode()
    assert place.send(customer, "webhook", raw).rejected
    place.look()
    assert place.seen(customer) == [("retyped", "payload.properties.documentId", "number", 1)]


def test_contents_of_events_are_recorded(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", view(0))
    place.send(customer, "browser", sample("browser/interaction.json"))
    refused = view(1)
    refused["payload"]["properties"] |= {"contentId": "refused", "documentId": "x"}
    place.send(customer, "webhook", refused)
    call = sample("interactions/view.json")
    call["properties"] |= {"contentId": "direct", "slug": "welcome"}
    place.send(customer, "interactions", call)
    place.look()
    assert {(each.content_id, each.slug) for each in place.store.contents.all(customer.id)} == {
        (view(0)["payload"]["properties"]["contentId"], "getting-started"),
        ("direct", "welcome"),
        ("cnt_8Yw2", None),
    }


def test_a_long_log_is_read_in_steps(place: Place, customer: Connection) -> None:
    for start in range(0, 3 * STEP, STEP // 2):
        place.send(customer, "webhook", [view(start + n, mood="x") for n in range(STEP // 2)])
    steps = [place.watch.step() for _ in range(4)]
    assert steps == [STEP, STEP, STEP, 0]
    assert place.seen(customer) == [("new", "payload.mood", "text", 3 * STEP)]


def test_what_retention_deleted_unread_is_passed_over(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", view(0, mood="x"))
    with place.store.database.write() as db:
        db.execute("DELETE FROM log")
    place.send(customer, "webhook", view(1, weather="x"))
    place.look()
    assert place.seen(customer) == [("new", "payload.weather", "text", 1)]


def test_what_leaves_a_shelf_makes_no_later_input_unseen(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", named("candu.sdk.a"))
    place.send(customer, "interactions", {"type": "tutorial.view", "first": 1})
    place.look()
    (reject,) = place.store.shelves.rejects(customer.id, 10)
    place.store.replayable.mended(customer, reject.id, by="test")
    with place.store.database.write() as db:
        db.execute("DELETE FROM filtered")
    place.send(customer, "webhook", named("candu.sdk.b"))
    place.send(customer, "interactions", {"type": "tutorial.view", "second": 1})
    place.look()
    noticed = {(each.event, each.change, each.path) for each in place.notices(customer)}
    assert {("candu.sdk.a", "unknown_event", ""), ("candu.sdk.b", "unknown_event", "")} <= noticed
    assert {("tutorial.view", "new", "first"), ("tutorial.view", "new", "second")} <= noticed


def test_hostile_names_end_in_one_notice(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", [view(n, **{f"name-{n}": n}) for n in range(MOST_LEARNED + 200)])
    place.send(customer, "webhook", view("huge", **{f"n{n}": n for n in range(5_000)}))
    place.look()
    notices = place.notices(customer)
    assert len(notices) <= MOST_LEARNED + 1
    (rest,) = [each for each in notices if each.path == "*"]
    assert sum(each.times for each in notices) == MOST_LEARNED + 201
    assert rest.times == 201


def test_hostile_events_end_in_one(place: Place, customer: Connection) -> None:
    place.send(customer, "webhook", [named(f"candu.sdk.e{n}", n, a=n) for n in range(MOST_EVENTS + 50)])
    place.look()
    notices = place.notices(customer)
    assert {each.change for each in notices} == {"unknown_event"}
    assert len(notices) == MOST_EVENTS + 1
    assert {each.event: each.times for each in notices}["*"] == 50
    place.send(customer, "webhook", view(0, mood="x"))
    place.look()
    assert [each.path for each in place.notices(customer) if each.event == VIEW] == ["payload.mood"]


@fuzz(100)
@given(bodies)
def test_nothing_that_comes_breaks_the_watch(hostile: tuple[Place, Connection], body: bytes) -> None:
    place, customer = hostile
    for door in DOORS:
        place.send(customer, door, body)
    place.look()
    assert place.facts("shape.skipped") == []
    assert all(json.dumps(each) for each in place.notices(customer))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Connection]]:
    """Open one store for all that is hostile."""
    opened = Place(tmp_path_factory.mktemp("hostile"))
    yield opened, opened.customer()
    opened.store.close()
