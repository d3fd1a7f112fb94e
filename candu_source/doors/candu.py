"""Read what Candu's events have in common, by whichever door they come."""

from __future__ import annotations

from typing import Any

import msgspec

from candu_source.doors.hear import Contract
from candu_source.doors.schemas import CanduProperties
from candu_source.mapping import classify
from candu_source.model import Kind, Rules

_PROPERTIES = Contract(CanduProperties)
Errors = dict[str, list[str]]


def event_properties(name: str | None, given: dict[str, Any] | None, path: str, rules: Rules) -> tuple[dict[str, Any], Errors]:
    """Return an event's properties, and what is wrong with them by field below `path`.

    Those of a view or interaction are held to the contract, coerced where that is allowed; those of others are as given.
    """
    properties = given or {}
    if not name or classify(name, rules) not in (Kind.VIEW, Kind.INTERACTION):
        return properties, {}
    if "documentId" not in properties and "tutorialId" not in properties:
        return properties, {f"{path}.documentId": ["Missing: it becomes tutorialId."]}
    try:
        _PROPERTIES.convert(properties)
    except msgspec.ValidationError:
        return _PROPERTIES.check(properties, path)
    return properties, {}
