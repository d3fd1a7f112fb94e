"""What a Candu event becomes: the tables of the mapping."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.errors import Reason
from candu_source.mapping import CLASSIFICATION, classify, message_id, portal_id, to_message
from candu_source.model import Kind, PortalRule, Rules
from tests.mapping.heard import CONNECTION, NOW, heard, message_of

CANDU = {"documentId": 7, "segmentId": "s", "versionId": "v"}
SEED = {"tutorialId": 7, "segmentId": "s", "versionId": "v"}
OWN = {"contentId": "c", "placementId": "p", "nodeId": "n", "nodeType": "Button", "slug": "s", "trigger": "OnClick", "category": "cta"}
UNSAID = {"handler": {"type": "x"}, "other": 1, "payload": []}

EXTENDED = Rules(classification={"candu.sdk.new": Kind.VIEW, "candu.sdk.content": Kind.FILTER, "Custom": Kind.INTERACTION})
SENDING = Rules(custom_events="send")


@pytest.mark.parametrize(
    ("name", "rules", "expected"),
    [
        ("candu.sdk.content", Rules(), Kind.VIEW),
        ("candu.sdk.content.interaction", Rules(), Kind.INTERACTION),
        ("tutorial.view", Rules(), Kind.VIEW),
        ("tutorial.interaction", Rules(), Kind.INTERACTION),
        ("candu.sdk.flow_step", Rules(), Reason.EXCLUDED_EVENT),
        ("candu.sdk.impression", Rules(), Reason.EXCLUDED_EVENT),
        ("candu.sdk.new", Rules(), Reason.UNKNOWN_EVENT),
        ("candu.sdk.", SENDING, Reason.UNKNOWN_EVENT),
        ("candu.sdk.Content", SENDING, Reason.UNKNOWN_EVENT),
        ("Custom", Rules(), Reason.CUSTOM_EVENT),
        ("Custom", SENDING, None),
        ("candu.sdk", SENDING, None),
        ("my candu.sdk.content", SENDING, None),
        ("candu.sdk.new", EXTENDED, Kind.VIEW),
        ("candu.sdk.content", EXTENDED, Reason.EXCLUDED_EVENT),
        ("Custom", EXTENDED, Kind.INTERACTION),
        ("candu.sdk.content.interaction", EXTENDED, Kind.INTERACTION),
    ],
)
def test_a_name_is_classified(name: str, rules: Rules, expected: Kind | Reason | None) -> None:
    assert classify(name, rules) is expected


def test_every_published_name_is_in_the_table() -> None:
    screens = ("content", "flow_step", "impression", "conditional_view_option", "hotspot_beacon", "hotspot_tooltip", "tour_step_tooltip")
    published = {f"candu.sdk.{name}" for name in (*screens, "content.interaction")}
    assert CLASSIFICATION.keys() == published | {"tutorial.view", "tutorial.interaction"}


@pytest.mark.parametrize(
    ("properties", "rules", "expected"),
    [
        (CANDU, Rules(), SEED),
        (CANDU | OWN, Rules(), SEED | OWN),
        (CANDU | OWN | UNSAID, Rules(), SEED | OWN),
        (CANDU | OWN, Rules(extra_properties=False), SEED),
        (CANDU | {"tutorialId": 9}, Rules(), SEED | {"tutorialId": 9}),
        ({"tutorialId": 0}, Rules(), {"tutorialId": 0}),
        (CANDU | {"segmentId": "Everyone"}, Rules(), SEED | {"segmentId": "Everyone"}),
        (CANDU | {"segmentId": None, "versionId": None, "slug": None}, Rules(), {"tutorialId": 7}),
        (CANDU | {"portalId": 5}, Rules(), SEED | {"portalId": 5}),
        (CANDU | {"portalId": 5}, Rules(portal=PortalRule("constant", constant=1)), SEED | {"portalId": 5}),
        (CANDU, Rules(portal=PortalRule("constant", constant=0)), SEED | {"portalId": 0}),
        (
            CANDU | {"contentId": "c"},
            Rules(portal=PortalRule("lookup", table={"c": 3}), extra_properties=False),
            SEED | {"portalId": 3},
        ),
        (CANDU | {"eventName": "label"}, Rules(), SEED),
    ],
)
def test_a_view_has_the_properties_of_the_seed(properties: dict[str, Any], rules: Rules, expected: dict[str, Any]) -> None:
    assert message_of(heard(properties=properties), rules)["properties"] == expected


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("candu.sdk.content.interaction", {"eventName": "Go"}, "Go"),
        ("candu.sdk.content.interaction", {"eventName": "candu.sdk.content.interaction"}, "candu.sdk.content.interaction"),
        ("candu.sdk.content.interaction", {"eventName": " "}, " "),
        ("candu.sdk.content.interaction", {}, "content.interaction"),
        ("candu.sdk.content.interaction", {"eventName": None}, "content.interaction"),
        ("candu.sdk.content.interaction", {"eventName": ""}, "content.interaction"),
        ("candu.sdk.new", {}, "new"),
        ("Custom", {}, "Custom"),
    ],
)
def test_the_kind_of_an_interaction_is_its_label(name: str, label: dict[str, Any], expected: str) -> None:
    rules = Rules(classification={"candu.sdk.new": Kind.INTERACTION, "Custom": Kind.INTERACTION})
    message = message_of(heard(name, properties=CANDU | label), rules)
    assert (message["type"], message["event"]) == ("track", "tutorial.interaction")
    assert message["properties"] == SEED | {"eventName": expected}


@pytest.mark.parametrize(
    ("content", "rule", "expected"),
    [
        ("c", PortalRule(), None),
        ("c", PortalRule("omit", constant=5, table={"c": 6}), None),
        ("c", PortalRule("constant", constant=5, table={"c": 6}), 5),
        (None, PortalRule("constant", constant=5), 5),
        ("c", PortalRule("lookup", table={"c": 6}), 6),
        ("7", PortalRule("lookup", table={"c": 6}), None),
        (None, PortalRule("lookup", table={"c": 6}), None),
        (7, PortalRule("lookup", table={"7": 6}), None),
        ({}, PortalRule("lookup", table={"c": 6}), None),
    ],
)
def test_a_portal_is_looked_up_and_never_guessed(content: object, rule: PortalRule, expected: int | None) -> None:
    assert portal_id(content, rule) == expected


def test_a_custom_event_goes_as_it_is() -> None:
    given = {"eventName": "inner", "documentId": "x", "deep": {"a": [1]}}
    message = message_of(heard("Custom", properties=given), SENDING)
    assert (message["type"], message["event"], message["properties"]) == ("track", "Custom", given)
    assert "category" not in message


@pytest.mark.parametrize(
    ("fields", "rules", "expected"),
    [
        ({"context": {"integration": {"name": "candu", "version": "0.1"}}}, Rules(), Reason.ECHO),
        ({"context": {"integration": {"name": "candu"}}, "name": "Custom"}, SENDING, Reason.ECHO),
        ({"context": {"integration": {"name": "candu"}}, "user_id": None}, Rules(anonymous="filter"), Reason.ECHO),
        ({"user_id": None, "anonymous_id": "a"}, Rules(anonymous="filter"), Reason.ANONYMOUS),
        ({"name": "candu.sdk.new", "user_id": None}, Rules(anonymous="filter"), Reason.UNKNOWN_EVENT),
    ],
)
def test_what_is_filtered(fields: dict[str, Any], rules: Rules, expected: Reason) -> None:
    assert to_message(heard(**fields), rules, CONNECTION, NOW) is expected


@pytest.mark.parametrize("integration", [None, {}, {"name": "Candu"}, {"name": "other"}, {"name": None}, "candu", ["candu"]])
def test_what_is_no_echo(integration: object) -> None:
    assert message_of(heard(context={"integration": integration}))["context"]["integration"] == {"name": "candu", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        (
            {"page": {"url": "u"}, "screen": {"width": 1}, "userAgent": "x"},
            {"page": {"url": "u"}, "screen": {"width": 1}, "userAgent": "x"},
        ),
        ({"locale": "en", "timezone": "UTC", "ip": "1.2.3.4", "app": {}}, {"locale": "en", "timezone": "UTC"}),
        ({"page": None, "locale": ""}, {"locale": ""}),
        ({"sdk": {"name": "s"}, "library": {"name": "l"}}, {"candu": {"sdk": {"name": "s"}, "library": {"name": "l"}}}),
        ({"sdk": None, "candu": {"sdk": 1}}, {}),
    ],
)
def test_the_context_keeps_what_segment_knows(given: dict[str, Any], expected: dict[str, Any]) -> None:
    context = message_of(heard(context=given))["context"]
    assert context.pop("library")["name"] == "analytics-python"
    assert context == expected | {"integration": {"name": "candu", "version": "1.0.0"}}


@pytest.mark.parametrize("integrations", [{"Candu": False}, {}, {"Candu": True, "All": False}])
def test_integrations_come_from_the_connection(integrations: dict[str, bool]) -> None:
    assert message_of(heard(), Rules(integrations=integrations))["integrations"] == integrations
    assert message_of(heard())["integrations"] == {"Candu": False}


def test_a_message_id_says_whose_it_is_and_is_the_same_each_time() -> None:
    assert message_of(heard(id="abc"))["messageId"] == message_id(CONNECTION, "abc") == f"candu:{CONNECTION}:abc"
    assert message_id("other", "abc") != message_id(CONNECTION, "abc")


@pytest.mark.parametrize("missing", [None, ""])
def test_without_an_id_there_is_a_new_one(missing: str | None) -> None:
    made = {message_of(heard(id=missing))["messageId"] for _ in range(100)}
    assert len(made) == 100
    assert {len(each) for each in made} == {len(f"candu:{CONNECTION}:") + 36}


def test_mapping_leaves_what_it_was_given_alone() -> None:
    rules = Rules()
    item = heard(properties=dict(CANDU), context={"page": {"url": "u"}, "library": {"name": "l"}})
    message = message_of(item, rules)
    message["integrations"]["x"] = True
    message["context"]["integration"]["x"] = True
    message["context"]["library"]["x"] = True
    assert (item.properties, item.context) == (CANDU, {"page": {"url": "u"}, "library": {"name": "l"}})
    assert rules.integrations == {"Candu": False}
    assert message_of(item, rules)["context"]["integration"] == {"name": "candu", "version": "1.0.0"}
    assert "x" not in message_of(item, rules)["context"]["library"]
