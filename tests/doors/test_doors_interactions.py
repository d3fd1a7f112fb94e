"""POST /v1/interactions: the direct contract of Segment's Candu source page."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from candu_source.model import PortalRule, Rules
from tests.doors.items import VERSION, call, encode, interaction, seed_properties
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

VIEW = {"tutorialId": 7, "segmentId": "Everyone", "portalId": 3, "versionId": VERSION}
EXTRA = {"contentId": "c", "placementId": "p", "nodeId": "n", "nodeType": "Button", "slug": "s", "trigger": "OnClick", "category": "cta"}


@pytest.mark.parametrize(
    ("item", "rules", "expected"),
    [
        (call(), Rules(), ("screen", "tutorial.view", VIEW)),
        (interaction(), Rules(), ("track", "tutorial.interaction", {**VIEW, "eventName": "Skip"})),
        (call(properties=seed_properties(**EXTRA)), Rules(), ("screen", "tutorial.view", VIEW | EXTRA)),
        (call(properties=seed_properties(**EXTRA)), Rules(extra_properties=False), ("screen", "tutorial.view", VIEW)),
        (call(), Rules(portal=PortalRule("constant", constant=99)), ("screen", "tutorial.view", VIEW)),
        (call(properties=seed_properties(tutorialId="7", portalId=3.0)), Rules(), ("screen", "tutorial.view", VIEW)),
    ],
)
def test_a_call_becomes_a_message(web: Web, item: Any, rules: Rules, expected: tuple[str, str, dict[str, Any]]) -> None:
    sender = web.sender(rules)
    answer = sender.send("interactions", item)
    assert (answer.status_code, counts(answer)) == (202, (1, 0, 0, 0))
    [message] = sender.messages()
    assert (message["type"], message.get("name") or message["event"], message["properties"]) == expected


@pytest.mark.parametrize(
    ("item", "errors"),
    [
        *((call(properties=seed_properties(name)), {f"properties.{name}"}) for name in VIEW),
        *((interaction(properties=seed_properties(name, eventName="Skip")), {f"properties.{name}"}) for name in VIEW),
        *((call(properties=seed_properties(**{name: None})), {f"properties.{name}"}) for name in VIEW),
        (interaction(properties=seed_properties()), {"properties.eventName"}),
        (interaction(properties=seed_properties(eventName="")), {"properties.eventName"}),
        (interaction(properties=seed_properties(eventName=None)), {"properties.eventName"}),
        (call(properties=seed_properties(eventName="Skip")), {"properties.eventName"}),
        (call(properties={}), {f"properties.{name}" for name in VIEW}),
        (call("properties"), {"properties"}),
        (call(properties=None), {"properties"}),
        (call(properties=[]), {"properties"}),
        (call("type"), {"type"}),
        (call(type="track"), {"type"}),
        (call(type=None), {"type"}),
        (call(type=["tutorial.view"]), {"type"}),
        (call("userId"), {"userId"}),
        (call(userId=None), {"userId"}),
        (call(userId="", anonymousId=""), {"userId"}),
        (call(userId=5), {"userId"}),
        (call(userId="u" * 256), {"userId"}),
        (call(anonymousId="u" * 256), {"anonymousId"}),
        (call(messageId="m" * 65), {"messageId"}),
        (call(messageId=""), {"messageId"}),
        (call(messageId=None), {"messageId"}),
        (call(timestamp=None), {"timestamp"}),
        (call(timestamp=1731921871), {"timestamp"}),
        (call(context=None), {"context"}),
        (call(context="page"), {"context"}),
        (call(propertes={}), {"propertes"}),
        (call(properties=seed_properties(tutorialID=5)), {"properties.tutorialID"}),
        (call(properties=seed_properties(segmentId=5, versionId="")), {"properties.segmentId", "properties.versionId"}),
        (call(properties=seed_properties(slug=None)), {"properties.slug"}),
        (5, {"body"}),
        ("text", {"body"}),
        (None, {"body"}),
    ],
)
def test_a_call_is_refused_by_its_fields(sender: Sender, item: Any, errors: set[str]) -> None:
    answer = sender.send("interactions", item)
    assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == errors
    assert sender.messages() == []


@pytest.mark.parametrize(
    "item",
    [
        call(userId="u" * 255, anonymousId="é" * 255),
        call(userId="", anonymousId="a1"),
        call(userId=None, anonymousId="a1"),
        call("userId", anonymousId="a1"),
        call(messageId="m" * 64),
        call(messageId="é" * 64),
        call(context={}),
        call(timestamp="soon"),
        interaction(properties=seed_properties(eventName="é" * 1000)),
    ],
)
def test_a_call_on_the_edge_is_accepted(sender: Sender, item: dict[str, Any]) -> None:
    assert counts(sender.send("interactions", item)) == (1, 0, 0, 0)
    assert len(sender.messages()[0]["messageId"]) < 100


@pytest.mark.parametrize(
    "body",
    [
        [call(messageId="a"), interaction(messageId="b")],
        {"batch": [call(messageId="a"), interaction(messageId="b")]},
        {"sentAt": "now", "batch": [call(messageId="a"), interaction(messageId="b")], "context": {"batch": []}},
        b"\n [ %b\t,\n%b ]\r\n" % (encode(call(messageId="a")), encode(interaction(messageId="b"))),
    ],
)
def test_several_calls_keep_their_order(sender: Sender, body: object) -> None:
    assert counts(sender.send("interactions", body)) == (2, 0, 0, 0)
    assert [message["type"] for message in sender.messages()] == ["screen", "track"]
    assert sender.raws() == [encode(call(messageId="a")), encode(interaction(messageId="b"))]


@pytest.mark.parametrize("body", [[], {"batch": []}])
def test_an_empty_list_accepts_nothing(sender: Sender, body: object) -> None:
    assert "empty" in assert_problem(sender.send("interactions", body), 422, "nothing_accepted")


@pytest.mark.parametrize("body", [{"batch": None}, {"batch": {}}, {"batch": 5}, [[call()]], {"batch": [[call()]]}])
def test_an_envelope_holds_a_list_of_calls(sender: Sender, body: object) -> None:
    assert_problem(sender.send("interactions", body), 422, "invalid")


def test_the_webhook_knows_no_envelope(sender: Sender) -> None:
    answer = sender.send("webhook", {"batch": [call()]})
    assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == {"payload"}


@pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER   {} ", "Basic {user}", "basic {bare}", "Basic {word}"])
def test_the_token_comes_as_bearer_or_as_the_user_of_basic(sender: Sender, scheme: str) -> None:
    token = sender.token
    given = {name: base64.b64encode(f"{token}{end}".encode()).decode() for name, end in (("user", ":"), ("bare", ""), ("word", ":x:y"))}
    assert counts(sender.send("interactions", call(), Authorization=scheme.format(token, **given))) == (1, 0, 0, 0)


def test_a_call_sent_again_is_a_duplicate(sender: Sender) -> None:
    assert counts(sender.send("interactions", call(messageId="m1"))) == (1, 0, 0, 0)
    assert counts(sender.send("interactions", [call(messageId="m1"), interaction(messageId="m1")])) == (0, 2, 0, 0)
    assert [message["messageId"] for message in sender.messages()] == [f"candu:{sender.connection.id}:m1"]


def test_two_doors_and_one_id_are_one_event(sender: Sender) -> None:
    assert counts(sender.send("interactions", call(messageId="m1"))) == (1, 0, 0, 0)
    again = {"payload": {"id": "m1", "userId": "u1", "screenName": "candu.sdk.content", "properties": {"documentId": 7}}}
    assert counts(sender.send("webhook", again)) == (0, 1, 0, 0)


def test_one_id_of_two_senders_is_two_events(web: Web) -> None:
    for sender in (web.sender(), web.sender()):
        assert counts(sender.send("interactions", call(messageId="m1"))) == (1, 0, 0, 0)


def test_calls_without_an_id_are_never_duplicates(sender: Sender) -> None:
    assert counts(sender.send("interactions", [call(), call()])) == (2, 0, 0, 0)
    assert len({message["messageId"] for message in sender.messages()}) == 2


@pytest.mark.parametrize("nobody", [None, ""])
def test_an_empty_user_id_names_nobody(web: Web, nobody: str | None) -> None:
    anonymous = call(userId=nobody, anonymousId="a1")
    sender = web.sender()
    assert counts(sender.send("interactions", [anonymous, call(anonymousId=nobody)])) == (2, 0, 0, 0)
    assert [(each["userId"], each["anonymousId"]) for each in sender.messages()] == [(None, "a1"), ("u1", None)]
    assert counts(web.sender(Rules(anonymous="filter")).send("interactions", anonymous)) == (0, 0, 1, 0)


def test_a_call_that_comes_back_from_candu_is_filtered(sender: Sender) -> None:
    echo = interaction(context={"integration": {"name": "candu", "version": "1.0.0"}})
    assert counts(sender.send("interactions", echo)) == (0, 0, 1, 0)
    assert sender.filtered() == [("tutorial.interaction", "echo")]
