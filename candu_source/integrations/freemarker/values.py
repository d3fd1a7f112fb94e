"""Hold the values that a template works with beside those of JSON: moments, ranges, matches, Amplitude's helper object.

Text is str, numbers are int and Decimal (float is turned into the Decimal that it prints as), booleans bool, sequences list, hashes dict;
None is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Literal

from candu_source.integrations.freemarker.faults import exceeded, refused, wrong
from candu_source.integrations.freemarker.limits import DIGITS

Value = Any
Number = int | Decimal
When = Literal["date", "time", "datetime"]


class Emptiness(str):
    """Be what `x!` without a default gives: empty text, empty sequence and empty hash at once."""

    __slots__ = ()


NOTHING = Emptiness()


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold milliseconds since 1970-01-01 UTC, and which part of them is meant."""

    millis: int
    kind: When


@dataclass(frozen=True, slots=True)
class Range:
    """Hold `a..b` and its relatives: `size` is None for `a..`; adaptive ones end where the sliced value ends."""

    first: int
    step: int
    size: int | None
    adaptive: bool
    inclusive: bool = False

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers, without end if there is none."""
        if self.size is None:
            return count(self.first)
        return iter(range(self.first, self.first + self.size * self.step, self.step))

    def item(self, index: int) -> int | None:
        """Return the number at a place, None beyond the end."""
        return self.first + index * self.step if index >= 0 and (self.size is None or index < self.size) else None


@dataclass(frozen=True, slots=True)
class Match:
    """Hold one match of a pattern: its text and its groups, the whole first."""

    text: str
    groups: list[Value]


@dataclass(frozen=True, slots=True)
class Matches:
    """Hold what `?matches` gives: whether all of the text matched, the groups of that, and every match within the text."""

    whole: Match | None
    found: list[Match]


@dataclass(frozen=True, slots=True)
class Helper:
    """Be Amplitude's helper object, or one of its functions when `function` names it."""

    function: str | None = None

    def member(self, name: str) -> Helper:
        """Return one of the two functions; anything else of the object is refused."""
        if self.function is None and name in HELPER_FUNCTIONS:
            return Helper(name)
        raise refused(f"{name} is not given to templates; the helper object has {' and '.join(HELPER_FUNCTIONS)}")


HELPER_CLASS = "com.amplitude.integrations.connector.utils.FtlUtils"
HELPER_FUNCTIONS = ("toJson", "toJsonString")


def as_number(value: Value) -> Number | None:
    """Return the value as an exact number, or None if it is none; a number out of bounds raises a limit."""
    kind = type(value)
    if kind is int:
        return within_digits(value)
    if kind is Decimal:
        # The cheap half of within_digits: this is asked of every number that is used.
        return value if value.is_finite() and abs(value.adjusted()) <= DIGITS else within_digits(value)
    if kind is float:
        if not math.isfinite(value):
            raise wrong("a number must be finite")
        return within_digits(Decimal(repr(value)))
    return None


def within_digits(number: Number) -> Number:
    """Return the number if it keeps to the limit of digits."""
    if type(number) is int:
        if number.bit_length() > DIGITS * 3:
            raise exceeded(f"a number has more than {DIGITS} digits, the limit")
    elif isinstance(number, Decimal):
        if not number.is_finite():
            raise wrong("a number must be finite")
        if abs(number.adjusted()) > DIGITS or -number.as_tuple().exponent > DIGITS:  # type: ignore[operator]  # finite: an int
            raise exceeded(f"a number has more than {DIGITS} digits, the limit")
    return number


def as_sequence(value: Value) -> list[Value] | Range | None:
    """Return the value as a sequence, or None if it is none."""
    if isinstance(value, list | Range):
        return value
    if isinstance(value, Matches):
        return value.found
    return [] if isinstance(value, Emptiness) else None


def as_boolean(value: Value) -> bool | None:
    """Return the value as a boolean, or None if it is none."""
    if isinstance(value, Matches):
        return value.whole is not None
    return value if isinstance(value, bool) else None


def as_hash(value: Value) -> dict[str, Value] | None:
    """Return the value as a hash, or None if it is none."""
    if isinstance(value, dict):
        return value
    return {} if isinstance(value, Emptiness) else None


def type_name(value: Value) -> str:
    """Return what the manual calls a value of this kind."""
    if value is None:
        return "nothing"
    for types, name in _NAMES:
        if isinstance(value, types):
            return name
    return "a macro or function"


_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((str, Match), "text"),
    (bool, "a boolean"),
    ((int, Decimal, float), "a number"),
    (dict, "a hash"),
    ((list, Range, Matches), "a sequence"),
    (Moment, "a date"),
    (Helper, "the helper object"),
)
