"""A sync's form, read and laid out: pure."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.console.choosing import chosen, rows
from candu_source.console.desk import Form
from candu_source.errors import UsageError
from candu_source.integrations.catalog import shipped
from candu_source.integrations.choices import Choices, parse_condition


def test_a_condition_goes_through_the_form_unchanged() -> None:
    written = [
        'event.plan is "pro", "te\\"am"',
        "user.seats greater or equal 3.5",
        'group."a, b" set is "x,y", ""',
        "event.a is not present",
    ]
    shown = rows(Choices(conditions=tuple(map(parse_condition, written))))
    fields = {name: [getattr(row, name) for row in shown] for name in ("of", "property", "operator", "value")}
    assert chosen(Form(fields), shipped("candu")).data()["conditions"] == written
    assert rows(Choices(conditions=(parse_condition('event.plan is "pro", "New York"'),)))[0].value == "pro, New York"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"of": ["event"], "property": ["plan"], "operator": ["likes"], "value": ["x"]}, "is no condition"),
        ({"of": ["house"], "property": ["plan"], "operator": ["is"], "value": ["x"]}, "of: one of"),
        ({"of": ["event"], "property": ["plan"], "operator": ["less"], "value": ["x"]}, "one number"),
        ({"of": ["event"], "property": ["plan"], "operator": ["is"]}, "each has of"),
        ({"event_types": "chosen", "event_type": ["_all"]}, "event_types"),
        ({"properties": "chosen", "property_sent": ["plan"]}, "is no property"),
    ],
)
def test_what_is_off_in_a_form_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        chosen(Form(fields), shipped("candu"))
