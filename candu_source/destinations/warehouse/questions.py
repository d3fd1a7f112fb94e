"""Ask a warehouse the first questions that people have: SQL files in Segment's style, each with the picture that shows its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files
from itertools import islice
from threading import BoundedSemaphore
from types import MappingProxyType
from typing import Any, NamedTuple

from candu_source.destinations.warehouse.dialects import Reader, Warehouse
from candu_source.destinations.warehouse.dialects.statements import quoted
from candu_source.destinations.warehouse.naming import RESERVED_WORDS
from candu_source.errors import WarehouseBusy
from candu_source.model import Secret

# The schema in the files is that of Segment's example source, Candu_Prod; whoever asks puts the own one in its place.
_SCHEMA = "candu_prod."
_AT_ONCE = 2
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_HEAD = re.compile(r"-- (?P<asks>.+)\n-- (?P<picture>\w+); x: (?P<x>.+); y: (?P<y>.+)\n")
# In the order in which people are shown them.
_NAMES = (
    "views_per_tutorial",
    "daily_users",
    "view_to_interaction",
    "interaction_rate",
    "kinds_of_interaction",
    "versions_compared",
    "minutes_to_interaction",
)


class Picture(StrEnum):
    """Name the ways to draw an answer."""

    LINE = "line"
    BAR = "bar"
    FUNNEL = "funnel"


@dataclass(frozen=True, slots=True)
class Question:
    """Hold one question; `x` and `y` are the columns of its answer that its picture shows, `y` the most important first."""

    name: str
    asks: str
    picture: Picture
    x: tuple[str, ...]
    y: tuple[str, ...]
    text: str

    def sql(self, schema: str) -> str:
        """Return the SQL for one schema."""
        named = schema if _PLAIN.fullmatch(schema) and schema not in RESERVED_WORDS else quoted(schema)
        return self.text.replace(_SCHEMA, f"{named}.")


class Answered(NamedTuple):
    """Hold an answer, its cells as JSON has them; `more` says that there are more rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


def answer(reader: Reader, question: Question, schema: str, *, seconds: float, most: int) -> Answered:
    """Ask one question of one schema, for so many seconds and rows at most; raise WarehouseError."""
    said = reader.ask(question.sql(schema), seconds=seconds)
    rows = [tuple(map(_plain, row)) for row in islice(said.rows, most + 1)]
    return Answered(said.columns, rows[:most], len(rows) > most)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Ask warehouses, two questions at a time in this process: each may take the memory of a sync, and the doors need theirs."""

    at: Callable[[Secret], Warehouse]
    _turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_AT_ONCE))

    def answer(self, place: Secret, question: Question, schema: str, *, seconds: float, most: int) -> Answered:
        """Open a place and ask it one question; raise WarehouseBusy when others ask for too long, and WarehouseError."""
        if not self._turns.acquire(timeout=seconds):
            raise WarehouseBusy("other questions are still being answered; ask again in a moment")
        try:
            with self.at(place).look() as reader:
                return answer(reader, question, schema, seconds=seconds, most=most)
        finally:
            self._turns.release()


def _plain(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _read(name: str) -> Question:
    text = (files(__package__) / "sql" / f"{name}.sql").read_text("utf-8")
    head = _HEAD.match(text)
    assert head is not None, name
    x, y = (tuple(column.strip() for column in head[axis].split(",")) for axis in ("x", "y"))
    return Question(name, head["asks"], Picture(head["picture"]), x, y, text)


QUESTIONS: Mapping[str, Question] = MappingProxyType({name: _read(name) for name in _NAMES})
