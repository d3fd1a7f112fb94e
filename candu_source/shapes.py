"""Tell the shape of an input, and how it differs from what is known: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from candu_source.findings import Change, Known, Shape

# What is beyond these costs nothing: an object with more names becomes one path `*`, deeper things are not looked into.
MOST_NAMES = 100
MOST_PATHS = 500
DEPTH = 12
_MOST_ITEMS = 20
_NAME_CHARACTERS = 64
_EVENT_CHARACTERS = 200
ANY = "any"
# What one event may teach; what is new beyond that is one path.
MOST_LEARNED = 300
REST = "*"
# Shapes met before that are remembered of an event, none with more paths than so many.
_MOST_ANSWERS, _ANSWER_PATHS = 50, 150
# Characters of a name that mean something in a path.
_QUOTED = str.maketrans({".": "%2E", "[": "%5B", "*": "%2A", "\0": "%00"})
_INTEGER, _NUMBER, _LIST, _OBJECT = (frozenset({name}) for name in ("integer", "number", "list", "object"))
_ANYTHING = frozenset({ANY})
_TYPES: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        str: frozenset({"text"}),
        bool: frozenset({"boolean"}),
        int: _INTEGER,
        type(None): frozenset({"null"}),
        list: _LIST,
        dict: _OBJECT,
    }
)
# Where the doors' inputs name their event, the best first.
_NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "webhook": (("payload", "eventName"), ("payload", "screenName")),
        "interactions": (("type",),),
        "browser": (("detail", "screenName"), ("detail", "eventName")),
        "rest": (("type",),),
    }
)


def event_name(door: str, value: Any) -> str:
    """Return the name of an input's event, cut to 200 characters; empty where it has none."""
    for path in _NAMES.get(door, ()):
        name = at(value, path)
        if name and isinstance(name, str):
            return _storable(name[:_EVENT_CHARACTERS])
    return ""


def at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path of names, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def shape(value: Any) -> Shape:
    """Return path -> JSON types of a parsed value; list items stand under `path[]`, names are joined by dots."""
    found: dict[str, frozenset[str]] = {}
    _walk(value, "", 0, found)
    return found


def _walk(value: Any, path: str, depth: int, found: dict[str, frozenset[str]]) -> None:
    kind = _kind(value)
    found[path] = found[path] | kind if path in found else kind
    if kind is _LIST and depth < DEPTH:
        for item in value[:_MOST_ITEMS]:
            _walk(item, f"{path}[]", depth + 1, found)
    elif kind is _OBJECT and depth < DEPTH:
        if len(value) > MOST_NAMES or len(found) + len(value) > MOST_PATHS:
            found[_inside(path, REST)] = _ANYTHING
            return
        for name, inner in value.items():
            _walk(inner, _below(path, name[:_NAME_CHARACTERS]), depth + 1, found)


def _kind(value: Any) -> frozenset[str]:
    """Return a JSON type as JSON Schema means it: 12.0 is an integer."""
    if isinstance(value, float):
        return _INTEGER if value.is_integer() else _NUMBER
    return _TYPES[type(value)]


