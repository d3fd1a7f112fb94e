"""Lay calls of one shape out over a table's columns: which value stands in which column, and which nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import NamedTuple

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.flattening import Shape
from candu_source.destinations.warehouse.mapping import Kind, Target
from candu_source.destinations.warehouse.naming import identifier, snakecase

# Columns of Segment's own in every table; a property with such a name is not seen there. Two are, with `_`, in its warehouses.
RESERVED_COLUMNS = frozenset(
    {"id", "received_at", "uuid_ts", "uuid", "sent_at", "timestamp", "original_timestamp", "user_id", "anonymous_id"}
)
_PREFIXED = frozenset({"id", "uuid"})
# Own columns that a property fills where the message does not.
_FILLED = frozenset({"name", "category"})

OWN_NAME = "not loaded: a column of Segment's own has this name"
SAME_COLUMN = "not loaded: another property of the same event has this column"
NAMELESS = "not loaded: the name has no Latin letter or digit"


def shortened(name_bytes: int) -> str:
    """Return the remark on a name that was cut."""
    return f"name cut to {name_bytes} bytes: names that begin alike share the column"


class Calls(NamedTuple):
    """Describe calls that are alike: their kind, the Python types of the envelope's cells, and the shapes of what follows them."""

    kind: Kind
    envelope: tuple[type, ...]
    context: Shape
    body: Shape


class Oddity(NamedTuple):
    """Note what happens to the value at a place of all these calls."""

    column: str
    what: str
    place: int


@dataclass(frozen=True, slots=True)
class Names:
    """Hold by what names are made: the open choices, and how long a name may be."""

    choices: Choices
    name_bytes: int

    def column(self, name: str) -> str:
        """Return the column of a name as it was sent; empty where there is none."""
        return identifier(snakecase(name), self.name_bytes, self.choices.words)

    def cuts(self, name: str, called: str) -> bool:
        """Tell whether a name was too long for what it is called."""
        return len(called) == self.name_bytes and called != identifier(snakecase(name), len(name) + 1, self.choices.words)


def lay_out(calls: Calls, target: Target, names: Names) -> tuple[dict[str, int], list[Oddity]]:
    """Return {column: place of its value} for a table, and what is to be said. Values that are null have no column."""
    columns = dict(_envelope(calls, target))
    oddities: list[Oddity] = []
    start = len(calls.envelope)
    columns |= _columns(calls.context, start, names, oddities)
    if target.body:
        start += len(calls.context.names)
        taken = columns.keys() | RESERVED_COLUMNS | set(calls.kind.own) - _FILLED
        columns |= _apart(_columns(calls.body, start, names, oddities), taken, names, oddities)
    return columns, oddities


def _envelope(calls: Calls, target: Target) -> Iterator[tuple[str, int]]:
    for place, (name, kind) in enumerate(zip(calls.kind.envelope, calls.envelope, strict=True)):
        column = name if target.envelope is None else target.envelope.get(name)
        if column and kind is not NoneType:
            yield column, place


def _columns(shape: Shape, start: int, names: Names, oddities: list[Oddity]) -> dict[str, int]:
    """Return the columns of an object's values, before anything else has a word on them."""
    columns: dict[str, int] = {}
    for place, (name, kind) in enumerate(zip(shape.names, shape.kinds, strict=True), start):
        if kind is NoneType:
            continue
        column = names.column(name)
        if not column:
            oddities.append(Oddity("", NAMELESS, place))
            continue
        if names.cuts(name, column):
            oddities.append(Oddity(column, shortened(names.name_bytes), place))
        if column in columns:
            earlier = names.choices.same_column == "earlier"
            oddities.append(Oddity(column, SAME_COLUMN, place if earlier else columns[column]))
            place = columns[column] if earlier else place  # noqa: PLW2901 - the one that counts
        columns[column] = place
    return columns


def _apart(columns: dict[str, int], taken: set[str], names: Names, oddities: list[Oddity]) -> dict[str, int]:
    """Return the columns of properties or traits that may stand beside those that are taken."""
    apart: dict[str, int] = {}
    for column, place in columns.items():
        if column not in taken:
            apart[column] = place
        elif column in _PREFIXED or names.choices.collision == "prefix":
            apart[f"_{column}"[: names.name_bytes]] = place
        else:
            oddities.append(Oddity(column, OWN_NAME, place))
    return apart
