"""POST /v1/webhook/<token>: what Candu sends, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.model import Kind, PortalRule, Rules
from tests.doors.items import VERSION, candu_properties, payload
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

SEED = {"tutorialId": 7, "segmentId": "Everyone", "versionId": VERSION}


def named(name: str, **fields: Any) -> dict[str, Any]:
    return payload("screenName", eventName=name, **fields)


@pytest.mark.parametrize(
    ("item", "rules", "expected"),
    [
        (payload(), Rules(), ("screen", "tutorial.view", {**SEED, "contentId": "c-1"})),
        (named("candu.sdk.content"), Rules(), ("screen", "tutorial.view", {**SEED, "contentId": "c-1"})),
        (payload(eventName=""), Rules(), ("screen", "tutorial.view", {**SEED, "contentId": "c-1"})),
        (payload(eventName=None), Rules(), ("screen", "tutorial.view", {**SEED, "contentId": "c-1"})),
        (
            named("candu.sdk.content.interaction", properties=candu_properties(eventName="Go")),
            Rules(extra_properties=False),
            ("track", "tutorial.interaction", {**SEED, "eventName": "Go"}),
        ),
        (
            named("candu.sdk.content.interaction", properties=candu_properties(eventName="")),
            Rules(extra_properties=False),
            ("track", "tutorial.interaction", {**SEED, "eventName": "content.interaction"}),
        ),
        (
            named("candu.sdk.checklist.done"),
            Rules(classification={"candu.sdk.checklist.done": Kind.INTERACTION}, extra_properties=False),
            ("track", "tutorial.interaction", {**SEED, "eventName": "checklist.done"}),
        ),
        (
            payload(screenName="candu.sdk.flow_step"),
            Rules(classification={"candu.sdk.flow_step": Kind.VIEW}, extra_properties=False),
            ("screen", "tutorial.view", SEED),
        ),
        (
            payload(),
            Rules(portal=PortalRule("lookup", table={"c-1": 9}), extra_properties=False),
            ("screen", "tutorial.view", {**SEED, "portalId": 9}),
        ),
        (named("Signed up", properties={"plan": "team"}), Rules(custom_events="send"), ("track", "Signed up", {"plan": "team"})),
        (named("Signed up", properties=None), Rules(custom_events="send"), ("track", "Signed up", {})),
        (payload(screenName="Home"), Rules(custom_events="send"), ("track", "Home", candu_properties())),
        (
            named("Signed up", properties={"documentId": "not a number"}),
            Rules(custom_events="send"),
            ("track", "Signed up", {"documentId": "not a number"}),
        ),
    ],
)
def test_an_event_becomes_a_call(web: Web, item: Any, rules: Rules, expected: tuple[str, str, dict[str, Any]]) -> None:
    sender = web.sender(rules)
    answer = sender.send("webhook", item)
    assert (answer.status_code, counts(answer)) == (202, (1, 0, 0, 0))
    [message] = sender.messages()
    assert (message["type"], message.get("name") or message["event"], message["properties"]) == expected


@pytest.mark.parametrize(
    ("item", "rules", "expected"),
    [
        (named("candu.sdk.checklist.done"), Rules(), "unknown_event"),
        (named("candu.sdk.checklist.done", properties={}), Rules(), "unknown_event"),
        (payload(screenName="candu.sdk.impression"), Rules(), "excluded_event"),
        (payload(), Rules(classification={"candu.sdk.content": Kind.FILTER}), "excluded_event"),
        (named("Signed up"), Rules(), "custom_event"),
        (named("Candu.sdk.content"), Rules(), "custom_event"),
        (payload("userId", anonymousId="a1"), Rules(anonymous="filter"), "anonymous"),
        (payload(userId="", anonymousId="a1"), Rules(anonymous="filter"), "anonymous"),
        (payload(context={"integration": {"name": "candu", "version": "0.9"}}), Rules(), "echo"),
    ],
)
def test_an_event_is_filtered_kept_and_counted(web: Web, item: Any, rules: Rules, expected: str) -> None:
    sender = web.sender(rules)
    answer = sender.send("webhook", item)
    assert (answer.status_code, counts(answer)) == (202, (0, 0, 1, 0))
    assert [reason for _, reason in sender.filtered()] == [expected]
    assert sender.messages() == []


@pytest.mark.parametrize(
    ("item", "errors"),
    [
        (payload("screenName"), {"payload.eventName"}),
        (payload(screenName=""), {"payload.eventName"}),
        (payload("userId"), {"payload.userId"}),
        (payload(userId=None, anonymousId=None), {"payload.userId"}),
        (payload(userId="", anonymousId=""), {"payload.userId"}),
        (payload("userId", "screenName"), {"payload.userId", "payload.eventName"}),
        (payload("properties"), {"payload.properties.documentId"}),
        (payload(properties=None), {"payload.properties.documentId"}),
        (payload(properties=candu_properties("documentId")), {"payload.properties.documentId"}),
        (payload(properties=candu_properties(documentId=None)), {"payload.properties.documentId"}),
        (payload(properties=candu_properties(segmentId=5)), {"payload.properties.segmentId"}),
        (payload(properties=candu_properties(versionId="v" * 256)), {"payload.properties.versionId"}),
        (payload(properties=candu_properties(eventName="n" * 1001)), {"payload.properties.eventName"}),
        (payload(properties=[]), {"payload.properties"}),
        (payload(context=[]), {"payload.context"}),
        (payload(userId="u" * 256), {"payload.userId"}),
        (payload(userId=5), {"payload.userId"}),
        (payload(id="i" * 65), {"payload.id"}),
        (payload(id=""), {"payload.id"}),
        (payload(screenName=True), {"payload.screenName"}),
        (payload(receivedAt=1731921871), {"payload.receivedAt"}),
        ({"payload": None}, {"payload"}),
        ({"payload": []}, {"payload"}),
        ({}, {"payload"}),
        (7, {"body"}),
        ("text", {"body"}),
        (None, {"body"}),
    ],
)
def test_an_item_is_refused_by_its_fields(sender: Sender, item: Any, errors: set[str]) -> None:
    answer = sender.send("webhook", item)
    assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == errors
    assert sender.messages() == []


@pytest.mark.parametrize("slack", [{"text": "u1 clicked"}, {"blocks": []}, {"attachments": [], "username": "Candu"}])
def test_the_slack_format_is_refused_naming_the_setting(sender: Sender, slack: dict[str, Any]) -> None:
    assert "change its Format setting from Slack to Default" in assert_problem(sender.send("webhook", slack), 422, "slack_format")
    mixed = sender.send("webhook", [payload(), slack])
    assert (mixed.status_code, counts(mixed)) == (202, (1, 0, 0, 1))
    assert {reject.code for reject in sender.rejects()} == {"slack_format"}


@pytest.mark.parametrize("item", [payload() | {"text": "t"}, payload() | {"version": 2}, payload(text="t", blocks=[1])])
def test_what_nobody_reads_changes_nothing(sender: Sender, item: dict[str, Any]) -> None:
    assert counts(sender.send("webhook", item)) == (1, 0, 0, 0)


def test_an_anonymous_event_is_sent_by_default(sender: Sender) -> None:
    assert counts(sender.send("webhook", payload(userId="", anonymousId="a1"))) == (1, 0, 0, 0)
    [message] = sender.messages()
    assert (message["userId"], message["anonymousId"]) == (None, "a1")


def test_a_list_keeps_good_items_and_names_bad_ones(sender: Sender) -> None:
    answer = sender.send("webhook", [payload("userId"), payload(id="a"), payload(id="a"), named("Custom"), 5])
    assert (answer.status_code, counts(answer)) == (202, (1, 1, 1, 2))
    assert rejected(answer).keys() == {0, 4}


def test_an_unknown_event_can_be_heard_after_the_table_grew(web: Web, sender: Sender) -> None:
    sender.send("webhook", named("candu.sdk.new", id="n1"))
    assert sender.filtered() == [("candu.sdk.new", "unknown_event")]
    grown = web.sender(Rules(classification={"candu.sdk.new": Kind.VIEW}))
    assert counts(grown.send("webhook", named("candu.sdk.new", id="n1"))) == (1, 0, 0, 0)
