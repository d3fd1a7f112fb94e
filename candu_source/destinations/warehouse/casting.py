"""Cast values to what a column takes, or say why they do not go there: pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from candu_source.destinations.warehouse.tables import Cell, Column, Type
from candu_source.destinations.warehouse.values import is_whole, parse_timestamp, text_of, within

_NUMBER = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_TRUTHS = MappingProxyType({"true": True, "false": False})

_OWN_TYPES = MappingProxyType({str: Type.STRING, int: Type.INTEGER, float: Type.FLOAT, bool: Type.BOOLEAN, datetime: Type.TIMESTAMP})

FITS = ""
UNWRITTEN = "not loaded: nothing is written to columns of this type"
NOT: Mapping[Type, str] = MappingProxyType(
    {
        Type.INTEGER: "not loaded: no whole number that the column can hold",
        Type.FLOAT: "not loaded: no number that the column can hold",
        Type.BOOLEAN: "not loaded: neither true nor false",
        Type.TIMESTAMP: "not loaded: no time in ISO 8601",
    }
)
FRACTION_LOST = "lost its fraction: the column holds whole numbers"
CUT = "cut: the column holds fewer characters"


# Cells of a column, and {what is to be said of them: (how often, the last value)}.
Cast = tuple[Sequence[Cell], Mapping[str, tuple[int, Any]]]


def cast(column: Column, value: Any) -> tuple[Cell, str]:
    """Return what a column takes of a plain JSON value or a time, and what is to be said of it: `FITS`, or how it changed or why not.

    A value that cannot be cast gives None; Segment drops the field and keeps the row.
    """
    if column.type is None:
        return None, UNWRITTEN
    return _CASTS[column.type](column, value)


def cast_all(column: Column, kind: type, values: Sequence[Any]) -> Cast:
    """Cast values of one Python type."""
    if _stands(column, kind, values):
        return values, {}
    cells: list[Cell] = []
    said: dict[str, tuple[int, Any]] = {}
    for value in values:
        cell, what = cast(column, value)
        cells.append(cell)
        if what:
            said[what] = (said.get(what, (0, None))[0] + 1, value)
    return cells, said


def _stands(column: Column, kind: type, values: Sequence[Any]) -> bool:
    """Tell whether values of a Python type are the column's cells already; this spares most values the way one by one."""
    if _OWN_TYPES.get(kind) is not column.type:
        return False
    if kind is int:
        return within(min(values), column.bits) and within(max(values), column.bits)
    if kind is float:
        return column.largest is None or max(map(abs, values)) < column.largest
    return kind is not str or column.characters is None or max(map(len, values)) <= column.characters


def _to_string(column: Column, value: Any) -> tuple[Cell, str]:
    text = text_of(value)
    if column.characters is not None and len(text) > column.characters:
        return text[: column.characters], CUT
    return text, FITS


def _to_integer(column: Column, value: Any) -> tuple[Cell, str]:
    number = _number(value)
    if number is None or not within(number, column.bits):
        return None, NOT[Type.INTEGER]
    return int(number), FITS if is_whole(number) else FRACTION_LOST


def _to_float(column: Column, value: Any) -> tuple[Cell, str]:
    number = _number(value)
    if number is None or not abs(number) < (column.largest or math.inf):
        return None, NOT[Type.FLOAT]
    try:
        return float(number), FITS
    except OverflowError:
        return None, NOT[Type.FLOAT]


def _to_boolean(_column: Column, value: Any) -> tuple[Cell, str]:
    truth = _TRUTHS.get(value.lower()) if isinstance(value, str) else {0: False, 1: True}.get(value)
    return truth, NOT[Type.BOOLEAN] if truth is None else FITS


def _to_timestamp(_column: Column, value: Any) -> tuple[Cell, str]:
    at = value if isinstance(value, datetime) else parse_timestamp(value) if isinstance(value, str) else None
    return at, FITS if at else NOT[Type.TIMESTAMP]


def _number(value: Any) -> int | float | None:
    """Return the finite number that a value is or writes; None for others."""
    if isinstance(value, (int, float)):
        return value
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    if value.lstrip("-").isdigit():
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


_CASTS: Mapping[Type, Callable[[Column, Any], tuple[Cell, str]]] = MappingProxyType(
    {
        Type.STRING: _to_string,
        Type.INTEGER: _to_integer,
        Type.FLOAT: _to_float,
        Type.BOOLEAN: _to_boolean,
        Type.TIMESTAMP: _to_timestamp,
    }
)
