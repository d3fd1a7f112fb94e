"""Decide what of an event or a user a sync sends: whether it does at all, and what its templates are given. Pure.

`item` is the event or user in Amplitude's form, the `input` of templates (`inputs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from candu_source.errors import CanduSourceError
from candu_source.integrations.choices import OF_NUMBERS, Choices, Condition, Of, Operator, number
from candu_source.integrations.fields import TYPES
from candu_source.integrations.rendering import Given
from candu_source.integrations.texts import exact_number, plain_text
from candu_source.integrations.tile import Integration, Kind


class MissingField(CanduSourceError):  # noqa: N818 - a state, said as the field says it
    """Say that an event or user has nothing for a required mapping: it cannot be sent."""

    def __init__(self, name: str, source: str) -> None:
        super().__init__(f"{name} is required, and this one has no {source}" if source else f"{name} is required, and nothing fills it")
        self.name = name


def wants(choices: Choices, kind: Kind, item: Mapping[str, Any]) -> bool:
    """Tell whether a sync sends this: its toggle is on and, of events, the type is chosen and all conditions hold.

    Event types and conditions choose among events and say nothing of users (Amplitude, "Select and filter events").
    """
    if kind == "users":
        return choices.users
    chosen = choices.event_types is None or item.get("event_type") in choices.event_types
    return choices.events and chosen and all(holds(condition, item) for condition in choices.conditions)


def holds(condition: Condition, item: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds. Amplitude, "Segment operators" and "Array operators", are where the meanings come from.

    ==================  ===================================================================================
    is                  a value is one of those named; compared as text, upper and lower case being different
    contains            a value has one of those named within it, upper and lower case being the same
    less, greater …     a value is a number, or a text that is one, and stands so to the one named
    set is              the values, each counted once, are those named and no others
    is present          there is a value, and it is not null
    ==================  ===================================================================================

    A list has several values; any other value is one; an object has none that could be compared. The operators with `not` hold exactly
    where those without do not: so of a property that is missing, they hold.
    """
    value = _properties(condition.of, item).get(condition.name)
    if condition.operator in _NEGATIONS:
        return not _HOLDS[_NEGATIONS[condition.operator]](value, condition.values)
    if condition.operator in OF_NUMBERS:
        return _compares(condition.operator, value, condition.values)
    return _HOLDS[condition.operator](value, condition.values)


def given(
    choices: Choices,
    integration: Integration,
    parameters: Mapping[str, str],
    item: Mapping[str, Any],
) -> tuple[Given, int]:
    """Return what templates are rendered with, and how many chosen properties are left out because they are lists or objects.

    Each of `mappedProperties` is JSON text of a string. Of properties with the same name the event's is taken, then the user's.
    Raises MissingField.
    """
    properties: dict[str, str] = {}
    skipped = 0
    for name, value in _chosen(choices, item) if integration.property_selection else ():
        text = plain_text(value)
        if text is not None:
            properties.setdefault(name, msgspec.json.encode(text).decode())
        elif value is not None:
            skipped += 1
    return Given(item, parameters, properties, _fields(choices, integration, item)), skipped


def _chosen(choices: Choices, item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the chosen properties that there are, those of the event first."""
    for of in _HOLDERS:
        there = _properties(of, item)
        if choices.properties is None:
            yield from there.items()
        else:
            yield from ((each.name, there[each.name]) for each in choices.properties if each.of == of and each.name in there)


def _fields(choices: Choices, integration: Integration, item: Mapping[str, Any]) -> dict[str, str]:
    """Return what fills the mappings: a field of Amplitude's by its name, else a user property; an empty one fills no required mapping."""
    filled: dict[str, str] = {}
    for mapping in integration.mappings:
        source = choices.fields.get(mapping.name, "")
        text = plain_text(item.get(source) if source in TYPES else _properties("user", item).get(source))
        if mapping.required and not text:
            raise MissingField(mapping.name, source)
        if text is not None:
            filled[mapping.name] = text
    return filled


_HOLDERS: Mapping[Of, str] = MappingProxyType({"event": "event_properties", "user": "user_properties", "group": "group_properties"})


def _properties(of: Of, item: Mapping[str, Any]) -> Mapping[str, Any]:
    there = item.get(_HOLDERS[of])
    if not isinstance(there, dict):
        return {}
    return _of_groups(there) if of == "group" else there


def _of_groups(there: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of all groups: Amplitude has them by type and name of the group, `{"company": {"Acme": {"employees": 120}}}`.

    Of several groups that have a property of the same name, it is the first one's.
    """
    found: dict[str, Any] = {}
    for name, value in there.items():
        by_name = isinstance(value, dict) and value and all(isinstance(group, dict) for group in value.values())
        for properties in value.values() if by_name else [{name: value}]:
            for each, held in properties.items():
                found.setdefault(each, held)
    return found


def _texts(value: Any) -> list[str]:
    """Return the values that a property has, as text."""
    values = value if isinstance(value, list) else [value]
    return [text for each in values if (text := plain_text(each)) is not None]


def _is(value: Any, wanted: tuple[str, ...]) -> bool:
    return not set(wanted).isdisjoint(_texts(value))


def _contains(value: Any, wanted: tuple[str, ...]) -> bool:
    texts = [text.casefold() for text in _texts(value)]
    return any(each.casefold() in text for each in wanted for text in texts)


def _set_is(value: Any, wanted: tuple[str, ...]) -> bool:
    return set(_texts(value)) == set(wanted)


def _is_present(value: Any, _: tuple[str, ...]) -> bool:
    return value is not None


def _compares(operator: Operator, value: Any, wanted: tuple[str, ...]) -> bool:
    bound = Decimal(wanted[0])
    numbers = (number(each) if isinstance(each, str) else exact_number(each) for each in (value if isinstance(value, list) else [value]))
    return any(_STANDS[operator](each, bound) for each in numbers if each is not None)


_HOLDS: Mapping[Operator, Callable[[Any, tuple[str, ...]], bool]] = MappingProxyType(
    {Operator.IS: _is, Operator.CONTAINS: _contains, Operator.SET_IS: _set_is, Operator.IS_PRESENT: _is_present}
)
_NEGATIONS: Mapping[Operator, Operator] = MappingProxyType(
    {
        Operator.IS_NOT: Operator.IS,
        Operator.DOES_NOT_CONTAIN: Operator.CONTAINS,
        Operator.SET_IS_NOT: Operator.SET_IS,
        Operator.IS_NOT_PRESENT: Operator.IS_PRESENT,
    }
)
_STANDS: Mapping[Operator, Callable[[Decimal, Decimal], bool]] = MappingProxyType(
    {
        Operator.LESS: Decimal.__lt__,
        Operator.LESS_OR_EQUAL: Decimal.__le__,
        Operator.GREATER: Decimal.__gt__,
        Operator.GREATER_OR_EQUAL: Decimal.__ge__,
    }
)
