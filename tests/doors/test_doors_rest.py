"""Candu's REST API at our address: what is taken, in whose name, what becomes of it, and what is answered."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from candu_source.doors import DOORS
from candu_source.intake import accept
from candu_source.model import Content, Rules
from candu_source.observe import Telltale
from candu_source.settings import Settings
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

Item = dict[str, Any]
EMPTY: dict[str, Item] = {"identify": {"traits": {}}, "track": {"event": "Signed up"}, "group": {"groupId": "g", "traits": {}}}
TYPES = tuple(EMPTY)
SUCCESS = {"success": True}


def call(kind: str, *drop: str, **fields: Any) -> Item:
    """Make the least that a call of this type must hold, by u1, with fields changed, added or (by name) dropped."""
    made = {"type": kind, "userId": "u1", **EMPTY[kind], **fields}
    return {name: value for name, value in made.items() if name not in drop}


def values_of(kind: str, values: Item) -> Item:
    """Make a call with these traits or properties."""
    return call(kind, **{"properties" if kind == "track" else "traits": values})


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()


@pytest.mark.parametrize("dialect", [lambda key: f"Bearer {key}", lambda key: basic(f"{key}:"), basic], ids=["bearer", "basic:", "basic"])
def test_the_three_ways_to_show_a_key(sender: Sender, dialect: Any) -> None:
    given = {"Authorization": dialect(sender.token)}
    answer = sender.send("rest", call("track"), **given)
    assert (answer.status_code, answer.json) == (200, SUCCESS)
    assert sender.web.app.test_client().get("/api/contentMetadata", headers=given).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", basic("unknown"), basic("unknown:"), "Token x"])
def test_a_stranger_is_refused_and_leaves_nothing(web: Web, authorization: str) -> None:
    before = web.table_sizes()
    client, given = web.app.test_client(), {"Authorization": authorization}
    assert_problem(client.post("/api/eventWebhook", json=call("track"), headers=given), 401, "unauthorized")
    assert_problem(client.get("/api/contentMetadata", headers=given), 401, "unauthorized")
    assert web.table_sizes() == before


def test_a_public_token_is_no_key(sender: Sender) -> None:
    answer = sender.send("rest", call("track"), Authorization=f"Bearer {sender.connection.public_token}")
    assert_problem(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (call("identify", traits={"plan": "team"}), {"type": "identify", "traits": {"plan": "team"}}),
        (call("track", properties={"n": 1.5}), {"type": "track", "event": "Signed up", "properties": {"n": 1.5}}),
        (call("track"), {"type": "track", "event": "Signed up", "properties": {}}),
        (call("track", properties=None), {"type": "track", "event": "Signed up", "properties": {}}),
        (call("group", traits={"seats": 3}), {"type": "group", "groupId": "g", "traits": {"seats": 3}}),
    ],
)
def test_a_call_keeps_its_type_and_words(sender: Sender, item: Item, expected: Item) -> None:
    assert sender.send("rest", item).json == SUCCESS
    [message] = sender.messages()
    assert message.pop("context")["integration"] == {"name": "candu", "version": "1.0.0"}
    for name in ("messageId", "timestamp"):
        assert message.pop(name)
    assert message == expected | {"userId": "u1", "anonymousId": None, "integrations": {"Candu": False}}
    assert json.loads(sender.raws()[0]) == item


@pytest.mark.parametrize("event", ["Signed up", "tutorial.view", "candu.sdk.content", "candu.sdk.unheard.of"])
@pytest.mark.parametrize("custom_events", ["filter", "send"])
def test_a_track_goes_under_its_own_name(web: Web, event: str, custom_events: Any) -> None:
    sender = web.sender(Rules(custom_events=custom_events))
    assert sender.send("rest", call("track", event=event)).json == SUCCESS
    assert [(message["type"], message["event"]) for message in sender.messages()] == [("track", event)]


@pytest.mark.parametrize("kind", TYPES)
def test_integrations_and_context_are_as_at_the_other_doors(web: Web, kind: str) -> None:
    sender = web.sender(Rules(integrations={"Braze": False}))
    sender.send("rest", call(kind, context={"locale": "en", "ip": "1.2.3.4"}, timestamp="2021-11-01T15:58:02Z"))
    [message] = sender.messages()
    assert message["integrations"] == {"Braze": False}
    assert message["context"].keys() == {"locale", "integration", "library"}
    assert message["timestamp"] == "2021-11-01T15:58:02.000+00:00"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"userId": "u1"}, ("u1", None)),
        ({"userID": "u1"}, ("u1", None)),
        ({"userID": "u1", "userId": "u1"}, ("u1", None)),
        ({"userID": "", "userId": "u1"}, ("u1", None)),
        ({"userID": "u1", "userId": None}, ("u1", None)),
        ({"userId": "u1", "anonymousId": "a1"}, ("u1", "a1")),
        ({"userId": "u1", "anonymousId": ""}, ("u1", None)),
    ],
)
def test_either_spelling_names_the_user(sender: Sender, kind: str, who: Item, expected: tuple[str, str | None]) -> None:
    assert sender.send("rest", call(kind, "userId") | who).json == SUCCESS
    assert [(message["userId"], message["anonymousId"]) for message in sender.messages()] == [expected]


@pytest.mark.parametrize("kind", TYPES)
def test_two_users_in_one_call_are_refused(sender: Sender, kind: str) -> None:
    answer = sender.send("rest", call(kind, userID="u2"))
    assert "Differs from userId" in assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == {"userID"}


@pytest.mark.parametrize("who", [{}, {"userId": None}, {"userId": ""}, {"userID": ""}, {"userId": "", "userID": None}])
def test_nobodys_call_is_refused(sender: Sender, who: Item) -> None:
    for kind in TYPES:
        assert rejected(sender.send("rest", call(kind, "userId") | who))[0].keys() == {"userId"}


def test_only_a_group_may_be_anonymous(sender: Sender) -> None:
    for kind in ("identify", "track"):
        assert rejected(sender.send("rest", call(kind, "userId", anonymousId="a")))[0].keys() == {"userId"}
    assert sender.send("rest", call("group", "userId", anonymousId="a")).json == SUCCESS
    assert [message["anonymousId"] for message in sender.messages()] == ["a"]


def test_anonymous_groups_follow_the_connections_rule(web: Web) -> None:
    sender = web.sender(Rules(anonymous="filter"))
    assert sender.send("rest", call("group", "userId", anonymousId="a")).json == SUCCESS
    assert (sender.messages(), sender.filtered()) == ([], [("group", "anonymous")])


@pytest.mark.parametrize("kind", TYPES)
def test_our_own_call_that_came_back_is_an_echo(sender: Sender, kind: str) -> None:
    assert sender.send("rest", call(kind, context={"integration": {"name": "candu"}})).json == SUCCESS
    assert sender.messages() == []
    assert [reason for _, reason in sender.filtered()] == ["echo"]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", ["", "text", "é", 0, -1, 1.5, 2**53, 1e300, True, False, "2021-11-01T15:58:02Z"])
def test_text_numbers_and_booleans_stay_what_they_are(sender: Sender, kind: str, value: Any) -> None:
    assert sender.send("rest", values_of(kind, {"a.b": value})).json == SUCCESS
    [message] = sender.messages()
    kept = message["properties" if kind == "track" else "traits"]["a.b"]
    assert (type(kept), kept) == (type(value), value)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", [None, [], ["a"], {}, {"b": 1}, 2**53 + 1, "a\0b", float("nan"), "\ud800"], ids=repr)
def test_other_values_are_refused_by_name(sender: Sender, kind: str, value: Any) -> None:
    answer = sender.send("rest", values_of(kind, {"fine": 1, "plan": value}))
    assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == {"properties.plan" if kind == "track" else "traits.plan"}
    assert sender.messages() == []


@pytest.mark.parametrize(
    "text",
    [
        *("2021-11-01T15:58:02Z", "2021-11-01T15:58:02.123Z", "2021-11-01T15:58:02.123456789Z", "2021-11-01T15:58:02+02:00"),
        *("2021-11-01T15:58:02-0930", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_time_with_seconds_and_a_zone_is_taken(sender: Sender, text: str) -> None:
    assert sender.send("rest", call("track", timestamp=text)).json == SUCCESS


@pytest.mark.parametrize(
    "value",
    [
        *("", "now", "2021-11-01", "2021-11-01T15:58Z", "2021-11-01T15:58:02", "2021-11-01 15:58:02Z", "2021-13-01T15:58:02Z"),
        *("2021-02-30T15:58:02Z", "2021-11-01T25:58:02Z", "20211101T155802Z", "2021-11-01T15:58:02Zjunk", "２０２１-11-01T15:58:02Z"),
        *("2021-11-01T15:58:02+99:00", "2021-11-01T15:58:02." + "1" * 500 + "Z", 1635782282, 1635782282000, True, {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_another_time_is_refused_saying_what_is_one(sender: Sender, value: Any) -> None:
    answer = sender.send("rest", call("track", timestamp=value))
    assert_problem(answer, 422, "invalid")
    [(field, [sentence])] = rejected(answer)[0].items()
    assert field == "timestamp"
    assert "2021-11-01T15:58:02Z" in sentence or not isinstance(value, str)


@pytest.mark.parametrize("kind", TYPES)
def test_no_time_is_our_receipt(sender: Sender, kind: str) -> None:
    assert sender.send("rest", [call(kind), call(kind, timestamp=None)]).json == SUCCESS
    [event, *_] = sender.web.store.trace.tail(sender.connection.id)
    assert sender.messages()[0]["timestamp"][:10] == datetime.fromtimestamp(event.accepted_at, UTC).isoformat()[:10]


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
        (call("track", messageId="m" * 65), {"messageId"}),
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
