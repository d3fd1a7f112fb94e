"""Bring traits and properties to what Candu takes: names with text, numbers and booleans; pure, and each change is told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from candu_source.model import LARGEST_INTEGER

# How many names a dotted one joins, and how long it may be: what Candu takes is not published, and neither may grow without an end.
DEPTH = 5
NAME_CHARACTERS = 255

Value = str | int | float | bool
_Named = tuple[str, Mapping[str, Any]]


class Rule(StrEnum):
    """Name what was done with something that Candu does not take; docs/streaming.md has the table."""

    FLATTENED = "flattened"
    LIST = "list_left_out"
    NULL = "null_left_out"
    TOO_DEEP = "too_deep_left_out"
    LONG_NAME = "long_name_left_out"
    NAME_TAKEN = "name_taken_left_out"
    NOT_FINITE = "not_finite_left_out"
    LONG_INTEGER = "written_as_text"
    NO_OBJECT = "no_object_emptied"
    NO_TIME = "no_time_left_out"
    NOT_DOCUMENTED = "not_documented_left_out"


class Notice(NamedTuple):
    """Tell what was done with a value; `name` is dotted, as `traits.company.plan`, somebody else's text, and cut where it is long."""

    name: str
    rule: Rule


_BY_TYPE: Mapping[type, Rule] = MappingProxyType({dict: Rule.FLATTENED, list: Rule.LIST, type(None): Rule.NULL})


def plain(tree: Mapping[str, Any]) -> tuple[dict[str, Value], list[Notice]]:
    """Return the values of a JSON object under dotted names, and what was done with those that are not as they were.

    Of two values for one name the one nested less deeply stays.
    """
    values: dict[str, Value] = {}
    notices: list[Notice] = []
    level: list[_Named] = [("", tree)]
    for depth in range(1, DEPTH + 1):
        below: list[_Named] = []
        for name, value in _dotted(level):
            rule = _rule(name, value, values, depth)
            if rule is not None:
                notices.append(Notice(name[:NAME_CHARACTERS], rule))
            if rule is Rule.FLATTENED:
                below.append((f"{name}.", value))
            elif rule in (None, Rule.LONG_INTEGER):
                values[name] = str(value) if rule else value
        level = below
    return values, notices


def _dotted(level: list[_Named]) -> Iterator[tuple[str, Any]]:
    """Yield dotted name and value of all objects at one depth."""
    for prefix, inner in level:
        for name, value in inner.items():
            yield prefix + name, value


def _rule(name: str, value: Any, taken: Mapping[str, Value], depth: int) -> Rule | None:
    """Return what has to be done with a value; None when it stays as it is."""
    if len(name) > NAME_CHARACTERS:
        return Rule.LONG_NAME
    rule = _BY_TYPE.get(type(value))
    if rule is Rule.FLATTENED and depth == DEPTH:
        return Rule.TOO_DEEP
    if rule is None and name in taken:
        return Rule.NAME_TAKEN
    return rule or _number_rule(value)


def _number_rule(value: Value) -> Rule | None:
    if isinstance(value, float) and not math.isfinite(value):
        return Rule.NOT_FINITE
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return Rule.LONG_INTEGER
    return None
