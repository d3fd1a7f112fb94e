"""Hold an integration, the tile of a catalog, as frozen values: what Amplitude's developer portal asks for, and nothing here acts.

Amplitude, "Create an Event Streaming Integration", is where the words come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

# No partner documents less than Customer.io's 100 000 bytes of event data; a body may be as large unless the file says otherwise.
BODY_BYTES = 100_000
Kind = Literal["events", "users"]
KINDS: frozenset[Kind] = frozenset({"events", "users"})


class State(StrEnum):
    """Say how far an integration has come; only a released one stands in the catalog."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RELEASED = "released"


class Parameter(NamedTuple):
    """Describe a value that whoever sets up a sync gives: its id in templates, its label, whether it is a secret, what is offered first.

    `options` are all that it may be; empty for anything, as in every file.
    """

    name: str
    display_name: str
    secret: bool = False
    default: str = ""
    options: tuple[str, ...] = ()

    def test_value(self) -> str:
        """Return what fills it in a preview until somebody gives a value: Amplitude's guide offers the address ("Preview and test")."""
        return self.default or "https://localhost:3000"


class MappedField(NamedTuple):
    """Describe a field of the destination that a user property fills; `default` is the property offered first, empty for none."""

    name: str
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """Describe a request; `url`, the values of `headers` and `body` are FreeMarker templates."""

    method: Literal["PUT", "POST", "PATCH"]
    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def templates(self) -> Mapping[str, str]:
        """Return each template by where it stands in a file: url, headers.<name>, body."""
        return {"url": self.url, **{f"headers.{name}": value for name, value in self.headers.items()}, "body": self.body}


@dataclass(frozen=True, slots=True)
class Info:
    """Hold what the catalog shows; `logo` is a PNG, or None."""

    display_name: str
    category: str
    summary: str
    description: str
    logo: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Integration:
    """Describe a destination that anybody can define; a kind of payload that is None is not offered.

    With `property_selection` a sync chooses which properties to send. `requests_per_minute` 0 is as fast as it goes; `body_bytes`
    is what one request may hold. One that is `by_code` has no templates: its requests are written by a program, of events and users.
    """

    info: Info
    parameters: tuple[Parameter, ...] = ()
    mappings: tuple[MappedField, ...] = ()
    events: Payload | None = None
    users: Payload | None = None
    property_selection: bool = True
    requests_per_minute: int = 0
    body_bytes: int = BODY_BYTES
    state: State = State.DRAFT
    by_code: bool = False

    @property
    def takes(self) -> frozenset[Kind]:
        """Return the kinds of payloads that can be sent."""
        return KINDS if self.by_code else frozenset(self.payloads)

    @property
    def payloads(self) -> Mapping[Kind, Payload]:
        """Return the payloads there are, by the file's word for each."""
        both: Mapping[Kind, Payload | None] = {"events": self.events, "users": self.users}
        return {kind: payload for kind, payload in both.items() if payload}
