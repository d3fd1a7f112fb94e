"""Hold what a warehouse has and what is loaded into it, as frozen values; nothing here acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from candu_source.warehouses import Remark

# What stands in one cell: text, whole number, number, truth, time with a zone, or nothing.
Cell = str | int | float | Decimal | bool | datetime | None


class Type(StrEnum):
    """Name Segment's logical types (Segment, "Warehouse schemas", Data types)."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


class Column(NamedTuple):
    """Describe a column as the warehouse has it; `type` is None for one that a user made of a type that is not written.

    `physical` is the warehouse's own word; `characters` bounds text, `bits` whole numbers, and numbers are smaller than `largest`.
    """

    type: Type | None
    physical: str = ""
    characters: int | None = None
    bits: int = 64
    largest: float | None = None


# table -> column -> what it is; as the warehouse says it now.
Catalog = Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True, slots=True)
class TableLoad:
    """Hold what one batch brings to one table: columns to make, and rows, unique by their first cell, `id`.

    `added` holds the columns that the table lacks (all of them where `new`). With `fold` a row updates the one that has its id:
    the newer of the two by `received_at` has the word, and what it does not say stays. Else a row whose id is there is left out.
    """

    table: str
    new: bool
    added: Mapping[str, Type]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """Hold all that one batch of events brings, and what is to be said of it; `left_out` events asked not to be loaded."""

    tables: Sequence[TableLoad]
    remarks: Sequence[Remark] = ()
    left_out: int = 0
