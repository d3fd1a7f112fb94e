"""Warehouses in connections as code: how each is kept up to date. Where it is stands in no file: that may hold a password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.selection import Selection
from candu_source.errors import UsageError
from candu_source.store.warehouses import insist
from candu_source.warehouses import Warehouse

_FIELDS = ("every", "max_pending", "selection", "choices")


def written(warehouses: Mapping[str, Warehouse]) -> dict[str, dict[str, Any]]:
    """Return {name: settings} as the file has them."""
    return {name: {field: getattr(each, field) for field in _FIELDS} for name, each in warehouses.items()}


def changed(said: Any, known: Mapping[str, Warehouse]) -> list[Warehouse]:
    """Return the known warehouses that the file wants otherwise; raise UsageError that names the field."""
    if not isinstance(said, dict) or not all(isinstance(each, dict) for each in said.values()):
        raise UsageError("warehouses: write a table {NAME = {every = minutes, …}}")
    wanted = [_changed(name, each, known[name]) for name, each in said.items() if name in known]
    return [each for each in wanted if each != known[each.name]]


def differences(warehouses: list[Warehouse], known: Mapping[str, Warehouse]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what is changed: the field, and (before, after)."""
    for each in warehouses:
        before = known[each.name]
        for field in _FIELDS:
            if getattr(before, field) != getattr(each, field):
                yield f"warehouses.{each.name}.{field}", (getattr(before, field), getattr(each, field))


def missing(said: Mapping[str, Any], known: Mapping[str, Warehouse]) -> list[str]:
    """List the warehouses of the file that are not there."""
    return [name for name in said if name not in known]


def _changed(name: str, said: Mapping[str, Any], before: Warehouse) -> Warehouse:
    if unknown := sorted(said.keys() - {*_FIELDS}):
        raise UsageError(f"warehouses.{name}.{unknown[0]}: it is not known; these are: {', '.join(_FIELDS)}")
    for field in ("every", "max_pending"):
        if type(said.get(field, 0)) is not int:
            raise UsageError(f"warehouses.{name}.{field}: write a whole number")
    for field in ("selection", "choices"):
        if not isinstance(said.get(field, {}), dict):
            raise UsageError(f"warehouses.{name}.{field}: write a table")
    after = replace(before, **said)
    try:
        Selection.read(after.selection)
        Choices.read(after.choices)
        insist(after)
    except UsageError as error:
        raise UsageError(f"warehouses.{name}: {error}") from None
    return after
