"""Tell how one JSON value differs from another: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Kind = Literal["added", "changed", "removed"]


class Change(NamedTuple):
    """Hold one difference at a path; `old` is None where something was added, `new` where it was removed."""

    path: str
    old: Any
    new: Any
    kind: Kind


def difference(old: Any, new: Any) -> list[Change]:
    """List what differs between two parsed JSON values, by path, in the order of the first and then of what the second adds.

    Names are joined by dots (`properties.tutorialId`), list items stand under `path[0]`, the whole value under an empty path. What is
    added or removed as a whole is one change. True and 1 differ, and so do 1 and 1.0: their JSON does.
    """
    return list(_walk("", old, new))


def _walk(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _inside({_below(path, name): value for name, value in old.items()}, {_below(path, name): new[name] for name in new})
    elif isinstance(old, list) and isinstance(new, list):
        yield from _inside(
            {f"{path}[{place}]": item for place, item in enumerate(old)}, {f"{path}[{place}]": item for place, item in enumerate(new)}
        )
    elif type(old) is not type(new) or old != new:
        yield Change(path, old, new, "changed")


def _inside(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for path, value in old.items():
        if path in new:
            yield from _walk(path, value, new[path])
        else:
            yield Change(path, value, None, "removed")
    for path, value in new.items():
        if path not in old:
            yield Change(path, None, value, "added")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
