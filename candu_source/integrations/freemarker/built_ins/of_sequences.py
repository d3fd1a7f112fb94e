"""The built-ins of sequences and hashes."""

from __future__ import annotations

import unicodedata

from candu_source.integrations.freemarker.built_ins.table import BuiltIn, items_of, on_sequence, text_argument, whole_argument
from candu_source.integrations.freemarker.faults import Problem, wrong
from candu_source.integrations.freemarker.operations import compare, item, size
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Match, Moment, Value, as_hash, as_number, as_sequence, type_name

# The order of Java's collator in en_US, below the letters: blanks and dashes count least, then these, then digits.
_SIGNS = "_,;:!?/.`^~'\"()[]{}@$*\\&#%+<=>|"
_LIGHT = "\t\n\x0b\x0c\r -"


def _first(_: Scope, value: Value) -> Value:
    sequence = as_sequence(value)
    if sequence is None:
        raise wrong(f"?first takes a sequence, but this is {type_name(value)}")
    return item(sequence, 0)


def _last(_: Scope, value: Value) -> Value:
    sequence = as_sequence(value)
    if sequence is None:
        raise wrong(f"?last takes a sequence, but this is {type_name(value)}")
    return item(sequence, size(sequence) - 1)


def _size(_: Scope, value: Value) -> int:
    sequence, members = as_sequence(value), as_hash(value)
    if sequence is not None:
        return size(sequence)
    if members is None:
        raise wrong(f"?size takes a sequence or a hash, but this is {type_name(value)}; text has ?length")
    return len(members)


def _members(scope: Scope, value: Value) -> dict[str, Value]:
    members = as_hash(value)
    if members is None:
        raise wrong(f"a hash is needed here, but this is {type_name(value)}")
    scope.spend(len(members))
    return members


def _join(scope: Scope, items: list[Value], separator: Value, empty: Value = "", end: Value = "") -> str:
    between, default, after = text_argument(separator), text_argument(empty, 2), text_argument(end, 3)
    parts: list[str] = []
    length = 0
    for one in items:
        if one is not None:
            parts.append(scope.text(one))
            length += len(parts[-1]) + len(between)
            scope.spend_text(len(parts[-1]))
    scope.spend_text(length)
    return between.join(parts) + after if parts else default


def _contains(scope: Scope, items: list[Value], wanted: Value) -> bool:
    return any(_same(scope, one, wanted) for one in items)


def _index_of(scope: Scope, items: list[Value], wanted: Value, start: Value = 0) -> int:
    first = max(0, whole_argument(start, 2))
    return next((place for place in range(first, len(items)) if _same(scope, items[place], wanted)), -1)


def _same(scope: Scope, left: Value, right: Value) -> bool:
    """Compare without complaint: values of two kinds are not the same."""
    if left is None or right is None:
        return left is right
    try:
        return compare(scope, "==", left, right)
    except Problem as problem:
        if problem.limit:
            raise
        return False


def _sort(_: Scope, items: list[Value]) -> list[Value]:
    return _ordered(items, [(one,) for one in items])


def _sort_by(scope: Scope, items: list[Value], path: Value) -> list[Value]:
    names = [text_argument(name) for name in items_of(scope, path)] if isinstance(path, list) else [text_argument(path)]
    if not names:
        raise wrong("?sort_by needs the name of a value")
    return _ordered(items, [(_found(one, names),) for one in items])


def _found(value: Value, names: list[str]) -> Value:
    for name in names:
        members = as_hash(value)
        if members is None:
            raise wrong(f"?sort_by looks for {name} in {type_name(value)}")
        value = members.get(name)
        if value is None:
            raise wrong(f"?sort_by finds an item without {name}")
    return value


def _ordered(items: list[Value], keys: list[tuple[Value]]) -> list[Value]:
    """Return the items by their keys, all of which have to be of one kind: numbers, text, dates or booleans."""
    weights = [_weight(key) for (key,) in keys]
    if len({kind for kind, _ in weights}) > 1:
        raise wrong("?sort takes items of one kind: numbers, text, dates or booleans")
    return [items[place] for place in sorted(range(len(items)), key=lambda place: weights[place])]


def _weight(value: Value) -> tuple[str, Value]:
    """Return the kind of a key, and what it is ordered by."""
    if isinstance(value, bool):
        return "boolean", value
    number = as_number(value)
    if number is not None:
        return "number", number
    if isinstance(value, Moment):
        return value.kind, value.millis
    if isinstance(value, str | Match):
        return "text", collated(value.text if isinstance(value, Match) else value)
    raise wrong(f"?sort does not order {type_name(value)}")


def collated(text: str) -> tuple[Value, ...]:
    """Return what orders text nearly as Java's collator in en_US: first letters and signs, then accents and blanks, then case."""
    primary: list[tuple[int, int | str]] = []
    accents: list[int] = []
    cases: list[int] = []
    for char in unicodedata.normalize("NFD", text):
        if char in _LIGHT or unicodedata.combining(char):
            accents.append(ord(char))
        elif (place := _SIGNS.find(char)) >= 0:
            primary.append((0, place))
        elif char >= " ":
            primary.append((1 if char.isdigit() else 2, char.lower()))
            accents.append(0)
            cases.append(int(char.isupper()))
    return primary, accents, cases, text


TABLE = {
    "first": BuiltIn(_first),
    "last": BuiltIn(_last),
    "size": BuiltIn(_size),
    "keys": BuiltIn(lambda scope, value: list(_members(scope, value))),
    "values": BuiltIn(lambda scope, value: list(_members(scope, value).values())),
    "reverse": on_sequence(lambda _, items: items[::-1]),
    "sort": on_sequence(_sort),
    "sort_by": on_sequence(_sort_by, 1, 1),
    "join": on_sequence(_join, 1, 3),
    "seq_contains": on_sequence(_contains, 1, 1),
    "seq_index_of": on_sequence(_index_of, 1, 2),
}
