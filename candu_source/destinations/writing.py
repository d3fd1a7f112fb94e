"""Write the requests that a sync sends: by the templates of its integration, or, to Candu's REST API, by code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from candu_source.deliveries import Outcome, Stored, StreamTarget
from candu_source.destinations import candu
from candu_source.destinations.candu import CanduCall
from candu_source.destinations.candu_api import Dialect
from candu_source.errors import Reason, UsageError
from candu_source.integrations.choices import Choices
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.inputs import kind_of, read_input
from candu_source.integrations.rendering import Compiled, Rendered
from candu_source.integrations.selecting import MissingField, given, wants
from candu_source.integrations.tile import Integration, Kind

# Nothing is published of how much Candu takes at once; so much Segment does, whose callers these are.
ARRAY_BYTES = 450_000
# What comes by these doors is Candu's own: sent to Candu it would come round again.
_CANDUS_OWN = frozenset({"webhook", "interactions", "browser"})
_Written = TypeVar("_Written")
_read = msgspec.json.Decoder(dict[str, Any]).decode


class Step(NamedTuple):
    """Say what is to be done for so many events, in their order: a request, or nothing, and why.

    `left_out` counts the values that are not sent as they stand in the events, and `told` says which.
    """

    events: int
    post: Rendered | Outcome
    left_out: int = 0
    told: str = ""


class Writer(Protocol):
    """Write the requests of one sync."""

    def steps(self, events: Sequence[Stored]) -> Iterator[Step]:
        """Yield what is to be done for some events; nothing is raised for what stands in them."""
        ...


@dataclass(frozen=True, slots=True)
class TemplateWriter:
    """Write a request for each event or user by an integration's templates; one that leads to Candu passes over what is Candu's own."""

    integration: Integration
    payloads: Mapping[Kind, Compiled]
    choices: Choices
    parameters: Mapping[str, str]
    to_candu: bool = False

    def steps(self, events: Sequence[Stored]) -> Iterator[Step]:
        """Yield one step for each event."""
        for event in events:
            written = _written(self._step, event)
            yield Step(1, written) if isinstance(written, Outcome) else written

    def _step(self, event: Stored) -> Step | Outcome:
        if self.to_candu and event.door in _CANDUS_OWN:
            return Outcome(Reason.ECHO)
        item = read_input(event.door, event.message, event.raw)
        kind = kind_of(item)
        if kind is None:
            return Outcome(Reason.UNSUPPORTED_CALL, detail="neither an event nor a user")
        if kind not in self.payloads or not wants(self.choices, kind, item):
            return Outcome(Reason.NOT_SELECTED)
        return self._rendered(self.payloads[kind], item)

    def _rendered(self, payload: Compiled, item: Mapping[str, Any]) -> Step | Outcome:
        values, left_out = given(self.choices, self.integration, self.parameters, item)
        rendered = payload.render(values, now=int(time.time() * 1000))
        size = len(rendered.body.encode())
        if size > self.integration.body_bytes:
            return discarded(f"the body has {size:,} bytes; the integration takes {self.integration.body_bytes:,}")
        return Step(1, rendered, left_out, f"{left_out} properties are lists or objects" if left_out else "")


@dataclass(frozen=True, slots=True)
class CanduWriter:
    """Write calls of Candu's REST API, one a request; arrays where the sync says so, save for what was refused before."""

    choices: Choices
    empty: Rendered
    arrays: bool

    def steps(self, events: Sequence[Stored]) -> Iterator[Step]:
        """Yield what is to be done for events; those next to each other go together in an array."""
        if not self.arrays:
            yield from self._singly(events)
            return
        for parked, some in groupby(events, key=lambda event: event.tries > 0):
            write = self._singly if parked else self._together
            yield from write(list(some))

    def _singly(self, events: Sequence[Stored]) -> Iterator[Step]:
        for event in events:
            yield from self._steps([_written(self._call, event)], arrays=False)

    def _together(self, events: Sequence[Stored]) -> Iterator[Step]:
        written = (_written(self._call, event) for event in events)
        for called, some in groupby(written, key=lambda each: isinstance(each, CanduCall)):
            yield from self._steps(list(some), arrays=called)

    def _steps(self, found: Sequence[CanduCall | Outcome], *, arrays: bool) -> Iterator[Step]:
        yield from (Step(1, each) for each in found if isinstance(each, Outcome))
        calls = [each for each in found if isinstance(each, CanduCall)]
        sent = iter(calls)
        for events, body in candu.bodies(calls, arrays=arrays, most_bytes=ARRAY_BYTES):
            notices = [notice for call in islice(sent, events) for notice in call.notices]
            told = ", ".join(dict.fromkeys(f"{notice.name} {notice.rule}" for notice in notices))
            yield Step(events, replace(self.empty, body=body), len(notices), told)

    def _call(self, event: Stored) -> CanduCall | Outcome:
        if event.door in _CANDUS_OWN:
            return Outcome(Reason.ECHO)
        message, item = _read(event.message), read_input(event.door, event.message, event.raw)
        # A group says more of users: it goes with them.
        kind = kind_of(item) or "users"
        call = candu.call(message)
        wanted = isinstance(call, Outcome) and call.code is Reason.UNSUPPORTED_CALL
        return call if wanted or wants(self.choices, kind, item) else Outcome(Reason.NOT_SELECTED)


def candu_writer(target: StreamTarget) -> CanduWriter:
    """Return what writes for a sync to Candu's REST API; raise UsageError for parameters that are off."""
    parameters = {name: text.strip() for name, text in target.stream.parameters.items()}
    empty = candu.request("", base=parameters["endpoint"], key=target.secrets["apiKey"], dialect=Dialect(parameters["dialect"]))
    return CanduWriter(Choices.read(target.stream.choices), empty, arrays=parameters["arrays"] == "yes")


def _written(write: Callable[[Stored], _Written], event: Stored) -> _Written | Outcome:
    """Write what an event becomes; whatever stands in it keeps no other from being sent."""
    try:
        return write(event)
    except (UsageError, MissingField, TemplateError) as error:
        return discarded(str(error))
    except Exception as error:  # noqa: BLE001 - it may be anything, and the lane would come back to it for ever
        return discarded(f"no request can be made of it: {type(error).__name__}")


def discarded(sentence: str) -> Outcome:
    """Say that an event cannot be sent, whatever comes; nobody needs to try."""
    return Outcome(Reason.DISCARDED, detail=sentence)
