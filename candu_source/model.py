"""Hold the nouns of the river as frozen values; nothing here acts."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

from candu_source.errors import Reason

LARGEST_INTEGER = 2**53  # beyond it a double cannot tell neighbours apart, and warehouses and browsers disagree


class Secret:
    """Keep a write key or token out of every repr, log line and traceback; `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(*(each._text.encode("utf-8", "surrogatepass") for each in (self, other)))

    def __hash__(self) -> int:
        return hash(self._text)


class Kind(StrEnum):
    """Say what a named Candu event becomes."""

    VIEW = "view"
    INTERACTION = "interaction"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class PortalRule:
    """Say where `portalId` comes from: nowhere, one constant, or a table contentId -> portalId."""

    mode: Literal["omit", "constant", "lookup"] = "omit"
    constant: int | None = None
    table: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold a connection's mapping settings; the defaults are those of facts about Candu and Segment (docs/mapping.md)."""

    classification: Mapping[str, Kind] = field(default_factory=dict)
    custom_events: Literal["filter", "send"] = "filter"
    anonymous: Literal["send", "filter"] = "send"
    extra_properties: bool = True
    portal: PortalRule = field(default_factory=PortalRule)
    integrations: Mapping[str, bool] = field(default_factory=lambda: {"Candu": False})
    allowed_origins: tuple[str, ...] = ()
    identity: Literal["off", "warn", "require"] = "off"
    bots: Literal["filter", "send"] = "filter"
    allowed_addresses: tuple[str, ...] = ()


class Region(StrEnum):
    """Name Segment's two regions."""

    US = "us"
    EU = "eu"


# Segment, "Build a source" and "Regional Segment": the two documented Tracking API hosts.
SEGMENT_HOSTS: Mapping[Region, str] = MappingProxyType(
    {Region.US: "https://api.segment.io", Region.EU: "https://events.eu1.segmentapis.com"}
)


@dataclass(frozen=True, slots=True)
class Connection:
    """Describe one customer's source, without its write key.

    `slug` is the warehouse schema that its name gives, `environment` a label. `public_token` stands in web pages; `identity_secret`
    proves the user ids that come from there. `requests_per_minute` and `pending_most` (events that may wait) limit its doors; 0 for
    no limit. `segment_source` is the source's id in the Segment workspace, where we made it. `hosts` are the regions' Tracking APIs.
    """

    id: str
    name: str
    slug: str = ""
    environment: str = ""
    region: Region = Region.US
    segment_host: str | None = None
    paused: bool = False
    rules: Rules = field(default_factory=Rules)
    created_at: float = 0.0
    public_token: str = ""
    identity_secret: Secret | None = None
    requests_per_minute: int = 0
    pending_most: int = 0
    segment_source: str | None = None
    hosts: Mapping[Region, str] = field(default_factory=lambda: SEGMENT_HOSTS)

    @property
    def host(self) -> str:
        """Return the base URL that this connection delivers to."""
        return self.segment_host or self.hosts[self.region]

    def room(self, waiting: int) -> int | None:
        """Return how many more events may wait while so many do; None for no limit."""
        return max(0, self.pending_most - waiting) if self.pending_most else None


class TokenUse(StrEnum):
    """Say what a token lets in: events from servers, events from web pages, or what Segment sends back."""

    SERVER = "server"
    BROWSER = "browser"
    READBACK = "readback"


class Role(StrEnum):
    """Say what a person or an API token may do: change things, or look only."""

    OWNER = "owner"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Person:
    """Say who asks: a user or an API token, the role, and the ids of the connections in sight; None for every one."""

    name: str
    role: Role
    connections: frozenset[str] | None = None

    def sees(self, connection: str) -> bool:
        """Tell whether this connection is in sight."""
        return self.connections is None or connection in self.connections

    @property
    def sees_everything(self) -> bool:
        """Tell whether this is nobody's guest: people, channels and new connections are theirs to see."""
        return self.connections is None


class Heard(msgspec.Struct, frozen=True):
    """Hold one well-formed item as a door heard it, vendor words translated, values untouched.

    `occurred_at` is the sender's text (ISO 8601) or None; `raw` the item's bytes as received; `unproven` marks a user id without
    the proof that the connection wants, `bot` a crawler.
    """

    index: int
    raw: bytes
    name: str
    user_id: str | None
    anonymous_id: str | None
    properties: dict[str, Any]
    context: dict[str, Any]
    id: str | None = None
    occurred_at: str | None = None
    unproven: bool = False
    bot: bool = False


class Call(msgspec.Struct, frozen=True):
    """Hold one call as a door heard it that goes to Segment in its own words: identify, track or group.

    `body` holds the words that only its type has (traits; event and properties; groupId and traits), `name` is a track's event,
    else the type; the other fields are as in Heard.
    """

    index: int
    raw: bytes
    type: Literal["identify", "track", "group"]
    name: str
    user_id: str | None
    anonymous_id: str | None
    body: dict[str, Any]
    context: dict[str, Any]
    id: str | None = None
    occurred_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Hold one input a door refused: why, field by field, and its bytes."""

    index: int
    code: Reason
    errors: Mapping[str, list[str]]
    raw: bytes


class Content(NamedTuple):
    """Hold what is known of one of Candu's contents; what is None is not known. At least one of `content_id` and `slug` is."""

    content_id: str | None = None
    slug: str | None = None
    name: str | None = None
    portal_id: int | None = None


# What a door makes of one item.
Input = Heard | Call | Reject


class Event(msgspec.Struct, frozen=True, gc=False):
    """Hold one accepted interaction with its Segment-shaped message, serialised once."""

    message_id: str
    message: bytes
    raw: bytes


class Filtered(NamedTuple):
    """Hold one accepted interaction that goes nowhere for now: kept, counted, replayable."""

    message_id: str
    name: str
    reason: Reason
    raw: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """Hold all that one request brought for one connection, to be committed together."""

    connection_id: str
    door: str
    events: tuple[Event, ...] = ()
    filtered: tuple[Filtered, ...] = ()
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Say what became durable: counts, and the items that were refused."""

    accepted: int = 0
    duplicates: int = 0
    filtered: int = 0
    rejected: tuple[Reject, ...] = ()
