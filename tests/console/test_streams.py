"""The catalog and the Syncs tab without a browser: setting a sync up, trying it, sending by it, and who may."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from candu_source import intake
from candu_source.deliveries import Bury, Outcome, Park, Singly
from candu_source.doors import DOORS
from candu_source.errors import Reason
from candu_source.model import Connection, Role
from candu_source.streaming import Streaming
from tests.console.furnish import HOSTILE
from tests.console.site import Site, Visitor, open_site
from tests.destinations.listening import Listener, always
from tests.store.shelf import settlement

_KEY = "canary-8d1f"
_EVENT = {
    "event_type": "Upgraded plan",
    "user_id": "ann",
    "event_time": "2026-11-02 20:07:01.795000",
    "event_properties": {"plan": HOSTILE},
}


_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Visitor]]:
    """Open one site, and sign its owner in; each test has a connection of its own."""
    site = open_site(tmp_path_factory.mktemp("streams"))
    yield site, site.person()
    site.store.close()


@pytest.fixture
def bare(opened: tuple[Site, Visitor]) -> tuple[Site, Connection, Visitor]:
    """Make a connection without anything."""
    site, visitor = opened
    return site, site.connection(f"Candu_{next(_numbers)}"), visitor


@pytest.fixture
def far() -> Iterator[Listener]:
    """Listen as Candu would."""
    with Listener(always("200 OK", b'{"success": true}')) as listener:
        yield listener


@pytest.fixture
def set_up(bare: tuple[Site, Connection, Visitor], far: Listener) -> tuple[Site, Connection, Visitor]:
    """Give a connection two events of Amplitude's, one with a name that is hostile, and a sync to the far end, complete and off."""
    site, connection, _ = bare
    for event in ({**_EVENT, "event_type": HOSTILE}, _EVENT):
        _hear(site, connection, event)
    given = {"apiKey": _KEY, "endpoint": far.url.removesuffix("/events")}
    Streaming(site.store.streams, site.store.integrations).add(connection, "candu", "candu", {"events": True}, given, by="test")
    return bare


def _hear(site: Site, connection: Connection, event: dict[str, Any]) -> None:
    heard = DOORS["amplitude"](json.dumps(event).encode(), connection)
    intake.accept(connection, "amplitude", heard, site.store.log, site.telltale)


def _page(connection: Connection, path: str = "candu") -> str:
    return f"/console/connections/{connection.id}/syncs/{path}"


def _post(visitor: Visitor, connection: Connection, action: str, **fields: Any) -> Any:
    return visitor.post(_page(connection, f"candu/{action}"), "/console/people", **fields)


