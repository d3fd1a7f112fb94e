"""Hold what a sync sends: toggles, event types, conditions, properties and mapped fields, and read them as people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

import msgspec

from candu_source.converting import converter
from candu_source.errors import UsageError
from candu_source.integrations.fields import RESERVED_TYPES, TYPES
from candu_source.integrations.tile import Integration

Of = Literal["event", "user", "group"]
# Amplitude cuts names and values of properties at 1,024 characters (Amplitude, "HTTP V2 API", "Property value length").
_CHARACTERS = 1_024
_CONDITION_CHARACTERS = 20_000
_MOST = 1_000


class Operator(StrEnum):
    """Say how a condition compares; `selecting` says what each means."""

    IS = "is"
    IS_NOT = "is not"
    CONTAINS = "contains"
    DOES_NOT_CONTAIN = "does not contain"
    LESS = "less"
    LESS_OR_EQUAL = "less or equal"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater or equal"
    SET_IS = "set is"
    SET_IS_NOT = "set is not"
    IS_PRESENT = "is present"
    IS_NOT_PRESENT = "is not present"


OF_PRESENCE = frozenset({Operator.IS_PRESENT, Operator.IS_NOT_PRESENT})
OF_NUMBERS = frozenset({Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL})

_WORD = r'"(?:[^"\\]|\\.)*"|[^\s",]+'
_BARE = re.compile(r'[^\s",]+')
_PROPERTY = rf"(event|user|group)\.({_WORD})"
_OPERATORS = "|".join(sorted(Operator, key=len, reverse=True))
_CONDITION = re.compile(rf"{_PROPERTY}\s+({_OPERATORS})(?:\s+(.*))?", re.DOTALL)
_VALUE = re.compile(rf"({_WORD})\s*(?:,\s*|\Z)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")


@dataclass(frozen=True, slots=True)
class Property:
    """Name a property of an event, of its user or of the user's groups."""

    of: Of
    name: str

    def __str__(self) -> str:
        """Write it so that `parse_property` reads it."""
        return f"{self.of}.{self.name if _BARE.fullmatch(self.name) else _quoted(self.name)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Say what has to hold of a property; with several values it is enough that it holds of one."""

    of: Of
    name: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it so that `parse_condition` reads it."""
        values = self.values if self.operator in OF_NUMBERS else map(_quoted, self.values)
        return f"{Property(self.of, self.name)} {self.operator} {', '.join(values)}".rstrip()


@dataclass(frozen=True, slots=True)
class Choices:
    """Say what a sync sends. `event_types` and `properties` None are all; `fields` has an Amplitude field or a user property by mapping."""

    users: bool = False
    events: bool = False
    event_types: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    properties: tuple[Property, ...] | None = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any], integration: Integration | None = None) -> Choices:
        """Read choices from plain data as `data` gives them; what is left out is as above.

        With an integration they are held against it, and a mapping of which nothing is said gets the property that the integration
        offers first ("": none). Raises UsageError naming the field and what it takes.
        """
        written = _converted(data)
        event_types, properties = written.event_types, written.properties
        return cls(
            users=written.users,
            events=written.events,
            event_types=None if isinstance(event_types, str) else _event_types(event_types),
            conditions=tuple(parse_condition(each) for each in written.conditions),
            properties=None if isinstance(properties, str) else tuple(dict.fromkeys(map(parse_property, properties))),
            fields=_fields(written, integration),
        )

    def data(self) -> dict[str, Any]:
        """Return them as plain data: what JSON and TOML can hold, and `read` reads."""
        return {
            "users": self.users,
            "events": self.events,
            "event_types": "all" if self.event_types is None else list(self.event_types),
            "conditions": [str(each) for each in self.conditions],
            "properties": "all" if self.properties is None else [str(each) for each in self.properties],
            "fields": dict(self.fields),
        }


def parse_property(text: str) -> Property:
    """Read `event.plan`, `user."Plan name"` or `group.employees`; raise UsageError for anything else."""
    found = re.fullmatch(_PROPERTY, text.strip(), re.DOTALL)
    if not found:
        raise UsageError(
            f'{text[:80]!r} is no property; write event.NAME, user.NAME or group.NAME, a name with blanks as in user."Plan name"'
        )
    return Property(cast("Of", found[1]), _unquoted(found[2], text))


def parse_condition(text: str) -> Condition:
    """Read a condition: a property, an operator and its values, as in `event.plan is "pro", "team"`; raise UsageError for anything else."""
    found = _CONDITION.fullmatch(text.strip()) if len(text) <= _CONDITION_CHARACTERS else None
    if not found:
        said = f"a property, then one of: {', '.join(Operator)}; then the values, with commas between them"
        raise UsageError(f'{text[:80]!r} is no condition; write {said}, as in event.plan is "pro"')
    operator = Operator(found[3])
    values = tuple(_values(found[4] or "", text))
    if wrong := _misfit(operator, values):
        raise UsageError(f"{text[:80]!r}: {operator!s} takes {wrong}")
    return Condition(cast("Of", found[1]), _unquoted(found[2], text), operator, values)


def _misfit(operator: Operator, values: tuple[str, ...]) -> str:
    """Return what an operator takes where the values are not that; empty where they are."""
    if operator in OF_PRESENCE:
        return "no value" if values else ""
    if operator in OF_NUMBERS:
        return "" if len(values) == 1 and number(values[0]) is not None else "one number, as in 30 or -1.5"
    return "" if values else 'a value, or several with commas between them, as in "pro", "team"'


def number(text: str) -> Decimal | None:
    """Return the number that a text is as people write it, None if it is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _values(text: str, whole: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        value = _VALUE.match(text, at)
        if not value:
            raise UsageError(f'{whole[:80]!r}: values stand in quotes with commas between them, as in "pro", "team"')
        found.append(_unquoted(value[1], whole))
        at = value.end()
    return found


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(word: str, whole: str) -> str:
    try:
        text = str(json.loads(word, strict=False)) if word.startswith('"') else word
        text.encode()
    except ValueError:
        raise UsageError(f"{whole[:80]!r}: {word[:80]} has an escape that JSON does not have") from None
    if len(text) > _CHARACTERS:
        raise UsageError(f"{whole[:80]!r}: a name or value has at most {_CHARACTERS:,} characters")
    return text


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=_CHARACTERS)]
_Bounded = msgspec.Meta(max_length=_MOST)


