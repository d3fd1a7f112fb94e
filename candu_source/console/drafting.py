"""Show what a draft of an integration would send, and what is wrong with it, at its line; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from candu_source.console.desk import Desk, Form
from candu_source.console.editing import written
from candu_source.errors import UsageError
from candu_source.integrations.checking import Flaw, check
from candu_source.integrations.choices import Choices
from candu_source.integrations.curl import curl
from candu_source.integrations.freemarker import TemplateError, compile_template
from candu_source.integrations.inputs import kind_of, read_input
from candu_source.integrations.proving import Proof, prove
from candu_source.integrations.reading import read
from candu_source.integrations.rendering import Given, Rendered, compile_payload
from candu_source.integrations.selecting import MissingField, given
from candu_source.integrations.tile import Integration, Kind, Payload

_MADE_UP: Mapping[str, Any] = {
    "event_type": "some event type",
    "event_time": "2022-02-28 20:07:01.795000",
    "user_id": "some user id",
    "event_properties": {"plan": "pro", "seats": 3},
    "user_properties": {"email": "ann@example.com"},
}
_USER = {name: value for name, value in _MADE_UP.items() if not name.startswith("event_")}


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold the request of one kind, or None, and what is wrong with it."""

    request: Rendered | None
    flaws: tuple[Flaw, ...]


def drafted(form: Form, name: str, logo: bytes | None) -> Integration:
    """Return the integration that a form describes; raise UsageError naming the field that is off."""
    return read(written(form), name, logo)


def shown(found: Integration, values: Mapping[str, str], event: Mapping[str, Any] | None, now: float) -> dict[str, Any]:
    """Return what an integration makes of an event, or of made-up ones, and all that is wrong; `now` in seconds since the epoch."""
    checked = check(found)
    requests = {kind: render(found, kind, values, sample(kind, event), now) for kind in found.payloads}
    flaws = [*checked.flaws, *(flaw for each in requests.values() for flaw in each.flaws if flaw not in checked.flaws)]
    return {
        "requests": {kind: _told(each.request) for kind, each in requests.items()},
        "flaws": [flaw._asdict() for flaw in flaws],
        "usages": [each.data() for each in checked.usages],
    }


def caught(found: Integration, now: float) -> str:
    """Return the first thing that is wrong with a draft over made-up events, empty when nothing is."""
    for flaw in check(found).blocking:
        return str(flaw)
    for kind in found.payloads:
        made = render(found, kind, {}, sample(kind, None), now)
        if made.flaws:
            return str(made.flaws[0])
        if made.request and (fault := made.request.json_fault()):
            return f"{kind}: the body is no JSON: {fault}"
    return ""


def proofs(found: Integration) -> list[tuple[Kind, Proof]]:
    """Prove all payloads; raise UsageError for the first flaw that keeps them from being proven."""
    for flaw in check(found).blocking:
        raise UsageError(str(flaw))
    return [(kind, prove(found, kind)) for kind in found.payloads]


def sample(kind: Kind, event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return an event where it is of this kind, else a made-up one."""
    made_up = _MADE_UP if kind == "events" else _USER
    return event if event is not None and kind_of(event) == kind else made_up


def event_of(desk: Desk, form: Form) -> Mapping[str, Any] | None:
    """Return the event that a form pastes (`event`) or names (`message`: connection:messageId); raise UsageError or NotFound."""
    if text := form.text("event"):
        return read_input("amplitude", b"", text.encode("utf-8", "replace"))
    where, _, message = form.text("message").partition(":")
    if not where:
        return None
    logged = desk.store.trace.life(desk.store.connections.named(where).id, message).event
    return read_input(logged.door, logged.message, logged.raw)


def render(found: Integration, kind: Kind, values: Mapping[str, str], event: Mapping[str, Any], now: float) -> Shown:
    """Render the request of one kind with all properties chosen and each mapping filled as the integration offers it."""
    fields = {each.name: each.default or "user_id" for each in found.mappings}
    choices = Choices(users=True, events=True, properties=None, fields=fields)
    parameters = {each.name: values.get(each.name) or each.test_value() for each in found.parameters}
    try:
        filled, _ = given(choices, found, parameters, event)
    except MissingField as error:
        return Shown(None, (Flaw("mappings", 0, 0, f"{error}."),))
    return _rendered(kind, found.payloads[kind], filled, int(now * 1000))


def _rendered(kind: Kind, payload: Payload, filled: Given, now: int) -> Shown:
    if flaws := tuple(_faults(kind, payload, filled, now)):
        return Shown(None, flaws)
    try:
        return Shown(compile_payload(payload).render(filled, now=now), ())
    except TemplateError as error:
        return Shown(None, (Flaw(f"{kind}.url", 0, 0, error.message),))


def _faults(kind: Kind, payload: Payload, filled: Given, now: int) -> Iterator[Flaw]:
    """Yield what each template fails with, at its own line."""
    for part, text in payload.templates.items():
        try:
            compile_template(text).render(filled.data(), now=now)
        except TemplateError as error:
            yield Flaw(f"{kind}.{part}", error.line, error.column, error.message)


def _told(made: Rendered | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {**made.data(), "json_fault": made.json_fault(), "curl": curl(made)}
