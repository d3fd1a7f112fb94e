"""What a sync sends of an event or a user: toggles, event types, conditions, properties and mapped fields."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as some

from candu_source.integrations.choices import Choices, Condition, Operator, Property, parse_condition
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.inputs import kind_of
from candu_source.integrations.rendering import compile_payload
from candu_source.integrations.selecting import MissingField, given, holds, wants
from tests.integrations.drafts import draft, events

_ITEM: dict[str, Any] = {
    "event_type": "Upgraded plan",
    "user_id": "ann",
    "event_properties": {
        "plan": "Pro",
        "amount": 30,
        "price": Decimal("1.50"),
        "share": "0.5",
        "zero": Decimal("-0.0"),
        "annual": True,
        "seats": ["a", "b", "a"],
        "sizes": [1, 20],
        "address": {"city": "Berlin"},
        "nothing": None,
        "empty": "",
        "none": [],
        "large": 10**500,
    },
    "user_properties": {"plan": "Team", "email": "ann@example.com"},
    "group_properties": {"company": {"Acme": {"employees": 120, "plan": "Business"}, "Other": {"employees": 5}}, "region": "EU"},
}
_NAMES = list(_ITEM["event_properties"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("event.plan is Pro", True),
        ("event.plan is pro", False),
        ("event.plan is Free, Pro", True),
        ("event.amount is 30", True),
        ("event.price is 1.5", True),
        ("event.annual is true", True),
        ("event.seats is b", True),
        ("event.seats is c", False),
        ("event.address is Berlin", False),
        ('event.empty is ""', True),
        ("event.gone is x", False),
        ("event.plan contains pR", True),
        ("event.plan contains x, r", True),
        ("event.amount contains 3", True),
        ("event.seats contains B", True),
        ("event.gone contains x", False),
        ("event.amount less 30", False),
        ("event.amount less or equal 30", True),
        ("event.amount less 30.5", True),
        ("event.amount greater 29.999", True),
        ("event.amount greater 30", False),
        ("event.amount greater or equal 30", True),
        ("event.share less 1", True),
        ("event.sizes greater 19", True),
        ("event.sizes greater 20", False),
        ("event.plan less 1", False),
        ("event.plan greater 1", False),
        ("event.annual greater 0", False),
        ("event.nothing less 1", False),
        ("event.gone less 1", False),
        ("event.large greater 0", False),
        ("event.seats set is a, b", True),
        ("event.seats set is b, a, b", True),
        ("event.seats set is a", False),
        ("event.seats set is a, b, c", False),
        ("event.plan set is Pro", True),
        ("event.none set is a", False),
        ("event.gone set is a", False),
        ("event.plan is present", True),
        ("event.empty is present", True),
        ("event.address is present", True),
        ("event.nothing is present", False),
        ("event.gone is present", False),
        ("user.plan is Team", True),
        ("user.amount is present", False),
        ("group.employees is 120", True),
        ("group.employees is 5", False),
        ("group.region is EU", True),
        ("group.company is present", False),
    ],
)
def test_an_operator_holds_of_a_property(condition: str, expected: bool) -> None:
    assert holds(parse_condition(condition), _ITEM) is expected


@pytest.mark.parametrize(
    ("operator", "negation", "value"),
    [
        (Operator.IS, Operator.IS_NOT, ("Pro",)),
        (Operator.CONTAINS, Operator.DOES_NOT_CONTAIN, ("r",)),
        (Operator.SET_IS, Operator.SET_IS_NOT, ("a", "b")),
        (Operator.IS_PRESENT, Operator.IS_NOT_PRESENT, ()),
    ],
)
def test_an_operator_with_not_holds_exactly_where_the_other_does_not(
    operator: Operator, negation: Operator, value: tuple[str, ...]
) -> None:
    found = [holds(Condition("event", name, operator, value), _ITEM) for name in [*_NAMES, "gone"]]
    assert [not holds(Condition("event", name, negation, value), _ITEM) for name in [*_NAMES, "gone"]] == found
    assert set(found) == {True, False}
    assert holds(Condition("event", "gone", negation, value), {})


def test_an_event_is_sent_when_toggle_type_and_all_conditions_say_so() -> None:
    both = (parse_condition("event.plan is Pro"), parse_condition("user.plan is Team"))
    assert wants(Choices(events=True), "events", _ITEM)
    assert not wants(Choices(users=True), "events", _ITEM)
    assert wants(Choices(events=True, event_types=("Signed up", "Upgraded plan"), conditions=both), "events", _ITEM)
    assert not wants(Choices(events=True, event_types=("upgraded plan",)), "events", _ITEM)
    assert not wants(Choices(events=True, event_types=()), "events", _ITEM)
    assert not wants(Choices(events=True, conditions=(*both, parse_condition("event.plan is Free"))), "events", _ITEM)


def test_a_user_is_sent_when_the_toggle_says_so_whatever_is_chosen_of_events() -> None:
    chosen = {"event_types": ("Signed up",), "conditions": (parse_condition("event.plan is Free"),)}
    user = {"user_id": "ann", "user_properties": {}}
    assert wants(Choices(users=True, **chosen), "users", user)  # type: ignore[arg-type]
    assert not wants(Choices(events=True), "users", user)


def test_the_chosen_properties_are_json_text_of_strings_and_what_has_no_text_is_counted() -> None:
    properties = tuple(Property("event", name) for name in [*_NAMES, "gone"])
    made, skipped = given(Choices(properties=properties, fields={"id": "user_id"}), draft(), {"key": "k"}, _ITEM)
    assert {name: json.loads(text) for name, text in made.mapped_properties.items()} == {
        "plan": "Pro",
        "amount": "30",
        "price": "1.5",
        "share": "0.5",
        "zero": "0",
        "annual": "true",
        "empty": "",
    }
    assert skipped == len(["seats", "sizes", "address", "none", "large"])
    assert (made.input, made.parameters, made.mapped_fields) == (_ITEM, {"key": "k"}, {"id": "ann"})


def test_of_properties_with_one_name_the_events_goes_first_then_the_users() -> None:
    def plan(*of: str) -> str | None:
        chosen = tuple(Property(each, "plan") for each in of)  # type: ignore[arg-type]
        return given(Choices(properties=chosen, fields={"id": "user_id"}), draft(), {}, _ITEM)[0].mapped_properties.get("plan")

    assert plan("group", "user", "event") == '"Pro"'
    assert plan("group", "user") == '"Team"'
    assert plan("group") == '"Business"'
    assert plan() is None


def test_all_properties_are_those_of_event_user_and_groups() -> None:
    made, _ = given(Choices(properties=None, fields={"id": "user_id"}), draft(), {}, _ITEM)
    assert {name: made.mapped_properties[name] for name in ("plan", "email", "employees", "region")} == {
        "plan": '"Pro"',
        "email": '"ann@example.com"',
        "employees": '"120"',
        "region": '"EU"',
    }
    closed, skipped = given(Choices(properties=None, fields={"id": "user_id"}), draft(property_selection=False), {}, _ITEM)
    assert (closed.mapped_properties, skipped) == ({}, 0)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("user_id", "ann"),
        ("email", "ann@example.com"),
        ("city", None),
        ("seats", None),
        ("user_properties", None),
        ("gone", None),
        ("", None),
    ],
)
def test_a_mapping_is_filled_from_a_field_or_else_a_user_property(source: str, expected: str | None) -> None:
    integration = draft(mappings=[{"name": "id", "required": True}, {"name": "other"}])
    made, _ = given(Choices(fields={"id": "user_id", "other": source}), integration, {}, _ITEM)
    assert made.mapped_fields.get("other") == expected


@pytest.mark.parametrize(
    ("fields", "said"), [({"id": "city"}, "this one has no city"), ({}, "nothing fills it"), ({"id": "blank"}, "no blank")]
)
def test_without_a_required_mapping_nothing_is_sent(fields: dict[str, str], said: str) -> None:
    with pytest.raises(MissingField, match=said) as missing:
        given(Choices(fields=fields), draft(), {}, _ITEM | {"user_properties": {"blank": ""}})
    assert missing.value.name == "id"


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.decimals() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_names = some.sampled_from(["event_type", "user_id", "event_properties", "user_properties", "group_properties", "city"])
_EVERYTHING = draft(
    events=events(
        body='{"id": "${mappedFields.id}", "all": ${statics["com.amplitude.integrations.connector.utils.FtlUtils"].toJson(input)}}'
    )
)
_COMPILED = compile_payload(_EVERYTHING.payloads["events"])


@settings(max_examples=50)
@over(some.dictionaries(_names, _json), some.sampled_from(Operator), some.text(max_size=5))
def test_no_event_makes_anything_but_a_request_or_an_error_of_its_own(item: dict[str, Any], operator: Operator, name: str) -> None:
    choices = Choices(events=True, conditions=(Condition("group", name, operator, ("1",)),), properties=None, fields={"id": "user_id"})
    kind = kind_of(item)
    wants(choices, kind or "users", item)
    with contextlib.suppress(MissingField, TemplateError):
        made, _ = given(choices, _EVERYTHING, {"key": "k"}, item)
        _COMPILED.render(made, now=0)
