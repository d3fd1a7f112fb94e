"""Try a sync: the request that one event makes, as a page and as cURL; and send it, for once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from candu_source.console.choosing import drafted
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.deliveries import Outcome, Stored, StreamTarget
from candu_source.destinations.masking import MASK
from candu_source.doors import DOORS
from candu_source.errors import CanduSourceError, Reason, UsageError
from candu_source.integrations.checking import check
from candu_source.integrations.choices import Choices
from candu_source.integrations.curl import curl
from candu_source.integrations.enabling import blocks
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.rendering import Rendered
from candu_source.integrations.tile import Integration
from candu_source.model import Secret
from candu_source.streaming import pasted
from candu_source.streams import Stream


def preview(desk: Desk) -> dict[str, Any]:
    """Show the request that an event of the log (`message`; the latest if none is named) makes by the choices that are saved."""
    stream = desk.store.streams.named(desk.connection, desk.part["id"])
    return tried(desk, stream, _event(desk, desk.query))


def attempt(desk: Desk, form: Form) -> Done:
    """Show the request that an event makes by the choices in the form, which are not saved; `event` is one that is pasted."""
    stream, _ = _draft(desk, form)
    return Done("Nothing is sent.", _place(desk), tried(desk, stream, _event(desk, form)))


def send(desk: Desk, form: Form) -> Done:
    """Really send an event by the choices in the form, and show the answer: no second try, and counted nowhere."""
    stream, typed = _draft(desk, form)
    event = _event(desk, form)
    if event is None:
        raise UsageError("event: there is none yet; paste one")
    shown = tried(desk, stream, event)
    if refused := shown["outcome"]:
        raise UsageError(f"this event makes no request ({refused['code'].replace('_', ' ')}): {refused['detail'] or 'it is not chosen'}")
    target = StreamTarget(stream, {**desk.store.streams.secrets(desk.connection, stream.name), **typed})
    answer = _answered(desk, target, event)
    return Done("Sent once.", _place(desk), shown | {"answer": answer})


def tried(desk: Desk, stream: Stream, event: Stored | None) -> dict[str, Any]:
    """Return what one event makes of a sync, its secrets masked; `outcome` in place of `made` where that is no request."""
    integration = desk.store.integrations.released(stream.integration)
    made = _made(desk, stream, integration, event) if event else None
    request = made if isinstance(made, Rendered) else None
    return {
        "event": event and {"message": _json(event.message), "raw": _json(event.raw), "door": event.door},
        "made": request and request.data(),
        "curl": request and curl(request),
        "json_fault": request and request.json_fault(),
        "outcome": {"code": made.code, "detail": made.detail} if isinstance(made, Outcome) else None,
        "blocks": blocking(integration, stream),
        "places": places(integration),
        "usages": [each.data() for each in check(integration).usages],
        "answer": None,
    }


def blocking(integration: Integration, stream: Stream) -> list[dict[str, Any]]:
    """Return what keeps a sync from being enabled, by the field in which it is put right."""
    parameters = {**stream.parameters, **dict.fromkeys(stream.secrets, MASK)}
    return [each._asdict() for each in blocks(integration, Choices.read(stream.choices), parameters)]


def places(integration: Integration) -> list[str]:
    """Return the fields at which what blocks a sync is told."""
    parameters = [f"parameters.{each.name}" for each in integration.parameters]
    return [*parameters, "users", "events", "event_types", *(f"fields.{each.name}" for each in integration.mappings)]


def _made(desk: Desk, stream: Stream, integration: Integration, event: Stored) -> Rendered | Outcome:
    """Return the request that an event makes, or why it makes none."""
    masked = {each.name: Secret(MASK) for each in integration.parameters if each.secret}
    try:
        return next(iter(desk.tools.streams.writer(StreamTarget(stream, masked)).steps([event]))).post
    except (CanduSourceError, TemplateError, KeyError, ValueError) as error:
        return Outcome(Reason.SYNC_INCOMPLETE, detail=str(error))


def _answered(desk: Desk, target: StreamTarget, event: Stored) -> dict[str, Any]:
    """Send, and return what came back; what goes wrong before is told without its text, in which a secret may stand."""
    try:
        _, posted = desk.tools.streams.once(target, event)
    except (CanduSourceError, TemplateError, KeyError, ValueError):
        posted = None
    if posted is None:
        raise UsageError("with the secrets that are filled in no request can be written; fill in all parameters, without line ends")
    outcome = posted.outcome
    return {"status": outcome.status, "code": outcome.code, "detail": outcome.detail, "body": posted.answer, "seconds": posted.seconds}


def _draft(desk: Desk, form: Form) -> tuple[Stream, dict[str, Secret]]:
    stream = desk.store.streams.named(desk.connection, desk.part["id"])
    return drafted(form, stream, desk.store.integrations.released(stream.integration))


def _event(desk: Desk, form: Form) -> Stored | None:
    """Return the event that a form pastes, or names, or else the latest of the log; raise UsageError or NotFound."""
    if text := form.text("event"):
        return pasted(text.encode("utf-8", "replace"), desk.connection, DOORS, datetime.fromtimestamp(desk.now, UTC))
    if named := form.text("message"):
        return desk.store.trace.life(desk.connection.id, named).event.stored()
    latest = next(iter(desk.store.trace.tail(desk.connection.id, most=1)), None)
    return latest and latest.stored()


def _json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return raw.decode("utf-8", "replace")


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/syncs/{desk.part['id']}"


PAGES = (Page("connections/{connection}/syncs/{id}/preview", "sync_tried.html", preview),)
ACTIONS = (
    Action("connections/{connection}/syncs/{id}/try", attempt, shows="sync_tried.html"),
    Action("connections/{connection}/syncs/{id}/send", send, shows="sync_tried.html"),
)
