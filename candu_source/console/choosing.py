"""Read what a sync's form says, and lay a sync's choices out for one. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from candu_source.console.desk import Form
from candu_source.errors import UsageError
from candu_source.integrations.choices import Choices, Condition, Of, Property, parse_condition
from candu_source.integrations.tile import Integration
from candu_source.model import Secret
from candu_source.streams import Stream

ALL, CHOSEN, NONE = "all", "chosen", "none"
OF: Sequence[Of] = ("event", "user", "group")
_QUOTE = '"'


class Row(NamedTuple):
    """Hold a condition as a line of the form; `value` has commas between values, all in quotes where one has a comma or a quote in it."""

    of: str
    property: str
    operator: str
    value: str


def drafted(form: Form, stream: Stream, integration: Integration) -> tuple[Stream, dict[str, Secret]]:
    """Return a sync as a form has it, and the secret parameters that were typed; raise UsageError naming the field that is off."""
    values, hidden = given(form, integration), {each.name for each in integration.parameters if each.secret}
    secrets = {name: Secret(value) for name, value in values.items() if name in hidden}
    parameters = {**stream.parameters, **{name: value for name, value in values.items() if name not in hidden}}
    filled = tuple(sorted({*stream.secrets, *secrets}))
    return replace(stream, choices=chosen(form, integration).data(), parameters=parameters, secrets=filled), secrets


def given(form: Form, integration: Integration) -> dict[str, str]:
    """Return the parameters that a form fills in; a secret one that is empty stays as it is."""
    typed = {each: form.text(f"parameter.{each.name}") for each in integration.parameters if form.given(f"parameter.{each.name}")}
    return {each.name: text for each, text in typed.items() if text or not each.secret}


def chosen(form: Form, integration: Integration) -> Choices:
    """Return all that a form chooses; a toggle that is not given is off. Raises UsageError naming the field that is off."""
    data = {
        "users": form.flag("users"),
        "events": form.flag("events"),
        "event_types": ALL if form.text("event_types", ALL) == ALL else _names(form, "event_type"),
        "conditions": [str(each) for each in _conditions(form)],
        "properties": _properties(form),
        "fields": {each.name: form.text(f"field.{each.name}") for each in integration.mappings if form.given(f"field.{each.name}")},
    }
    return Choices.read(data, integration)


def rows(choices: Choices) -> list[Row]:
    """Return the conditions as lines of the form."""
    return [Row(each.of, each.name, each.operator, _line(each.values)) for each in choices.conditions]


def _properties(form: Form) -> str | list[str]:
    which = form.text("properties", NONE)
    return ALL if which == ALL else _names(form, "property_sent") if which == CHOSEN else []


def _names(form: Form, field: str) -> list[str]:
    return [each.strip() for each in form.many(field) if each.strip()]


def _conditions(form: Form) -> Iterator[Condition]:
    """Yield the conditions that have a property; a line without one is empty."""
    columns = [form.many(field) for field in ("of", "property", "operator", "value")]
    if len({len(column) for column in columns}) > 1:
        raise UsageError("conditions: each has of, property, operator and value; leave a value empty where there is none")
    for row in map(Row._make, zip(*columns, strict=True)):
        if row.property.strip():
            yield _condition(row)


def _condition(row: Row) -> Condition:
    if row.of not in OF:
        raise UsageError(f"of: one of {', '.join(OF)}")
    values = row.value if _QUOTE in row.value else ", ".join(map(_quoted, filter(None, map(str.strip, row.value.split(",")))))
    return parse_condition(f"{Property(cast('Of', row.of), row.property.strip())} {row.operator} {values}")


def _line(values: Sequence[str]) -> str:
    plain = all(each and each == each.strip() and not {_QUOTE, ","} & set(each) for each in values)
    return ", ".join(values if plain else map(_quoted, values))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
