"""Hold what the watch on shapes reads and finds, as frozen values; nothing here acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

Source = Literal["log", "filtered", "rejects"]
What = Literal["unknown_event", "new", "missing", "retyped"]
# path -> JSON types that stand there; parents come before what is in them, and the whole is the path "".
Shape = Mapping[str, frozenset[str]]


class Kept(NamedTuple):
    """Hold one input that the store kept: an item as received, whether a door refused it, and when it came (epoch)."""

    connection: str
    door: str
    raw: bytes
    at: float
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold the next inputs of one source; `after` and `read_to` belong to the store."""

    source: Source
    after: int
    read_to: int
    inputs: tuple[Kept, ...]


class Subject(NamedTuple):
    """Name whose shape is meant: a connection's event at a door."""

    connection: str
    door: str
    event: str


class Known(NamedTuple):
    """Say what may stand at a path, and whether something always does."""

    types: frozenset[str]
    always: bool


class Change(NamedTuple):
    """Say how an input differs from what is known; `type` is as it came, empty where nothing came."""

    what: What
    path: str
    type: str


_SAYINGS: Mapping[What, str] = MappingProxyType(
    {
        "unknown_event": "a name that no table knows",
        "new": "{path} is new: {type}",
        "missing": "{path} is missing",
        "retyped": "{path} came as {type}",
    }
)


def said(what: What, path: str, type_: str) -> str:
    """Say a change in words."""
    return _SAYINGS[what].format(path=path or "the whole", type=type_)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Hold what the store knows of a subject: what was learned, and the changes that were noticed."""

    learned: Mapping[str, Known]
    noticed: frozenset[Change]


@dataclass(slots=True)
class Notice:
    """Count the inputs of one reading that show a change; `sample` is the first of them."""

    subject: Subject
    change: Change
    sample: bytes
    first_at: float
    last_at: float
    count: int = 1


class Lesson(NamedTuple):
    """Hold one path that is known from now on."""

    subject: Subject
    path: str
    known: Known
