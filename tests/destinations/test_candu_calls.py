"""Calls of Candu's REST API: what each value becomes, who the user is, how calls share a request, and that our own door takes them."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from candu_source.deliveries import Outcome
from candu_source.destinations.candu import CanduCall, bodies, call, request
from candu_source.destinations.candu_api import ADDRESS, Dialect
from candu_source.destinations.candu_values import DEPTH, NAME_CHARACTERS, Notice, Rule, plain
from candu_source.doors.rest import hear
from candu_source.errors import Reason, UsageError
from candu_source.model import Call, Connection, Secret
from tests.destinations.test_candu_rules import made, refused
from tests.doors.sender import Web

KEY = Secret("canary-key")
# JSON as the log holds it: no lone surrogates, no NUL.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4), max_leaves=20)
words = st.sampled_from(["type", "userId", "anonymousId", "event", "groupId", "traits", "properties", "timestamp", "messageId", "context"])
kinds = st.sampled_from(["identify", "track", "group", "screen"])
messages = st.dictionaries(words, values, max_size=10)
likely = st.fixed_dictionaries({"type": kinds, "userId": texts, "event": texts, "groupId": texts}, optional={"messageId": texts})


@given(messages, likely, st.dictionaries(texts, values, max_size=4))
def test_whatever_a_message_holds_candu_gets_text_numbers_and_booleans(hostile: dict[str, Any], fine: dict[str, Any], tree: Any) -> None:
    for message in (hostile, fine | hostile, fine | {"traits": tree, "properties": tree}, hostile | fine):
        found = call(message)
        if isinstance(found, Outcome):
            assert found.code in (Reason.UNSUPPORTED_CALL, Reason.DISCARDED)
            assert found.detail
            continue
        for name, value in found.body.items():
            inner = value.values() if isinstance(value, dict) else [value]
            assert name in ("traits", "properties", "context") or isinstance(value, str)
            assert all(type(each) in (str, int, float, bool) for each in inner)
        ((count, body),) = bodies([found], arrays=True, most_bytes=1)
        assert (count, json.loads(body)) == (1, found.body)


@given(likely, st.dictionaries(texts, values, max_size=4), st.sampled_from([None, "2021-11-01", "2021-11-01T15:58:02.5+01:00", "soon"]))
def test_our_own_door_takes_every_call(message: dict[str, Any], tree: dict[str, Any], timestamp: str | None) -> None:
    found = call(message | {"traits": tree, "properties": tree, "timestamp": timestamp})
    if isinstance(found, CanduCall) and message["userId"]:
        ((_, body),) = bodies([found], arrays=False, most_bytes=1)
        (heard,) = hear(body.encode(), Connection("", ""))
        assert isinstance(heard, Call), heard


@given(st.dictionaries(texts, values, max_size=6))
def test_a_notice_is_told_of_all_that_is_not_as_it_was(tree: dict[str, Any]) -> None:
    kept, notices = plain(tree)
    told = {each.name for each in notices}
    for name, value in tree.items():
        assert name in told or (name in kept and kept[name] is value)


@pytest.mark.parametrize(
    ("value", "becomes", "rule"),
    [
        ("text", "text", None),
        ("", "", None),
        ("2022-01-20T11:21:02.5+01:00", "2022-01-20T11:21:02.5+01:00", None),
        (0, 0, None),
        (-1.5, -1.5, None),
        (1e300, 1e300, None),
        (True, True, None),
        (2**53, 2**53, None),
        (2**53 + 1, "9007199254740993", Rule.LONG_INTEGER),
        (-(2**63), "-9223372036854775808", Rule.LONG_INTEGER),
        (math.inf, None, Rule.NOT_FINITE),
        (math.nan, None, Rule.NOT_FINITE),
        (None, None, Rule.NULL),
        ([], None, Rule.LIST),
        ([1, {"a": 2}], None, Rule.LIST),
        ({}, None, Rule.FLATTENED),
    ],
)
def test_what_a_value_becomes(value: Any, becomes: Any, rule: Rule | None) -> None:
    kept, notices = plain({"x": value})
    assert kept == ({} if becomes is None else {"x": becomes})
    assert type(kept.get("x")) is type(becomes)
    assert notices == ([] if rule is None else [Notice("x", rule)])


def test_objects_are_flattened_to_a_depth() -> None:
    deep: dict[str, Any] = {"leaf": 1}
    for _ in range(DEPTH):
        deep = {"a": deep, "b": 2}
    kept, notices = plain(deep)
    assert kept == {"b": 2, "a.b": 2, "a.a.b": 2, "a.a.a.b": 2, "a.a.a.a.b": 2}
    assert [each.rule for each in notices] == [Rule.FLATTENED] * (DEPTH - 1) + [Rule.TOO_DEEP]
    assert notices[-1].name == "a.a.a.a.a"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_values_for_a_name_the_one_nested_less_stays(turned: bool) -> None:
    tree = {"a": {"b": 1, "b.c": {"d": 4}}, "a.b": 2, "a.b.c": {"d": 3}}
    kept, notices = plain(dict(reversed(tree.items())) if turned else tree)
    assert kept == {"a.b": 2, "a.b.c.d": 3}
    assert {each for each in notices if each.rule is Rule.NAME_TAKEN} == {
        Notice("a.b", Rule.NAME_TAKEN),
        Notice("a.b.c.d", Rule.NAME_TAKEN),
    }


def test_long_names_are_left_out_and_cannot_multiply() -> None:
    fits, over = "n" * NAME_CHARACTERS, "o" * (NAME_CHARACTERS + 1)
    kept, notices = plain({fits: 1, over: 2, "p": {fits: 3}, over + "x": {"y": 4}})
    assert kept == {fits: 1}
    assert [each.rule for each in notices] == [Rule.LONG_NAME, Rule.FLATTENED, Rule.LONG_NAME, Rule.LONG_NAME]
    assert max(len(each.name) for each in notices) == NAME_CHARACTERS
    wide = {"k" * 16_000: {str(each): each for each in range(4_000)}}
    assert plain(wide) == ({}, [Notice("k" * NAME_CHARACTERS, Rule.LONG_NAME)])


@pytest.mark.parametrize(
    ("message", "user"),
    [
        ({"userId": "a", "traits": {"userId": "b"}}, "a"),
        ({"userId": None, "traits": {"userId": "b", "id": "c"}}, "b"),
        ({"userId": "", "traits": {"userId": "", "id": 12.0}}, "12"),
        ({"traits": {"userId": True, "id": {"x": 1}}, "context": {"traits": {"userId": 0}}}, "0"),
        ({"traits": ["x"], "context": {"traits": {"id": "d"}}}, "d"),
        ({"userId": 1.5}, "1.5"),
        ({"userId": 10**20}, "100000000000000000000"),
    ],
)
def test_who_the_user_is(message: dict[str, Any], user: str) -> None:
    assert made(type="identify", **message).body["userId"] == user


def test_a_group_may_be_nobodys_and_its_traits_name_no_user() -> None:
    found = made(type="group", groupId=7, traits={"id": "acme", "userId": "boss", "seats": 3}, anonymousId="a")
    assert found.body == {
        "type": "group",
        "groupId": "7",
        "traits": {"id": "acme", "userId": "boss", "seats": 3},
        "anonymousId": "a",
        "context": {"source": "candu-source"},
    }
    assert made(type="group", groupId="g", context={"traits": {"id": "u", "plan": "x"}}).body == {
        "type": "group",
        "groupId": "g",
        "userId": "u",
        "traits": {},
        "context": {"source": "candu-source"},
    }
    assert refused(type="group", userId="u", traits={}).detail == "a call of type group needs groupId, as text"


def test_properties_may_be_absent_and_traits_may_not() -> None:
    assert "properties" not in made(type="track", userId="u", event="e").body
    assert made(type="identify", userId="u").body["traits"] == {}
    assert made(type="identify", userId="u", traits={}, context={"traits": {"a": 1}}).body["traits"] == {}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2021-11-01T15:58:02.999+00:00", "2021-11-01T15:58:02Z"),
        ("2022-01-20T11:21:02Z", "2022-01-20T11:21:02Z"),
        ("2022-01-01T00:30:00+01:00", "2021-12-31T23:30:00Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00Z"),
        ("2022-01-20", "2022-01-20T00:00:00Z"),
    ],
)
def test_times_have_seconds_and_z(text: str, written: str) -> None:
    found = made(type="track", userId="u", event="e", timestamp=text)
    assert (found.body["timestamp"], found.notices) == (written, ())


@pytest.mark.parametrize("given", ["soon", "", "2022-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", 1_700_000_000, {}])
def test_what_is_no_time_is_left_out_and_told(given: Any) -> None:
    found = made(type="track", userId="u", event="e", timestamp=given)
    assert "timestamp" not in found.body
    assert found.notices == (Notice("timestamp", Rule.NO_TIME),)


def test_the_message_id_stays_as_it_is() -> None:
    given = "candu:0123456789:" + "é" * 64
    assert made(type="track", userId="u", event="e", messageId=given).body["messageId"] == given


def test_calls_share_a_request_where_that_is_allowed() -> None:
    calls = [made(type="track", userId="u", event=f"é{number}") for number in range(5)]
    singly = list(bodies(calls, arrays=False, most_bytes=10_000))
    assert [(count, json.loads(body)) for count, body in singly] == [(1, each.body) for each in calls]
    ((count, body),) = bodies(calls, arrays=True, most_bytes=10_000)
    assert (count, json.loads(body)) == (5, [each.body for each in calls])
    assert list(bodies([], arrays=True, most_bytes=10_000)) == []
    room = len(body.encode())
    assert [count for count, _ in bodies(calls, arrays=True, most_bytes=room)] == [5]
    assert [count for count, _ in bodies(calls, arrays=True, most_bytes=room - 1)] == [4, 1]
    assert [count for count, _ in bodies(calls, arrays=True, most_bytes=1)] == [1] * 5


@given(st.lists(texts.filter(bool), max_size=12), st.integers(1, 1_000))
def test_no_call_is_lost_between_requests_and_no_array_is_too_large(events: list[str], most: int) -> None:
    calls = [made(type="track", userId="u", event=event) for event in events]
    made_of = list(bodies(calls, arrays=True, most_bytes=most))
    read = [json.loads(body) for _, body in made_of]
    assert [each for body in read for each in (body if isinstance(body, list) else [body])] == [each.body for each in calls]
    assert [count for count, _ in made_of] == [len(body) if isinstance(body, list) else 1 for body in read]
    assert all(count == 1 or len(body.encode()) <= most for count, body in made_of)


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        (Dialect.BEARER, "Bearer canary-key"),
        (Dialect.BASIC_COLON, "Basic " + b64encode(b"canary-key:").decode()),
        (Dialect.BASIC, "Basic " + b64encode(b"canary-key").decode()),
    ],
)
@pytest.mark.parametrize("base", [ADDRESS, ADDRESS + "/", ADDRESS + "//"])
def test_the_request(base: str, dialect: Dialect, written: str) -> None:
    made = request("{}", base=base, key=KEY, dialect=dialect)
    assert (made.method, made.url, made.body) == ("POST", "https://api.candu.ai/api/eventWebhook", "{}")
    assert made.headers["Authorization"] == written
    assert made.headers["Content-Type"] == "application/json"
    assert request("{}", base="http://[::1]:80/candu", key=KEY, dialect=dialect).url == "http://[::1]:80/candu/api/eventWebhook"


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api.candu.ai",
        "ftp://a",
        "https://",
        "https://u:p@a",
        "https://a?b=c",
        "https://a#b",
        "https://a b",
        "https://a\n",
        "http://ä",
        "http://[a",
    ],
)
def test_a_base_address_that_is_none(base: str) -> None:
    with pytest.raises(UsageError, match="is no base address; write it as "):
        request("{}", base=base, key=KEY, dialect=Dialect.BEARER)


def test_our_own_door_hears_a_request_once_however_often_it_is_sent(door: tuple[Web, str]) -> None:
    web, base = door
    sender = web.sender()
    calls = [made(type=kind, userId="u", event="e", groupId="g", messageId=f"m-{kind}") for kind in ("identify", "track", "group")]
    for dialect in Dialect:
        for _, body in bodies(calls, arrays=dialect is Dialect.BASIC, most_bytes=10_000):
            sent = request(body, base=base, key=Secret(sender.token), dialect=dialect)
            answer = requests.request(sent.method, sent.url, headers=dict(sent.headers), data=sent.body.encode(), timeout=30)
            assert (answer.status_code, answer.json()) == (200, {"success": True})
    heard = sender.messages()
    assert [message["type"] for message in heard] == ["identify", "track", "group"]
    assert [message["messageId"].rpartition(":")[2] for message in heard] == ["m-identify", "m-track", "m-group"]


def test_the_page_has_every_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "streaming.md").read_text("utf-8")
    assert [rule for rule in Rule if f"| `{rule}` |" not in page] == []
    assert f"more than {DEPTH} parts" in page
    assert f"more than {NAME_CHARACTERS} characters" in page