def _storable(text: str) -> str:
    """Put a mark in place of half a surrogate pair, which no database takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=8_192)
def _below(path: str, name: str) -> str:
    return _inside(path, _storable(name).translate(_QUOTED) or '""')


def above(path: str) -> str | None:
    """Return the path of what a path stands in; None for the whole."""
    if not path:
        return None
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def compare(known: Mapping[str, Known], given: Shape) -> list[Change]:
    """List what is new, retyped or missing in a shape; what stands inside of a change is part of it."""
    changes: list[Change] = []
    closed: set[str] = set()
    for path, types in given.items():
        parent = above(path)
        if parent in closed:
            closed.add(path)
        elif change := _strange(known, path, types):
            closed.add(path)
            changes.append(change)
        elif _is_free(known, path):
            closed.add(path)
    return changes + list(_missing(known, given, closed))


def _strange(known: Mapping[str, Known], path: str, types: frozenset[str]) -> Change | None:
    have = known.get(path)
    if have is None:
        return None if _is_free(known, path) else Change("new", path, "|".join(sorted(types)))
    strange = sorted(kind for kind in types if not _fits(kind, have.types))
    return Change("retyped", path, "|".join(strange)) if strange else None


def _is_free(known: Mapping[str, Known], path: str) -> bool:
    """Tell whether anything may stand at a path that is not known itself."""
    parent = above(path)
    return parent is not None and path not in known and _inside(parent, REST) in known


def _fits(kind: str, types: frozenset[str]) -> bool:
    return kind in types or ANY in types or (kind == "integer" and "number" in types)


def _missing(known: Mapping[str, Known], given: Shape, closed: set[str]) -> Iterator[Change]:
    """Yield what always stands in an object that is there, and does not now."""
    for path, have in known.items():
        parent = above(path)
        if not have.always or path in given or parent is None or path.endswith(("[]", REST)):
            continue
        if parent not in closed and given.get(parent, frozenset()) >= _OBJECT and _inside(parent, REST) not in given:
            yield Change("missing", path, "")


def news(known: Mapping[str, Known], given: Shape) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what is not known of a shape, what stands inside of a change included."""
    free: set[str] = set()
    for path, types in given.items():
        if above(path) in free or _is_free(known, path):
            free.add(path)
        elif path not in known or not all(_fits(kind, known[path].types) for kind in types):
            yield path, types


def shows(change: Change, given: Shape) -> bool:
    """Tell whether a shape has what was noticed as new or retyped."""
    return change.what in ("new", "retyped") and not given.get(change.path, frozenset()).isdisjoint(change.type.split("|"))


def nearest(candidates: Mapping[str, Mapping[str, Known]], given: Shape) -> str:
    """Return the name of the shape that differs least; empty when there is none to choose from."""
    return min(candidates, key=lambda name: len(compare(candidates[name], given)), default="")


def joined(first: Mapping[str, Known], then: Mapping[str, Known]) -> Mapping[str, Known]:
    """Return what two say together; of what both know the first says whether it always stands there."""
    if not then:
        return first
    added = {path: Known(first[path].types | known.types, first[path].always) if path in first else known for path, known in then.items()}
    return {**first, **added}


@dataclass(slots=True)
class Memory:
    """Hold what is known of one event's shape and what was noticed; `answers` keeps what each shape met before shows."""

    known: Mapping[str, Known]
    noticed: set[Change]
    learned: int
    answers: dict[frozenset[Any], list[Change]] = field(default_factory=dict)

    def meet(self, given: Shape) -> list[Change]:
        """Return every change that a shape shows, those noticed before among them."""
        if len(given) > _ANSWER_PATHS:
            return self._changes(given)
        fingerprint = frozenset(given.items())
        answer = self.answers.get(fingerprint)
        if answer is None:
            if len(self.answers) >= _MOST_ANSWERS:
                self.answers.clear()
            answer = self.answers[fingerprint] = self._changes(given)
        return answer

    def _changes(self, given: Shape) -> list[Change]:
        changes = compare(self.known, given)
        missing = [change for change in changes if change.what == "missing"]
        if self.learned >= MOST_LEARNED and len(missing) < len(changes):
            changes = [*missing, Change("new", REST, "")]
        return changes + [change for change in self.noticed if shows(change, given)]

    def learn(self, given: Shape, *, always: bool) -> Mapping[str, Known]:
        """Take in what was not known of a shape, and return it."""
        if self.learned >= MOST_LEARNED:
            return {}
        lessons = {path: Known(types, always) for path, types in news(self.known, given)}
        if lessons:
            self.known = joined(self.known, lessons)
            self.learned += len(lessons)
            self.answers.clear()
        return lessons
