"""Tell the type of values, and write them as text: pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from candu_source.destinations.warehouse.tables import Type

# ISO 8601 as analytics.js (segmentio/isodate, strict) and RudderStack take it: a date, or a date and a time, with or without a zone.
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
INTEGER_BITS = 64
# Beyond it JavaScript, whose text of numbers Segment's libraries send, writes whole numbers with an exponent.
_WRITTEN_OUT = 1e21
_SHOWN_CHARACTERS = 80


def infer(value: Any) -> Type:
    """Return the type that Segment gives a column for text, a number, a truth or a time.

    2.0 is a whole number, text in ISO 8601 a time, text of digits stays text. Whole numbers beyond 64 bits are floats.
    """
    kind = type(value)
    if kind is str:
        return Type.STRING if parse_timestamp(value) is None else Type.TIMESTAMP
    if kind is bool:
        return Type.BOOLEAN
    if kind is datetime:
        return Type.TIMESTAMP
    return Type.INTEGER if is_whole(value) and within(value, INTEGER_BITS) else Type.FLOAT


def parse_timestamp(text: str) -> datetime | None:
    """Return the time that ISO 8601 names, in UTC, whole microseconds; None for any other text. Without a zone it is UTC."""
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            return at.replace(tzinfo=UTC)
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def json_text(value: Any) -> str:
    """Return compact JSON, as arrays are loaded; raise RecursionError for what is nested too deep."""
    return msgspec.json.encode(value).decode()


def shown(value: Any) -> str:
    """Return the beginning of a value for a remark."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def text_of(value: Any) -> str:
    """Return a plain JSON value or a time as text: numbers and times as JavaScript writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(int(value)) if is_whole(value) and abs(value) < _WRITTEN_OUT else str(value)


def is_whole(value: float) -> bool:
    """Tell whether a number has no fraction."""
    return isinstance(value, int) or float.is_integer(value)


def within(number: float, bits: int) -> bool:
    """Tell whether a signed number of so many bits holds this one, its fraction aside."""
    return -(1 << bits - 1) <= number < 1 << bits - 1
