"""Candu's REST API at our address: what is answered to what is off, sent twice or asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from candu_source.doors import DOORS
from candu_source.intake import accept
from candu_source.model import Content
from candu_source.observe import Telltale
from candu_source.settings import Settings
from tests.doors.rest_calls import SUCCESS, TYPES, call
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        (call("identify", "type"), {"type"}),
        (call("identify", type="page"), {"type"}),
        (call("identify", type="Identify"), {"type"}),
        (call("identify", type=None), {"type"}),
        (call("identify", "traits"), {"traits"}),
        (call("identify", traits=None), {"traits"}),
        (call("identify", traits=[]), {"traits"}),
        (call("identify", event="e"), {"event"}),
        (call("track", "event"), {"event"}),
        (call("track", event=""), {"event"}),
        (call("track", event=5), {"event"}),
        (call("track", event="e" * 1_001), {"event"}),
        (call("track", traits={}), {"traits"}),
        (call("track", properties="x"), {"properties"}),
        (call("group", "groupId"), {"groupId"}),
        (call("group", groupId=""), {"groupId"}),
        (call("group", groupId=5), {"groupId"}),
        (call("group", "traits"), {"traits"}),
        (call("track", userId=5), {"userId"}),
        (call("track", userId="u" * 256), {"userId"}),
        (call("track", messageId=""), {"messageId"}),
        (call("track", messageId="m" * 100), {"messageId"}),
        (call("track", context="x"), {"context"}),
        (call("track", propertys={}), {"propertys"}),
        (call("track", "event", propertys={}, timestamp=1), {"event", "propertys", "timestamp"}),
        ({"batch": [call("track")]}, {"type"}),
        (5, {"body"}),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict | int) else None,
)
def test_what_is_off_is_named(sender: Sender, item: Any, fields: set[str]) -> None:
    answer = sender.send("rest", [item, item])
    assert_problem(answer, 422, "invalid")
    assert counts(answer) == (0, 0, 0, 2)
    assert rejected(answer)[0].keys() == fields
    [reject] = sender.rejects()
    assert (reject.door, reject.times, json.loads(reject.raw)) == ("rest", 2, item)


def test_a_list_with_something_refused_says_what_was_taken(sender: Sender) -> None:
    answer = sender.send(
        "rest", [call("identify", messageId="a"), 5, call("track", event=""), call("identify", messageId="a"), call("group")]
    )
    assert answer.status_code == 202
    assert answer.json is not None
    assert {name: answer.json[name] for name in ("success", "accepted")} == {"success": False, "accepted": 3}
    assert [(each["index"], each["code"], list(each["errors"])) for each in answer.json["rejected"]] == [
        (1, "invalid", ["body"]),
        (2, "invalid", ["event"]),
    ]
    assert [message["type"] for message in sender.messages()] == ["identify", "group"]


def test_sending_again_is_a_success_and_nothing_more(sender: Sender) -> None:
    body = [call(kind, messageId=f"m-{kind}") for kind in TYPES]
    for _ in range(3):
        answer = sender.send("rest", body)
        assert (answer.status_code, answer.json) == (200, SUCCESS)
    assert [message["messageId"] for message in sender.messages()] == [f"candu:{sender.connection.id}:m-{kind}" for kind in TYPES]


def test_without_an_id_each_counts(sender: Sender) -> None:
    body = call("track", messageId=None)
    for _ in range(3):
        assert sender.send("rest", body).json == SUCCESS
    assert len({message["messageId"] for message in sender.messages()}) == 3


def test_the_other_refusals_are_those_of_every_door(sender: Sender) -> None:
    assert_problem(sender.send("rest", []), 422, "nothing_accepted")
    assert_problem(sender.send("rest", b'{"type": '), 400, "broken_json")
    assert_problem(sender.send("rest", b"x", Content_Encoding="gzip"), 400, "broken_encoding")
    assert_problem(sender.send("rest", b" " * 300_000), 413, "body_too_large")
    assert_problem(sender.send("rest", call("track"), Content_Type="text/plain"), 415, "unsupported_media_type")
    large = sender.send("rest", [call("track", properties={"x": "é" * 6_000}), call("track")])
    assert "32 KB" in rejected(large)[0]["message"][0]


def test_a_full_store_says_when_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = f"sqlite:///{tmp_path_factory.mktemp('full')}/store.db"
    full = Web(Settings(store_url=store, min_free_mb=10**9)).sender()
    answer = full.send("rest", call("track"))
    assert_problem(answer, 503, "store_full")
    assert int(answer.headers["Retry-After"]) > 1


def test_a_reject_is_replayed_through_its_door(web: Web) -> None:
    """What one version refused may be right for the next: the same bytes go through the same door."""
    sender = web.sender()
    sender.send("rest", call("track", event=""))
    [reject] = sender.rejects()
    heard = DOORS[reject.door](reject.raw.replace(b'"event": ""', b'"event": "Mended"'), sender.connection)
    receipt = accept(sender.connection, reject.door, heard, web.store.log, Telltale(web.log))
    assert (receipt.accepted, receipt.rejected) == (1, ())
    assert [message["event"] for message in sender.messages()] == ["Mended"]


def test_a_person_who_opens_the_address_is_told_what_it_is(web: Web) -> None:
    answer = web.app.test_client().get("/api/eventWebhook")
    assert answer.status_code == 200
    assert "takes POST" in answer.get_data(as_text=True)


def metadata(sender: Sender) -> Any:
    answer = sender.web.app.test_client().get("/api/contentMetadata", headers={"Authorization": f"Bearer {sender.token}"})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def test_contents_are_listed_with_name_and_slug(web: Web, sender: Sender) -> None:
    assert metadata(sender) == []
    web.store.contents.tell(
        sender.connection, [Content("c1", "welcome", "Welcome page"), Content("c2", name="Nameless"), Content(slug="z")], by="test"
    )
    web.store.contents.seen(sender.connection.id, [("c3", "banner"), ("c4", None)])
    assert metadata(sender) == [
        {"name": "banner", "slug": "banner"},
        {"name": "Welcome page", "slug": "welcome"},
        {"name": "z", "slug": "z"},
    ]
    assert metadata(web.sender()) == []


def test_a_paused_connection_goes_on_taking_calls(web: Web, sender: Sender) -> None:
    web.store.connections.save(replace(sender.connection, paused=True), by="test")
    assert sender.send("rest", call("track")).json == SUCCESS
    assert len(sender.messages()) == 1
