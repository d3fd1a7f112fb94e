"""Hold what a page may use for one request: the store, who asks, and the connection that the address names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from werkzeug.datastructures import MultiDict

from candu_source.channels import Answer, ChannelKind, Letter
from candu_source.connecting import Workspace
from candu_source.destinations.streams import StreamDestination
from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.questions import Inquiry
from candu_source.errors import NotFound, UsageError
from candu_source.model import Connection, Person, Region, Secret
from candu_source.ports import Observer
from candu_source.settings import Settings
from candu_source.store import Store

# More are no number of ours, and Python refuses to read very long ones.
_DIGITS = 18
_YES = frozenset({"on", "true", "1", "yes"})
_Word = TypeVar("_Word", bound=StrEnum)


class Form:
    """Read what a form, a query or a JSON object brought, field by field."""

    def __init__(self, given: Mapping[str, Any] | MultiDict[str, str]) -> None:
        self._given: MultiDict[str, str] = given if isinstance(given, MultiDict) else MultiDict(_texts(given))

    def text(self, name: str, default: str = "") -> str:
        """Return a field's text, without blanks around it."""
        return self._given.get(name, default).strip()

    def required(self, name: str) -> str:
        """Return a field's text; raise UsageError when there is none."""
        text = self.text(name)
        if not text:
            raise UsageError(f"{name}: fill this in")
        return text

    def many(self, name: str) -> list[str]:
        """Return all values of a field that may be given several times."""
        return self._given.getlist(name)

    def flag(self, name: str) -> bool:
        """Tell whether a box is ticked."""
        return self.text(name).lower() in _YES

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**62) -> int:
        """Return a field's whole number; raise UsageError when it is none or out of bounds."""
        text = self.text(name)
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or not least <= int(text[:_DIGITS]) <= most:
            raise UsageError(f"{name}: a whole number from {least} to {most}")
        return int(text)

    def one_of(self, name: str, words: type[_Word], default: _Word | None = None) -> _Word:
        """Return the one of some words that a field holds, in any case; raise UsageError, which lists them, when it is none."""
        text = self.text(name, default or "").lower()
        for word in words:
            if word.lower() == text:
                return word
        raise UsageError(f"{name}: one of {', '.join(words)}")

    def given(self, name: str) -> bool:
        """Tell whether a field was given at all."""
        return name in self._given


def identifier(text: str) -> int:
    """Read the number that names something; raise NotFound when it is none."""
    if not (text.isascii() and text.isdigit()):
        raise NotFound(f"there is no {text!r} here")
    return int(text[:_DIGITS])


def _texts(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _text(each)) for name, value in given.items() for each in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Courier(Protocol):
    """What sends to channels; needed by their page."""

    def send(self, kind: ChannelKind, address: Secret, letter: Letter) -> Answer:
        """Send one letter now and say what came back."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """Hold what pages reach the world with: channels, a Segment workspace, warehouses, what syncs lead to, and for trials a twin.

    `trial` lets the twin send back what it stores for a connection's write key to its readback address; None where there is no twin.
    """

    observer: Observer
    courier: Courier
    workspace: Callable[[Region, Secret], Workspace]
    trial: Callable[[Connection, Secret, str], None] | None
    warehouse: Callable[[Secret], Warehouse]
    inquiry: Inquiry
    streams: StreamDestination


@dataclass(frozen=True, slots=True)
class Desk:
    """Hold one request's surroundings; `query` is what stands after the question mark, `now` seconds since the epoch."""

    store: Store
    settings: Settings
    tools: Tools
    person: Person
    now: float
    query: Form = field(default_factory=lambda: Form({}))
    found: Connection | None = None
    part: Mapping[str, str] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        """Return the connection that the address names; it is in the person's sight."""
        assert self.found is not None
        return self.found

    @property
    def by(self) -> str:
        """Return who asks, for the audit."""
        return self.person.name

    def visible(self) -> list[Connection]:
        """List the connections in the person's sight, by name."""
        return [each for each in self.store.connections.all() if self.person.sees(each.id)]
