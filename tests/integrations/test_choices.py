"""What a sync sends is read as people write it, and what is off is named by its field."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from candu_source.errors import UsageError
from candu_source.integrations.choices import (
    OF_NUMBERS,
    OF_PRESENCE,
    Choices,
    Condition,
    Of,
    Operator,
    Property,
    parse_condition,
    parse_property,
)
from tests.integrations.drafts import draft

_WRITTEN: dict[str, Any] = {
    "users": True,
    "events": True,
    "event_types": ["Upgraded plan", "Signed up"],
    "conditions": ['event.plan is "pro", "team"', 'user."Plan name" is present'],
    "properties": ["event.plan", 'group."Number of people"'],
    "fields": {"id": "user_id"},
}
_OF: tuple[Of, ...] = ("event", "user", "group")
_of = some.sampled_from(_OF)
_text = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@some.composite
def _conditions(draw: some.DrawFn) -> Condition:
    operator = draw(some.sampled_from(Operator))
    values = some.lists(
        some.integers().map(str) if operator in OF_NUMBERS else _text, min_size=1, max_size=1 if operator in OF_NUMBERS else 4
    )
    return Condition(draw(_of), draw(_text), operator, () if operator in OF_PRESENCE else tuple(draw(values)))


def test_nothing_is_sent_unless_it_is_chosen() -> None:
    assert Choices.read({}) == Choices()
    assert Choices() == Choices(users=False, events=False, event_types=None, conditions=(), properties=(), fields={})


def test_what_is_written_is_read_and_written_again() -> None:
    read = Choices.read(_WRITTEN, draft())
    assert read.conditions == (
        Condition("event", "plan", Operator.IS, ("pro", "team")),
        Condition("user", "Plan name", Operator.IS_PRESENT),
    )
    assert read.properties == (Property("event", "plan"), Property("group", "Number of people"))
    assert json.loads(json.dumps(read.data())) == _WRITTEN
    everything = Choices.read({"event_types": "all", "properties": "all"})
    assert (everything.event_types, everything.properties) == (None, None)
    assert Choices.read(everything.data()) == everything


def test_what_is_chosen_twice_is_chosen_once() -> None:
    read = Choices.read({"event_types": ["a", "b", "a"], "properties": ["event.a", 'event."a"']})
    assert (read.event_types, read.properties) == (("a", "b"), (Property("event", "a"),))


def test_a_mapping_gets_what_the_integration_offers_unless_something_is_said() -> None:
    integration = draft(mappings=[{"name": "id", "required": True, "default": "user_id"}, {"name": "mail", "default": "email"}])
    assert Choices.read({}, integration).fields == {"id": "user_id", "mail": "email"}
    assert Choices.read({"fields": {"id": "device_id", "mail": ""}}, integration).fields == {"id": "device_id"}
    assert Choices.read({"fields": {"gone": "x", "none": ""}}).fields == {"gone": "x"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"users": "yes"}, "users: Expected `bool`, got `str`; write true or false"),
        ({"event_types": "some"}, "event_types: Invalid enum value 'some'; write \"all\" or a list of names"),
        ({"event_types": [1]}, "event_types: Expected `str`, got `int`"),
        ({"event_types": [""]}, "event_types: Expected `str` of length >= 1"),
        ({"event_types": ["_identify"]}, "event_types: Amplitude keeps the name '_identify' for itself"),
        ({"conditions": "event.plan is present"}, "conditions: Expected `array`"),
        ({"properties": ["plan"]}, "'plan' is no property; write event.NAME"),
        ({"fields": {"other": "x"}}, "fields: the integration maps no 'other'; it has id"),
        ({"fields": {"id": "groups"}}, "fields.id: groups is an object"),
        ({"fields": {"id": None}}, "fields: Expected `str`, got `null`"),
        ({"name": "x"}, "'name' is no choice; there are users, events, event_types"),
        ({"conditions": ["event.plan is present"] * 1_001}, "conditions: Expected `array` of length <= 1000"),
    ],
)
def test_a_field_that_is_off_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        Choices.read(_WRITTEN | changes, draft())
    assert said in str(refused.value)


def test_properties_are_chosen_only_where_the_integration_lets_them() -> None:
    integration = draft(property_selection=False)
    with pytest.raises(UsageError, match="properties: this integration does not let"):
        Choices.read({"properties": "all"}, integration)
    assert Choices.read({}, integration).properties == ()


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("event.plan is pro", Condition("event", "plan", Operator.IS, ("pro",))),
        ('event.plan is not "a, b","c"', Condition("event", "plan", Operator.IS_NOT, ("a, b", "c"))),
        ('  user."Plan \\"name\\"" does not contain x, y ', Condition("user", 'Plan "name"', Operator.DOES_NOT_CONTAIN, ("x", "y"))),
        ("event.amount less or equal -1.5", Condition("event", "amount", Operator.LESS_OR_EQUAL, ("-1.5",))),
        ("group.[Acme].size greater 3", Condition("group", "[Acme].size", Operator.GREATER, ("3",))),
        ("event.plan is nothing", Condition("event", "plan", Operator.IS, ("nothing",))),
        ('event.plan is "not"', Condition("event", "plan", Operator.IS, ("not",))),
        ("user.seats set is a, b", Condition("user", "seats", Operator.SET_IS, ("a", "b"))),
        ("event.plan is not present", Condition("event", "plan", Operator.IS_NOT_PRESENT)),
    ],
)
def test_a_condition_is_a_property_an_operator_and_values(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no condition; write a property, then one of: is, is not, contains"),
        ("plan is pro", "is no condition"),
        ("event.plan equals pro", "is no condition"),
        ("event.plan is", "is takes a value, or several"),
        ("event.plan is a b", "values stand in quotes with commas between them"),
        ('event.plan is "a" "b"', "values stand in quotes with commas between them"),
        ('event.plan is "\\q"', "has an escape that JSON does not have"),
        ('event.plan is "\\ud800"', "has an escape that JSON does not have"),
        ("event.plan less many", "less takes one number"),
        ("event.plan less 1, 2", "less takes one number"),
        ("event.plan less 1e3", "less takes one number"),
        ("event.plan is present x", "is present takes no value"),
        (f"event.plan is {'x' * 1_025}", "has at most 1,024 characters"),
        (f"event.plan is {'x,' * 20_000}", "is no condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_would_be_one(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_condition(text)
    assert said in str(refused.value)


@settings(max_examples=100)
@given(_conditions())
def test_every_condition_and_property_is_read_as_it_is_written(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition
    chosen = Property(condition.of, condition.name)
    assert parse_property(str(chosen)) == chosen


_DRAFT = draft()
_any = some.none() | some.booleans() | some.text() | some.lists(some.none() | some.text(max_size=5), max_size=3)


@settings(max_examples=50)
@given(some.text(), some.dictionaries(some.sampled_from(list(_WRITTEN)), _any))
def test_whatever_is_written_is_read_or_refused(text: str, data: dict[str, Any]) -> None:
    for read in (lambda: parse_condition(text), lambda: parse_property(text), lambda: Choices.read(data, _DRAFT)):
        with contextlib.suppress(UsageError):
            read()
