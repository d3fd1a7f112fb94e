"""Map calls onto tables: which tables a call goes to, and the cells that its envelope fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.messages import Message
from candu_source.destinations.warehouse.naming import identifier, snakecase
from candu_source.destinations.warehouse.tables import Type
from candu_source.destinations.warehouse.values import parse_timestamp
from candu_source.warehouses import Entry

_IDS = {"id": Type.STRING, "user_id": Type.STRING, "anonymous_id": Type.STRING}
_NAMES = _IDS | {"name": Type.STRING, "category": Type.STRING}
_EVENTS = _IDS | {"event": Type.STRING, "event_text": Type.STRING}
# Segment's Candu source page, "Events": these have their type whatever the first value is.
_CANDU = {
    "tutorial_id": Type.INTEGER,
    "portal_id": Type.INTEGER,
    "segment_id": Type.STRING,
    "version_id": Type.STRING,
    "event_name": Type.STRING,
}
_CANDU_TABLE = "tutorial_interaction"

# The cells of every envelope; the first is the event's place in the log, which is no column.
ENVELOPE = ("", "id", "received_at", "sent_at", "original_timestamp", "timestamp", "user_id", "anonymous_id")
ID = ENVELOPE.index("id")
_KEPT_MOMENTS = 256  # events that came together were accepted at one moment, and delivered at one


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Describe a table that calls go to.

    `declared` are types that no value decides. `body` says whether properties or traits are columns, `envelope` which words of the
    envelope are, under what name (None: all, under their own). With `fold` the table holds the latest state of each id.
    """

    table: str
    declared: Mapping[str, Type]
    body: bool = True
    envelope: Mapping[str, str] | None = None
    fold: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Describe a kind of call: its table, where its body is, what its envelope has beside the common cells, and the state it tells.

    `state` is a table and the cell that is its id.
    """

    target: Target
    body: str = "properties"
    own: tuple[str, ...] = ()
    state: tuple[Target, int] | None = None

    @property
    def envelope(self) -> tuple[str, ...]:
        """Return the names of the envelope's cells."""
        return ENVELOPE + self.own


# Segment, "Warehouse schemas"; the columns of users and accounts are those seen in warehouses of Segment's.
USERS = Target("users", _IDS, envelope={"user_id": "id", "received_at": "received_at"}, fold=True)
ACCOUNTS = Target("accounts", _IDS, envelope={"group_id": "id", "received_at": "received_at", "user_id": "user_id"}, fold=True)
TRACK = Kind(Target("tracks", _EVENTS, body=False), own=("event", "event_text"))
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "screen": Kind(Target("screens", _NAMES | _CANDU), own=("name", "category")),
        "page": Kind(Target("pages", _NAMES), own=("name", "category")),
        "track": TRACK,
        "identify": Kind(Target("identifies", _IDS), "traits", state=(USERS, ENVELOPE.index("user_id"))),
        "group": Kind(Target("groups", _IDS | {"group_id": Type.STRING}), "traits", ("group_id",), state=(ACCOUNTS, len(ENVELOPE))),
        "alias": Kind(Target("aliases", _IDS | {"previous_id": Type.STRING}), "traits", ("previous_id",)),
    }
)
BUILT_IN = frozenset({"users", "accounts", *(kind.target.table for kind in KINDS.values())})


@dataclass(frozen=True, slots=True)
class Event:
    """Hold what a track event's name gives: the cell `event`, and its table; None where its rows stand in `tracks` alone."""

    cell: str
    target: Target | None


def event(name: str, choices: Choices, name_bytes: int) -> Event:
    """Return what the name of a track event gives."""
    slug = snakecase(name)
    table = identifier(slug, name_bytes, choices.words)
    if table in BUILT_IN:
        table = f"_{table}" if choices.built_in == "prefix" else ""
    declared = _EVENTS | _CANDU if table == _CANDU_TABLE else _EVENTS
    return Event(table if choices.event_value == "table" else slug, Target(table, declared) if table else None)


def common(message: Message, entry: Entry, choices: Choices) -> tuple[Any, ...]:
    """Return the cells that every envelope has, in the order of `ENVELOPE`; None for what the message does not say."""
    return (entry.ref, message.message_id, *times(message, entry, choices), message.user_id, message.anonymous_id)


def times(message: Message, entry: Entry, choices: Choices) -> tuple[datetime, datetime | str | None, str | None, datetime]:
    """Return `received_at`, `sent_at`, `original_timestamp` and `timestamp`; the middle two as they came, whatever they are.

    A message that has its own `sentAt` tells its sender's clock, and Segment's formula corrects it (Segment, "Spec: Common fields"):
    timestamp = receivedAt − (sentAt − originalTimestamp). Without one, what the entry says is by our clock throughout, and nothing is
    to be corrected. Where no time can be read `timestamp` is `received_at`.
    """
    received = (message.received_at and parse_timestamp(message.received_at)) or _moment(entry.received_at)
    said = message.timestamp if message.original_timestamp is None else message.original_timestamp
    original = None if said is None else parse_timestamp(said)
    if message.sent_at is None:
        return received, None if entry.sent_at is None else _moment(entry.sent_at), said, original or received
    sent = parse_timestamp(message.sent_at)
    try:
        corrected = received - (sent - original) if sent and original else original or received
    except OverflowError:
        corrected = original or received
    return received, received if sent and choices.sent_at == "corrected" else message.sent_at, said, corrected


@lru_cache(_KEPT_MOMENTS)
def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
