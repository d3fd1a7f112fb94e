"""Tell of each field of a message where in the raw input it came from: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Pair a field of the message with the field of the input that has its value; one of the two is None for made or dropped ones."""

    path: str | None
    value: Any
    origin: str | None


def origins(raw: Any, message: Any) -> list[Origin]:
    """List the message's fields with their origins, then the input's fields that went nowhere.

    A value that stands several times in the input is taken for the field of the same name, else for the first.
    """
    given: defaultdict[str, list[str]] = defaultdict(list)
    for path, value in _leaves("", raw):
        given[_key(value)].append(path)
    found = [Origin(path, value, _nearest(path, given[_key(value)])) for path, value in _leaves("", message)]
    used = {each.origin for each in found}
    return found + [Origin(None, value, path) for path, value in _leaves("", raw) if path not in used]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _leaves(f"{path}[{place}]", item)
    else:
        yield path, value


def _key(value: Any) -> str:
    """Return what equal values share, and values of another type do not: True is not 1."""
    return f"{type(value).__name__} {value!r}"


def _nearest(path: str, candidates: list[str]) -> str | None:
    name = path.rpartition(".")[2].lower()
    return next((each for each in candidates if each.rpartition(".")[2].lower() == name), candidates[0] if candidates else None)
