"""Say what to find and what was found; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from candu_source.errors import UsageError
from candu_source.store.standing import State
from candu_source.terms import EVENT, USER, VALUE, Word, normal, property_field

# Beyond every seq and every id.
END = 2**62
_POSITION_DIGITS = 18


class Where(StrEnum):
    """Say where an event may stand."""

    PENDING = "pending"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    DEAD = "dead"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Query:
    """Say what to find; all of it must hold.

    `user` is a user id or an anonymous id, `event` the name of a track or screen, else the call's type. A property is `path=value` or a
    value alone, its path names joined by dots. Case does not matter. `since` (included) and `until` (excluded) are seconds since the
    epoch, of acceptance. An event stands at `where` when it does on one lane; what is confirmed is delivered, too. Filtered events are
    found only when asked for, or by their message id.
    """

    user: str | None = None
    message_id: str | None = None
    event: str | None = None
    properties: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    where: Where | None = None


class Hit(NamedTuple):
    """Hold one event that was found; `seq` is None for a filtered one, whose state is under the destination ``."""

    seq: int | None
    message_id: str
    accepted_at: float
    door: str
    type: str
    event: str
    user: str | None
    states: Mapping[str, State]
    confirmed: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one page: hits newest first, what to give as `before` for the next one (None: that was all), and the time looked back to.

    `behind` counts the events that are too new for the index and too many to look at one by one.
    """

    events: tuple[Hit, ...]
    next: str | None
    looked_to: float | None
    behind: int


def criteria(query: Query) -> list[frozenset[Word]]:
    """Return the words that must hold, each with its alternatives: `a=b` may be a property's path and value, or a value."""
    wanted = [frozenset({Word(field, normal(text))}) for field, text in ((USER, query.user), (EVENT, query.event)) if text]
    for text in filter(None, query.properties):
        path, equals, value = text.partition("=")
        alone = Word(VALUE, normal(text))
        wanted.append(frozenset({alone, Word(property_field(path.strip()), normal(value))} if equals and value else {alone}))
    return wanted


def all_hold(wanted: Iterable[frozenset[Word]], found: Iterable[Word]) -> bool:
    """Tell whether of each of some alternatives one is among the words."""
    there = set(found)
    return all(not each.isdisjoint(there) for each in wanted)


def is_within(at: float, query: Query) -> bool:
    """Tell whether a time lies within the query's."""
    return (query.since is None or query.since <= at) and (query.until is None or at < query.until)


def position_of(before: str | None) -> int:
    """Return the seq or id that a page gave as `next`; raise UsageError for anything else."""
    if before is None:
        return END
    if not (before.isascii() and before.isdigit() and len(before) <= _POSITION_DIGITS):
        raise UsageError("before must be what the page before gave as next; leave it out to begin with the newest")
    return int(before)