def _read(visitor: Visitor, path: str) -> dict[str, Any]:
    answer = visitor.get(f"/v1/admin/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_the_catalog_has_tiles_by_category_and_a_tile_makes_a_sync(bare: tuple[Site, Connection, Visitor]) -> None:
    site, connection, visitor = bare
    tiles = _read(visitor, "catalog")
    assert {(each["name"], each["display_name"]) for each in tiles["tiles"]} >= {("candu", "Candu - Event Stream"), ("candu-api", "Candu")}
    assert _read(visitor, "catalog?category=nothing")["tiles"] == []
    assert [each["name"] for each in _read(visitor, f"catalog?category={tiles['categories'][0]}")["tiles"]] == ["candu", "candu-api"]
    assert "Create Sync" in visitor.get(f"/console/catalog/candu?connection={connection.id}").text
    answer = visitor.post(f"/console/connections/{connection.id}/syncs/add", "/console/catalog/candu", integration="candu", name="mine")
    assert (answer.status_code, answer.location) == (303, _page(connection, "mine"))
    made = site.store.streams.named(connection, "mine")
    assert (made.integration, made.enabled, made.parameters, made.choices["fields"]) == (
        "candu",
        False,
        {"endpoint": "https://api.candu.ai"},
        {"userId": "user_id"},
    )
    again = visitor.post(f"/console/connections/{connection.id}/syncs/add", "/console/catalog/candu", integration="candu", name="mine")
    assert again.status_code == 409
    for fields, status in (({"integration": "nothing", "name": "x"}, 404), ({"integration": "candu", "name": "../x"}, 422)):
        assert visitor.post(f"/console/connections/{connection.id}/syncs/add", "/console/", **fields).status_code == status


def test_what_blocks_a_sync_is_told_at_its_field(bare: tuple[Site, Connection, Visitor]) -> None:
    site, connection, visitor = bare
    Streaming(site.store.streams, site.store.integrations).add(connection, "candu", "candu", {"fields": {"userId": ""}}, {}, by="test")
    found = _read(visitor, f"connections/{connection.id}/syncs/candu")
    assert [each["where"] for each in found["blocks"]] == ["parameters.apiKey", "events", "fields.userId"]
    page = visitor.get(_page(connection)).text
    for where, said in (("parameters-apiKey", "is empty"), ("events", "Neither"), ("fields-userId", "is required")):
        told = page.split(f'id="at-{where}">')[1].split("</div>")[0]
        assert said in told, where
    answer = _post(visitor, connection, "save", enabled="on")
    assert (answer.status_code, "still off" in answer.text, "is empty" in answer.text) == (422, True, True)
    assert not site.store.streams.named(connection, "candu").enabled


def test_the_form_saves_all_that_it_shows_and_turns_the_sync_on_and_off(set_up: tuple[Site, Connection, Visitor], far: Listener) -> None:
    site, connection, visitor = set_up
    fields: dict[str, Any] = {
        "enabled": "on",
        "users": "on",
        "events": "on",
        "event_types": "chosen",
        "event_type": ["Upgraded plan", HOSTILE, ""],
        "of": ["event", "user", "event"],
        "property": ["plan", "Plan name", ""],
        "operator": ["is", "is present", "is"],
        "value": ['"a, b", "c"', "", ""],
        "properties": "chosen",
        "property_sent": ["event.plan", ""],
        "field.userId": "device_id",
        "parameter.apiKey": "",
        "parameter.endpoint": far.url,
    }
    assert _post(visitor, connection, "save", **fields).status_code == 303
    saved = site.store.streams.named(connection, "candu")
    assert saved.enabled
    assert saved.choices == {
        "users": True,
        "events": True,
        "event_types": ["Upgraded plan", HOSTILE],
        "conditions": ['event.plan is "a, b", "c"', 'user."Plan name" is present'],
        "properties": ["event.plan"],
        "fields": {"userId": "device_id"},
    }
    assert (saved.parameters, site.store.streams.secrets(connection, "candu")["apiKey"].reveal()) == ({"endpoint": far.url}, _KEY)
    found = _read(visitor, f"connections/{connection.id}/syncs/candu")
    assert [each["value"] for each in found["conditions"]] == ['"a, b", "c"', ""]
    assert HOSTILE not in visitor.get(_page(connection)).text
    # One that is on stays fit to be.
    off = _post(visitor, connection, "save", **{**fields, "field.userId": ""})
    assert (off.status_code, "cannot be on" in off.text) == (422, True)
    assert site.store.streams.named(connection, "candu").choices["fields"] == {"userId": "device_id"}
    assert _post(visitor, connection, "save", **{"field.userId": "", "parameter.apiKey": "another"}).status_code == 303
    saved = site.store.streams.named(connection, "candu")
    assert (saved.enabled, saved.choices["users"], saved.choices["fields"]) == (False, False, {})
    assert site.store.streams.secrets(connection, "candu")["apiKey"].reveal() == "another"


def test_a_request_is_shown_before_it_is_saved_its_secret_masked(set_up: tuple[Site, Connection, Visitor], far: Listener) -> None:
    _, connection, visitor = set_up
    latest = _read(visitor, f"connections/{connection.id}/syncs/candu/preview")
    assert latest["made"]["method"] == "POST"
    assert json.loads(latest["made"]["body"])["event"] == "Upgraded plan"
    named = {each["name"]: each["message_id"] for each in _read(visitor, f"connections/{connection.id}/syncs/candu")["recent"]}
    other = _read(visitor, f"connections/{connection.id}/syncs/candu/preview?message={named[HOSTILE]}")
    assert json.loads(other["made"]["body"])["event"] == HOSTILE
    form = {"events": "on", "properties": "all", "field.userId": "user_id", "parameter.apiKey": "typed-canary"}
    page = _post(visitor, connection, "try", **form)
    assert (page.status_code, "Bearer [secret]" in page.text, _KEY in page.text, "typed-canary" in page.text) == (200, True, False, False)
    assert HOSTILE not in page.text
    pasted = _post(
        visitor, connection, "try", **form, event='{"event_type": "Pasted", "user_id": "bo", "event_time": "2026-11-02 20:07:01"}'
    )
    assert "Pasted" in pasted.text
    assert "curl --verbose --request POST" in pasted.text
    none = _post(visitor, connection, "try", **{"field.userId": "user_id"})
    assert "not selected" in none.text
    for event, said in (("{", "vent: "), ('{"event_type": "_all", "user_id": "x"}', "vent: "), ("[]", "one event or user")):
        off = _post(visitor, connection, "try", **form, event=event)
        assert (off.status_code, said in off.text) == (422, True), event
    assert far.heard == []


def test_a_test_event_is_really_sent_and_counted_nowhere(set_up: tuple[Site, Connection, Visitor], far: Listener) -> None:
    site, connection, visitor = set_up
    form = {"events": "on", "field.userId": "user_id"}
    answer = _post(visitor, connection, "send", **form)
    assert (answer.status_code, "Sent once: 200" in answer.text, "success" in answer.text) == (200, True, True), answer.text
    (heard,) = far.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    assert f"Authorization: Bearer {_KEY}".encode() in head
    assert json.loads(body)["event"] == "Upgraded plan"
    assert _KEY not in answer.text + site.log.getvalue() + json.dumps([row.changes for row in site.store.audit.rows(connection.id, 50)])
    typed = _post(visitor, connection, "send", **form, **{"parameter.apiKey": "typed"})
    assert typed.status_code == 200
    assert b"Authorization: Bearer typed" in far.heard[1]
    none = _post(visitor, connection, "send")
    assert (none.status_code, "not selected" in none.text) == (422, True)
    broken = _post(visitor, connection, "send", **form, **{"parameter.apiKey": "canary\nlines"})
    assert (broken.status_code, "line ends" in broken.text, "canary" in broken.text) == (422, True, False)
    lane = _read(visitor, f"connections/{connection.id}/syncs/candu")["lane"]
    assert (lane["delivered"], lane["set_aside"], lane["given_up"]) == (0, 0, 0)
    assert len(far.heard) == 2


def test_a_viewer_sees_a_sync_and_changes_nothing(set_up: tuple[Site, Connection, Visitor], far: Listener) -> None:
    site, connection, owner = set_up
    viewer = site.person("viewer", Role.VIEWER, [connection.id])
    page = viewer.get(_page(connection)).text
    assert "disabled" in page
    assert "Save</button>" not in page
    assert _KEY not in page
    token = viewer.csrf("/console/")
    before = site.store.streams.all()
    for action in ("candu/save", "candu/try", "candu/send", "candu/remove", "add"):
        assert viewer.client.post(_page(connection, action), data={"csrf_token": token}).status_code == 403, action
        assert owner.client.post(_page(connection, action), data={}).status_code == 400, action  # without the form's token
    assert (site.store.streams.all(), far.heard) == (before, [])


def test_what_a_sync_set_aside_and_gave_up_is_listed_with_its_reason(set_up: tuple[Site, Connection, Visitor]) -> None:
    site, connection, visitor = set_up
    store = site.store
    store.streams.enable(connection, store.streams.named(connection, "candu"), by="test")
    for number in range(2):
        _hear(site, connection, {**_EVENT, "uuid": f"late-{number}"})
    (delivery,) = [each for each in store.lanes.claim("test", 99) if (each.connection_id, each.destination) == (connection.id, "candu")]
    later = time.time() + 3_600
    met = (Outcome(Reason.SERVER_ERROR, 503, "answered: later"), Outcome(Reason.DISCARDED, detail=HOSTILE))
    decision = Singly((Park(later), Bury(Reason.DISCARDED)), 0)
    said = replace(settlement(delivery, delivery.batches[0], decision), outcome=Outcome(Reason.ACCEPTED, each=met))
    assert store.lanes.settle([said]) == [True]
    store.lanes.release("test")
    found = _read(visitor, f"connections/{connection.id}/syncs/candu")
    assert (found["lane"]["set_aside"], found["lane"]["given_up"]) == (1, 1)
    assert [(each["message_id"][-6:], each["tries"], each["due_at"]) for each in found["parked"]] == [("late-0", 1, later)]
    assert [(each["message_id"][-6:], each["reason"], each["detail"]) for each in found["dead"]] == [("late-1", "discarded", HOSTILE)]
    page = visitor.get(_page(connection)).text
    assert f"/events/{quote(found['dead'][0]['message_id'])}" in page
    assert HOSTILE not in page
    groups = _read(visitor, f"connections/{connection.id}/dead")["groups"]
    assert [(each["destination"], [kept["message_id"] for kept in each["samples"]]) for each in groups] == [
        ("candu", [found["dead"][0]["message_id"]])
    ]
    again = f"/console/connections/{connection.id}/replays/aside"
    assert visitor.post(again, kind="dead", destination="candu", message=found["dead"][0]["message_id"]).status_code in (302, 303)
    (job,) = store.replays.all(connection.id)
    assert (job.destination, job.total) == ("candu", 1)


def test_a_sync_that_is_off_is_no_trouble_of_its_connection(set_up: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = set_up
    assert _read(visitor, f"connections/{connection.id}/delivery")["health"] == "Delivering"
    assert '/syncs/candu">Candu</a>' in visitor.get(f"/console/connections/{connection.id}/delivery").text


def test_a_sync_is_removed_by_its_name(set_up: tuple[Site, Connection, Visitor]) -> None:
    site, connection, visitor = set_up
    assert _post(visitor, connection, "remove", confirm="other").status_code == 422
    assert _post(visitor, connection, "remove", confirm="candu").status_code == 303
    assert site.store.streams.all(connection.id) == []
    assert "No sync yet" in visitor.get(f"/console/connections/{connection.id}/syncs").text


def test_the_native_destination_is_set_up_in_the_same_way(bare: tuple[Site, Connection, Visitor], far: Listener) -> None:
    site, connection, visitor = bare
    _hear(site, connection, _EVENT)
    assert (
        visitor.post(f"/console/connections/{connection.id}/syncs/add", "/console/", integration="candu-api", name="candu").status_code
        == 303
    )
    fields = {
        "enabled": "on",
        "events": "on",
        "parameter.apiKey": _KEY,
        "parameter.endpoint": far.url.removesuffix("/events"),
        "parameter.dialect": "basic",
        "parameter.arrays": "no",
    }
    assert _post(visitor, connection, "save", **fields).status_code == 303
    assert _post(visitor, connection, "send", **fields).status_code == 200
    assert far.heard[0].startswith(b"POST /api/eventWebhook ")
    refused = _post(visitor, connection, "save", **{**fields, "parameter.dialect": "kerberos"})
    assert (refused.status_code, "one of bearer" in refused.text) == (422, True)
