"""Candu's REST API at our address: who may call, what is taken, in whose name, and what becomes of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from candu_source.model import Rules
from tests.doors.rest_calls import SUCCESS, TYPES, Item, call, values_of
from tests.doors.sender import Sender, Web, assert_problem, rejected


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
