"""Judge whether two warehouses say the same in a cell, and name what is tolerated: pure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from candu_source.destinations.warehouse.tables import Cell
from candu_source.destinations.warehouse.values import parse_timestamp, text_of

# Segment receives after us: the network, and the retries of a lane that had trouble. What comes later than that is worth a look.
DELAY = timedelta(hours=1)
# The later times of a message are taken by each side's own clock. `timestamp` follows from them (Segment, "Spec: Common fields").
_BY_A_CLOCK = frozenset({"received_at", "sent_at", "timestamp"})
# Segment's databases keep milliseconds, ours microseconds.
_PRECISION = timedelta(milliseconds=1)
# What Segment may add to what it received (Segment, "Spec: Common fields", Context fields automatically collected).
ADDED = frozenset({"context_ip"})


class Tolerated(StrEnum):
    """Name why two cells that are not equal count as the same."""

    CLOCK = "a time that each side takes by its own clock"
    UNSENT = "sent_at that was not known here at the sync"
    PRECISION = "a time below one millisecond"
    NUMBER = "the same number in another type"
    TYPE = "the same text in another type"
    CUT = "text cut to the column's length"
    JSON = "the same JSON spaced differently"
    ADDED = "what Segment adds to a message"
    STATE = "an earlier or later state of a user or an account"


def differs(column: str, here: Cell, there: Cell, characters: int | None = None) -> Tolerated | bool:
    """Tell whether two cells of a column differ: no, yes, or what is tolerated between them.

    `characters` is what the shorter of both columns holds, None where none is bounded. True and 1 are not equal.
    """
    here, there = zoned(here), zoned(there)
    if here == there and isinstance(here, bool) is isinstance(there, bool):
        return False
    if here is None or there is None:
        return _missing(column, here)
    if isinstance(here, datetime) and isinstance(there, datetime):
        return _times(column, abs(here - there))
    if isinstance(here, str) and isinstance(there, str):
        return _texts(here, there, characters)
    if _is_number(here) and _is_number(there):
        return Tolerated.NUMBER if float(here) == float(there) else True  # type: ignore[arg-type] # both are numbers
    return Tolerated.TYPE if _as_text(here) == _as_text(there) else True


def zoned(cell: Any) -> Any:
    """Return a cell, a time with its zone: columns that were made by hand may lack it, and what is loaded is UTC."""
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=UTC)
    return datetime.combine(cell, time(), UTC) if isinstance(cell, date) else cell


def _missing(column: str, here: Cell) -> Tolerated | bool:
    if here is None and column in ADDED:
        return Tolerated.ADDED
    return Tolerated.UNSENT if here is None and column == "sent_at" else True


def _times(column: str, apart: timedelta) -> Tolerated | bool:
    if apart < _PRECISION:
        return Tolerated.PRECISION
    return Tolerated.CLOCK if column in _BY_A_CLOCK and apart <= DELAY else True


def _texts(here: str, there: str, characters: int | None) -> Tolerated | bool:
    shorter, longer = sorted((here, there), key=len)
    if len(shorter) == characters and longer.startswith(shorter):
        return Tolerated.CUT
    return Tolerated.JSON if _is_array(here) and _is_array(there) and _same_json(here, there) else True


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def _is_array(text: str) -> bool:
    return text.startswith("[") and text.endswith("]")


def _same_json(here: str, there: str) -> bool:
    try:
        return bool(json.loads(here) == json.loads(there))
    except (ValueError, RecursionError):
        return False


def _as_text(cell: Cell) -> str:
    """Return what a cell says whatever its type is."""
    plain = float(cell) if isinstance(cell, Decimal) else cell
    return text_of((parse_timestamp(plain) if isinstance(plain, str) else None) or plain)
