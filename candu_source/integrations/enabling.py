"""Say what keeps a sync from being enabled. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from candu_source.integrations.checking import Flaw, check
from candu_source.integrations.choices import Choices
from candu_source.integrations.tile import Integration


def blocks(integration: Integration, choices: Choices, parameters: Mapping[str, str]) -> list[Flaw]:
    """Return what is in the way, by the field in which it is put right: nothing is sent before all of it is."""
    return [
        *_of_parameters(integration, parameters),
        *_of_toggles(integration, choices),
        *_of_fields(integration, choices),
        *check(integration).blocking,
    ]


def _of_parameters(integration: Integration, parameters: Mapping[str, str]) -> Iterator[Flaw]:
    for parameter in integration.parameters:
        value = parameters.get(parameter.name, "").strip()
        if not value:
            yield Flaw(f"parameters.{parameter.name}", 0, 0, f"{parameter.display_name} is empty; fill it in.")
        elif parameter.options and value not in parameter.options:
            yield Flaw(f"parameters.{parameter.name}", 0, 0, f"It is one of {', '.join(parameter.options)}.")


def _of_toggles(integration: Integration, choices: Choices) -> Iterator[Flaw]:
    if not choices.users and not choices.events:
        yield Flaw("events", 0, 0, "Neither users nor events are sent; turn one of them on.")
    if choices.events and "events" not in integration.takes:
        yield Flaw("events", 0, 0, "This integration takes no events; turn them off.")
    if choices.users and "users" not in integration.takes:
        yield Flaw("users", 0, 0, "This integration takes no users; turn them off.")
    if choices.events and choices.event_types == ():
        yield Flaw("event_types", 0, 0, "No event type is chosen; choose at least one, or all.")


def _of_fields(integration: Integration, choices: Choices) -> Iterator[Flaw]:
    for mapping in integration.mappings:
        if mapping.required and not choices.fields.get(mapping.name):
            yield Flaw(f"fields.{mapping.name}", 0, 0, f"{mapping.name} is required; say which property fills it, as in user_id.")
