"""Compare, index and slice values as FreeMarker does, without guessing between types."""

from __future__ import annotations

from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.utf16 import characters, units
from candu_source.integrations.freemarker.values import (
    Match,
    Moment,
    Number,
    Range,
    Value,
    as_number,
    type_name,
)


def compare(scope: Scope, operator: str, left: Value, right: Value) -> bool:
    """Return what == != < <= > >= say; raise `runtime` for values of two kinds, and for an order that the kind does not have."""
    ordered, first, second = _comparable(left, right)
    if isinstance(first, str):
        scope.spend_text(min(len(first), len(second)))
    if operator == "==":
        return bool(first == second)
    if operator == "!=":
        return bool(first != second)
    if not ordered:
        raise wrong(f"{operator} does not compare {type_name(left)}; only numbers and dates have an order")
    if operator in {"<", "<="}:
        return bool(first < second if operator == "<" else first <= second)
    return bool(first > second if operator == ">" else first >= second)


def _comparable(left: Value, right: Value) -> tuple[bool, Value, Value]:
    """Return whether the two have an order, and what to compare of them."""
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return True, first, second
    if isinstance(left, Moment) and isinstance(right, Moment) and left.kind == right.kind:
        return True, left.millis, right.millis
    if isinstance(left, str | Match) and isinstance(right, str | Match):
        return False, text_of(left), text_of(right)
    if isinstance(left, bool) and isinstance(right, bool):
        return False, left, right
    raise wrong(f"{type_name(left)} cannot be compared with {type_name(right)}; convert one of them, as with ?number, ?c or ?string")


def text_of(value: str | Match) -> str:
    """Return the text that the value is or that matched."""
    return value.text if isinstance(value, Match) else value


def item(sequence: list[Value] | Range, index: Number) -> Value:
    """Return the item at a place counted from 0, None where there is none."""
    place = int(index)
    if isinstance(sequence, Range):
        return sequence.item(place)
    return sequence[place] if 0 <= place < len(sequence) else None


def character(scope: Scope, text: str, index: Number) -> str:
    """Return the character at a place counted from 0; raise `runtime` where there is none."""
    scope.spend_places(text)
    place, text = int(index), units(text)
    if not 0 <= place < len(text):
        raise wrong(f"the text has no character {place}: it has {len(text)}")
    return text[place]


def size(sequence: list[Value] | Range) -> int:
    """Return the number of items; one without end counts as Java's largest int."""
    if isinstance(sequence, Range):
        return 2**31 - 1 if sequence.size is None else sequence.size
    return len(sequence)


def sliced(scope: Scope, value: str | list[Value] | Range, wanted: Range) -> str | list[Value]:
    """Return the part of a text or sequence that a range names; raise `runtime` when the range leaves it."""
    if isinstance(value, str):
        scope.spend_places(value)
        text = units(value)
        return characters(_part(text, wanted, _taken(wanted, len(text))))
    taken = _taken(wanted, size(value))
    scope.spend(taken)
    return [item(value, wanted.first + wanted.step * place) for place in range(taken)]


def _taken(wanted: Range, length: int) -> int:
    """Return how many items of a value of that length the range takes."""
    if wanted.size == 0:
        return 0
    beyond = wanted.first > length if wanted.adaptive and wanted.step == 1 else wanted.first >= length
    if wanted.first < 0 or beyond:
        raise wrong(f"the range starts at {wanted.first}, but there are {length}")
    if wanted.size is None:
        return length - wanted.first
    last = wanted.first + (wanted.size - 1) * wanted.step
    if 0 <= last < length:
        return wanted.size
    if not wanted.adaptive:
        raise wrong(f"the range ends at {last}, but there are {length}; {wanted.first}..*{wanted.size} takes what there is")
    return wanted.first + 1 if last < 0 else length - wanted.first


def _part(text: str, wanted: Range, taken: int) -> str:
    """Return characters of a text; only an inclusive range that steps back by one is let through, and gives nothing."""
    if wanted.step > 0 or taken <= 1:
        return text[max(wanted.first, 0) :][:taken]
    if wanted.inclusive and taken == 2:  # noqa: PLR2004 - FreeMarker keeps this old behaviour of s[1..0]
        return ""
    raise wrong("a text cannot be sliced backwards")
