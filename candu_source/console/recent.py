"""Look at a connection's latest events as its syncs see them: what there is to choose from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from candu_source.errors import UsageError
from candu_source.integrations.choices import Property
from candu_source.integrations.inputs import kind_of, read_input
from candu_source.store.chunks import LoggedEvent

# A form that offers more is none; names beyond these are typed.
_MOST_NAMES = 60
_NAME_CHARACTERS = 200


class Recent(NamedTuple):
    """Name one event of the log, or one user, that a request can be tried on."""

    message_id: str
    name: str
    accepted_at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what the latest events have: their types, their and their users' properties, as choices write them and by name alone.

    `events` can be tried.
    """

    event_types: Sequence[str]
    properties: Sequence[str]
    names: Sequence[str]
    user_properties: Sequence[str]
    events: Sequence[Recent]


def look(events: Iterable[LoggedEvent], most: int) -> Seen:
    """Return what some events have, given latest first; at most so many are offered to be tried."""
    types: set[str] = set()
    properties: set[Property] = set()
    tried: list[Recent] = []
    for event in events:
        item = _input(event)
        kind = kind_of(item)
        if kind is None:
            continue
        if kind == "events":
            types.add(item["event_type"])
        properties.update(Property("event", name) for name in _names(item, "event_properties"))
        properties.update(Property("user", name) for name in _names(item, "user_properties"))
        if len(tried) < most:
            tried.append(Recent(event.message_id, item["event_type"] if kind == "events" else "user", event.accepted_at))
    names, users = {each.name for each in properties}, {each.name for each in properties if each.of == "user"}
    return Seen(_shown(types), _shown(set(map(str, properties))), _shown(names), _shown(users), tried)


def _input(event: LoggedEvent) -> Mapping[str, Any]:
    try:
        return read_input(event.door, event.message, event.raw)
    except UsageError:
        return {}


def _names(item: Mapping[str, Any], holder: str) -> Iterable[str]:
    """Return the names of properties; those with a dollar sign are Amplitude's own operations on a user, such as $set."""
    there = item.get(holder)
    return (name for name in there if not name.startswith("$")) if isinstance(there, dict) else ()


def _shown(names: Iterable[str]) -> Sequence[str]:
    return sorted(name for name in names if 0 < len(name) <= _NAME_CHARACTERS)[:_MOST_NAMES]
