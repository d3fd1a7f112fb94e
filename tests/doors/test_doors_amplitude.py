"""What Amplitude's Webhook destination sends: who may, what is taken, what it becomes, and what is the same event."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from candu_source.model import Rules
from tests.doors.amplitude_items import Item, event, user
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

LONG = "d" * 60
AGENT = {"User-Agent": "Amplitude/Webhook/1.0"}


@pytest.mark.parametrize("authorization", ["Bearer {}", "bearer {}", "Basic {basic}"])
def test_the_token_stands_in_the_address_or_in_a_header(sender: Sender, authorization: str) -> None:
    basic = base64.b64encode(f"{sender.token}:".encode()).decode()
    headers = AGENT | {"Authorization": authorization.format(sender.token, basic=basic), "X-More": "1"}
    client = sender.web.app.test_client()
    assert client.post(f"/v1/amplitude/{sender.token}", json=event(uuid="a"), headers=AGENT).status_code == 202
    assert counts(client.post("/v1/amplitude", json=event(uuid="b"), headers=headers)) == (1, 0, 0, 0)


@pytest.mark.parametrize("path", ["/v1/amplitude", "/v1/amplitude/unknown"])
def test_a_stranger_is_refused_and_leaves_nothing(web: Web, path: str) -> None:
    before = web.table_sizes()
    assert_problem(web.app.test_client().post(path, json=event()), 401, "unauthorized")
    assert web.table_sizes() == before


def test_a_person_sees_what_the_addresses_are(sender: Sender) -> None:
    client = sender.web.app.test_client()
    sender.send("amplitude", event())
    assert "Last event seen" in client.get(f"/v1/amplitude/{sender.token}").get_data(as_text=True)
    assert "Authorization" in client.get("/v1/amplitude").get_data(as_text=True)
    assert_problem(client.get("/v1/amplitude/unknown"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (event(), {"type": "track", "event": "Signed up", "properties": {}}),
        (event(event_properties=None), {"type": "track", "event": "Signed up", "properties": {}}),
        (event(event_properties={"a": [1, {"b": None}]}), {"type": "track", "event": "Signed up", "properties": {"a": [1, {"b": None}]}}),
        (event(user_properties={"plan": "pro"}, city="Berlin"), {"type": "track", "event": "Signed up", "properties": {}}),
        (event(event_type="tutorial.view"), {"type": "track", "event": "tutorial.view", "properties": {}}),
        (event(event_type="candu.sdk.unheard"), {"type": "track", "event": "candu.sdk.unheard", "properties": {}}),
        (event("user_id"), {"type": "track", "event": "Signed up", "properties": {}, "userId": None}),
        (event(user_id=""), {"type": "track", "event": "Signed up", "properties": {}, "userId": None}),
        (event(device_id=None), {"type": "track", "event": "Signed up", "properties": {}, "anonymousId": None}),
        (event(event_type="$identify", user_properties={"a": 1}), {"type": "identify", "traits": {"a": 1}}),
        (event("event_type", user_properties={"a": 1}), {"type": "identify", "traits": {"a": 1}}),
        (event(event_type=None, event_properties={}), {"type": "identify", "traits": {}}),
        (event("event_type", "user_id", user_properties={}), {"type": "identify", "traits": {}, "userId": None}),
    ],
)
def test_an_event_becomes_a_track_and_a_user_an_identify(sender: Sender, item: Item, expected: Item) -> None:
    assert counts(sender.send("amplitude", item)) == (1, 0, 0, 0)
    [message] = sender.messages()
    assert message.pop("context").keys() == {"integration", "library"}
    for name in ("messageId", "timestamp"):
        assert message.pop(name)
    assert message == {"userId": "u1", "anonymousId": "d1", "integrations": {"Candu": False}} | expected
    assert json.loads(sender.raws()[0]) == item


@pytest.mark.parametrize(
    ("properties", "traits"),
    [
        ({"plan": "pro", "$experiment": 1}, {"plan": "pro", "$experiment": 1}),
        ({"$set": {"plan": "pro"}}, {"plan": "pro"}),
        ({"$setOnce": {"first": 1}, "$set": {"plan": "pro"}}, {"first": 1, "plan": "pro"}),
        ({"$set": {"a": "set"}, "a": "plain", "b": "plain", "$setOnce": {"a": "once", "b": "once"}}, {"a": "set", "b": "plain"}),
        (
            {
                **{f"${word}": {"n": 1} for word in ("add", "append", "prepend", "preInsert", "postInsert", "remove", "unset")},
                "$clearAll": "-",
                "left": [1],
            },
            {"left": [1]},
        ),
    ],
)
def test_operations_become_plain_traits_or_are_left_out(sender: Sender, properties: Item, traits: Item) -> None:
    assert counts(sender.send("amplitude", user(user_properties=properties))) == (1, 0, 0, 0)
    assert [message["traits"] for message in sender.messages()] == [traits]


@pytest.mark.parametrize(
    ("given", "timestamp", "replaced"),
    [
        ("2022-02-28 20:07:01.795000", "2022-02-28T20:07:01.795+00:00", None),
        ("2022-02-28 20:07:01", "2022-02-28T20:07:01.000+00:00", None),
        ("2022-02-28T20:07:01Z", "2022-02-28T20:07:01.000+00:00", None),
        ("some day", None, "some day"),
        ("1999-01-01 00:00:00.000000", None, "1999-01-01 00:00:00.000000"),
    ],
)
def test_times_are_utc_and_never_refused(sender: Sender, given: str, timestamp: str | None, replaced: str | None) -> None:
    sender.send("amplitude", event(event_time=given))
    [message] = sender.messages()
    assert timestamp in (None, message["timestamp"])
    assert message["context"].get("candu", {}).get("replacedTimestamp") == replaced


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        (event(event_type="_all"), {"event_type"}),
        (event(event_type="_identify"), {"event_type"}),
        (event(event_type=""), {"event_type"}),
        (event(event_type=5), {"event_type"}),
        (event(event_type="e" * 1_001), {"event_type"}),
        (event("event_type", event_properties={"a": 1}), {"event_type"}),
        (event("event_type", "user_id"), {"event_type"}),
        (event("event_type", "user_id", "device_id"), {"event_type", "user_id"}),
        (event("user_id", "device_id"), {"user_id"}),
        (event(user_id=None, device_id=""), {"user_id"}),
        (event(user_id=5), {"user_id"}),
        (event(user_id="u" * 256), {"user_id"}),
        (event(device_id="d" * 256), {"device_id"}),
        (event(uuid=5), {"uuid"}),
        (event(**{"$insert_id": 5}), {"$insert_id"}),
        (event(event_time=1646078821795), {"event_time"}),
        (event(event_properties=[]), {"event_properties"}),
        (event(user_properties="x"), {"user_properties"}),
        (user(user_properties={"$set": 1}), {"user_properties.$set"}),
        (user(user_properties={"$set": None, "$setOnce": []}), {"user_properties.$set", "user_properties.$setOnce"}),
        (5, {"body"}),
        ({}, {"event_type", "user_id"}),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict | int) else None,
)
def test_what_is_off_is_named_nine_times_and_kept_once(sender: Sender, item: Any, fields: set[str]) -> None:
    for _ in range(9):
        answer = sender.send("amplitude", item)
        assert_problem(answer, 422, "invalid")
        assert rejected(answer)[0].keys() == fields
    [reject] = sender.rejects()
    assert (reject.door, reject.times, json.loads(reject.raw)) == ("amplitude", 9, item)
    assert sender.messages() == []


def test_reserved_names_are_named(sender: Sender) -> None:
    said = rejected(sender.send("amplitude", event(event_type="_all")))[0]["event_type"][0]
    assert "_all is a reserved name" in said


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({"uuid": "e4b1", "$insert_id": "i"}, "e4b1"),
        ({"uuid": "", "$insert_id": "i"}, "d1:i"),
        ({"uuid": None, "$insert_id": "i"}, "d1:i"),
        ({"$insert_id": "i"}, "d1:i"),
        ({"uuid": "é" * 64}, "é" * 64),
    ],
)
def test_what_is_the_same_event_counts_once(sender: Sender, fields: Item, own: str) -> None:
    assert counts(sender.send("amplitude", event(**fields))) == (1, 0, 0, 0)
    assert counts(sender.send("amplitude", [event(event_type="Changed", **fields), event(**fields)])) == (0, 2, 0, 0)
    assert [message["messageId"] for message in sender.messages()] == [f"candu:{sender.connection.id}:{own}"]


@pytest.mark.parametrize("fields", [{"uuid": "é" * 300}, {"device_id": LONG, "$insert_id": "i" * 300}])
def test_a_long_id_is_hashed_and_still_one(sender: Sender, fields: Item) -> None:
    for expected in ((1, 0, 0, 0), (0, 1, 0, 0)):
        assert counts(sender.send("amplitude", event(**fields))) == expected
    other = {name: f"{value}2" for name, value in fields.items()}
    assert counts(sender.send("amplitude", event(**other))) == (1, 0, 0, 0)
    assert all(len(message["messageId"]) < 100 for message in sender.messages())


@pytest.mark.parametrize("item", [event(), event("device_id", **{"$insert_id": "i"}), user()])
def test_what_nothing_tells_apart_counts_anew(sender: Sender, item: Item) -> None:
    assert [counts(sender.send("amplitude", item)) for _ in range(2)] == [(1, 0, 0, 0)] * 2


def test_a_list_of_good_and_bad(sender: Sender) -> None:
    body = [event(uuid="a"), event(event_type="_all"), user(), 5, event(uuid="a")]
    answer = sender.send("amplitude", body)
    assert (answer.status_code, counts(answer)) == (202, (2, 1, 0, 2))
    assert rejected(answer).keys() == {1, 3}
    assert [message["type"] for message in sender.messages()] == ["track", "identify"]
    assert_problem(sender.send("amplitude", []), 422, "nothing_accepted")
    assert_problem(sender.send("amplitude", b"{"), 400, "broken_json")


def test_those_without_a_user_id_are_filtered_where_the_connection_says_so(web: Web) -> None:
    strict = web.sender(Rules(anonymous="filter"))
    assert counts(strict.send("amplitude", [event("user_id"), event("event_type", "user_id", user_properties={})])) == (0, 0, 2, 0)
    assert sorted(strict.filtered()) == [("Signed up", "anonymous"), ("identify", "anonymous")]
