"""A sync is not enabled while something keeps it from sending; each thing is named with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.integrations.choices import Choices
from candu_source.integrations.enabling import blocks
from tests.integrations.drafts import draft, events

_FINE: dict[str, Any] = {"events": True, "fields": {"id": "user_id"}}


def test_nothing_is_in_the_way_of_what_is_set_up() -> None:
    assert blocks(draft(), Choices(**_FINE), {"key": "k"}) == []
    spare = draft(parameters=[{"name": name, "display_name": name} for name in ("key", "spare")])
    assert blocks(spare, Choices(**_FINE), {"key": "k", "spare": "s"}) == []


@pytest.mark.parametrize(
    ("file", "chosen", "parameters", "where", "said"),
    [
        ({}, {}, {}, "parameters.key", "Key is empty; fill it in."),
        ({}, {}, {"key": "  "}, "parameters.key", "Key is empty"),
        ({}, {"fields": {}}, {"key": "k"}, "fields.id", "id is required; say which property fills it"),
        ({}, {"events": False}, {"key": "k"}, "events", "turn one of them on"),
        ({}, {"users": True}, {"key": "k"}, "users", "takes no users; turn them off"),
        ({"events": None, "users": events()}, {}, {"key": "k"}, "events", "takes no events; turn them off"),
        ({}, {"event_types": ()}, {"key": "k"}, "event_types", "choose at least one, or all"),
        ({"events": events(body="${mappedFields.id}<#if>")}, {}, {"key": "k"}, "events.body", ""),
        ({"events": events(body="${mappedFields.id}${parameters.gone}")}, {}, {"key": "k"}, "events.body", "add it to parameters"),
    ],
)
def test_what_is_in_the_way_is_named_by_its_field(
    file: dict[str, Any], chosen: dict[str, Any], parameters: dict[str, str], where: str, said: str
) -> None:
    (flaw,) = blocks(draft(**file), Choices(**(_FINE | chosen)), parameters)
    assert flaw.where == where
    assert said in flaw.message
    assert flaw.blocks
