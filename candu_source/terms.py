"""Name what an event can be found by: its words, and the terms that stand for them in the index. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

# Raise the first number with every change of what is below. The index is built anew when this differs, or Unicode's idea of case does.
VERSION = 1 * 10**6 + int("".join(f"{int(number):02}" for number in unicodedata.unidata_version.split(".")))
# Values in the properties of one event, and characters of a path or a value, that can be searched for; what is beyond costs nothing.
MOST_VALUES = 100
CHARACTERS = 200
# 64 bits: a search that meets a foreign term looks at one event too many, no more.
_TERM_BYTES = 8
# Terms that must hold together are looked for in so many places at a time; each event has a term for its block of them.
BLOCK_PLACES = 2**18
USER, EVENT, VALUE = "user", "event", "value"
_USERS = ("userId", "anonymousId")
_HEARD_USERS = frozenset({*_USERS, "userID"})
# Where the properties of a call stand: what `properties.plan` holds is found as `plan`.
_PROPERTIES = ("properties", "traits")
# Keys are short and so are values: 1 MB at the most, in the process that keeps the index.
_REMEMBERED = 1_024
_decode = msgspec.json.Decoder().decode


class Word(NamedTuple):
    """Hold one thing to find an event by; `field` is user, event, value or `.path` of a property, `value` is in normal form."""

    field: str
    value: str


def normal(value: Any) -> str:
    """Return what is compared of a text, number or boolean, whatever its case; empty for anything else."""
    match value:
        case str():
            return _folded(value[:CHARACTERS])
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
    return ""


def property_field(path: str) -> str:
    """Return the field of a property: names joined by dots, whatever their case."""
    return "." + _folded(path[:CHARACTERS])


def event_name(message: Mapping[str, Any]) -> Any:
    """Return the name of a track or screen, else the call's type."""
    return message.get("event") or message.get("name") or message.get("type")


def words(message: Any) -> list[Word]:
    """List what a parsed Segment call can be found by: users, event, values of properties with their path and alone."""
    if not isinstance(message, dict):
        return []
    found = [Word(USER, normal(message.get(name))) for name in _USERS]
    found.append(Word(EVENT, normal(event_name(message))))
    for path, value in _values(message):
        text = normal(value)
        found += Word(property_field(path), text), Word(VALUE, text)
    return [word for word in found if word.value]


def kept_words(name: str, raw: bytes) -> list[Word]:
    """List what a filtered event can be found by, whatever its door: a property stands under every end of its path."""
    try:
        leaves = list(islice(_leaves("", _decode(raw)), MOST_VALUES))
    except (ValueError, RecursionError):
        leaves = []
    found = [Word(EVENT, normal(name))]
    for path, value in leaves:
        text, names = normal(value), path.split(".")
        found += [Word(property_field(".".join(names[start:])), text) for start in range(len(names))]
        found.append(Word(USER if names[-1] in _HEARD_USERS else VALUE, text))
    return found


def terms(connection: str, message: bytes) -> str:
    """Return the terms of a message's words, for the index, with blanks between.

    Depends on nothing but its arguments and never raises: what the index holds of an event is taken out by computing it again.
    """
    try:
        call = _decode(message)
        return _terms(connection, call) if isinstance(call, dict) else ""
    except (ValueError, RecursionError):
        return ""


def _terms(connection: str, call: Mapping[str, Any]) -> str:
    found = [_term_of(connection, USER, call.get(name)) for name in _USERS]
    found.append(_term_of(connection, EVENT, event_name(call)))
    found += [_value_terms(connection, path, value) for path, value in _values(call)]
    return " ".join(filter(None, found))


def placed_terms(connection: str, place: int, message: bytes) -> str:
    """Return what the index holds of the event at a place; empty for one that nothing can find."""
    found = terms(connection, message)
    return f"{found} {block(place)}" if found else ""


def block(place: int) -> str:
    """Return the term of the block that a place is in; shorter than any other term."""
    return f"b{place // BLOCK_PLACES}"


def term(connection: str, word: Word) -> str:
    """Return what stands for a word of one connection: no other connection's words have it."""
    text = f"{connection}\0{word.field}\0{word.value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_TERM_BYTES).hexdigest()


def _term_of(connection: str, field: str, value: Any) -> str:
    text = normal(value)
    return term(connection, Word(field, text)) if text else ""


@lru_cache(_REMEMBERED, typed=True)  # 1, 1.0 and True are equal and have terms of their own
def _value_terms(connection: str, path: str, value: Any) -> str:
    text = normal(value)
    return f"{term(connection, Word(property_field(path), text))} {term(connection, Word(VALUE, text))}" if text else ""


def _values(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the paths and values of a call's properties, as many as can be searched for."""
    return islice(_all_values(message), MOST_VALUES)


def _all_values(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _leaves("groupId", message.get("groupId"))
    for inside in _PROPERTIES:
        if isinstance(properties := message.get(inside), dict):
            for name, value in properties.items():
                yield from _leaves(name, value)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each text, number or boolean that stands somewhere in a value; the items of a list stand under its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(path, inner)
    elif isinstance(value, str):
        yield path[:CHARACTERS], value[:CHARACTERS]
    elif value is not None:
        yield path[:CHARACTERS], value


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