class _Written(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Hold choices as they are written; `"all"` in place of a list."""

    users: bool = False
    events: bool = False
    event_types: Literal["all"] | Annotated[list[_Name], _Bounded] = "all"
    conditions: Annotated[list[str], _Bounded] = []
    properties: Literal["all"] | Annotated[list[str], _Bounded] = []
    fields: Annotated[dict[_Name, Annotated[str, msgspec.Meta(max_length=_CHARACTERS)]], _Bounded] = {}


_convert = converter(_Written)
_TAKES: Mapping[str, str] = {
    "users": "true or false",
    "events": "true or false",
    "event_types": '"all" or a list of names',
    "conditions": "a list of texts",
    "properties": '"all" or a list of texts',
    "fields": "a table of texts",
}


def _converted(data: Mapping[str, Any]) -> _Written:
    if unknown := sorted(set(data) - set(_TAKES), key=str):
        raise UsageError(f"{str(unknown[0])[:80]!r} is no choice; there are {', '.join(_TAKES)}")
    try:
        return _convert(dict(data))
    except msgspec.ValidationError as error:
        where = re.search(r"\$\.(\w+)", str(error))
        name = where[1] if where else "choices"
        raise UsageError(f"{name}: {str(error).partition(' - at ')[0]}; write {_TAKES.get(name, 'a table')}") from None


def _event_types(names: list[str]) -> tuple[str, ...]:
    if reserved := RESERVED_TYPES.intersection(names):
        raise UsageError(f"event_types: Amplitude keeps the name {min(reserved)!r} for itself; no event has it")
    return tuple(dict.fromkeys(names))


def _fields(written: _Written, integration: Integration | None) -> dict[str, str]:
    """Return the mapped fields with what the integration offers first; raise UsageError for what it does not take."""
    offered: dict[str, str] = {}
    if integration is not None:
        offered = {mapping.name: mapping.default for mapping in integration.mappings}
        _insist_fitting(written, integration, offered)
    return {name: source for name, source in (offered | written.fields).items() if source}


def _insist_fitting(written: _Written, integration: Integration, offered: Mapping[str, str]) -> None:
    if written.properties and not integration.property_selection:
        raise UsageError("properties: this integration does not let properties be chosen; leave them out")
    for name, source in written.fields.items():
        if name not in offered:
            raise UsageError(f"fields: the integration maps no {name!r}; it has {', '.join(offered) or 'none'}")
        if TYPES.get(source) == "object":
            raise UsageError(f"fields.{name}: {source} is an object, which no field takes; name a field or a user property with one value")
