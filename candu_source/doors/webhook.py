"""POST /v1/webhook/<token>: Candu's outgoing webhook, Default format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.gate import Gate, require_source
from candu_source.doors.hear import Contract
from candu_source.doors.items import split
from candu_source.doors.pages import door_page, last_seen
from candu_source.doors.schemas import CanduProperties, CanduWebhook
from candu_source.errors import Reason
from candu_source.mapping import classify
from candu_source.model import Connection, Heard, Kind, Reject, Rules

DOOR = "webhook"
_ITEM = Contract(CanduWebhook)
_PROPERTIES = Contract(CanduProperties)
# Words by which a body of Slack's incoming webhooks is known.
_SLACK_WORDS = frozenset({"text", "blocks", "attachments"})
SLACK_ADVICE = (
    "This is the Slack format of Candu's webhook. In Candu, edit this outgoing webhook and change its Format setting from Slack to Default."
)
# Candu's words for when it happened, the best first.
_TIMES = ("receivedAt", "sentAt")


def hear(body: bytes, connection: Connection) -> Sequence[Heard | Reject]:
    """Read one `{"payload": {...}}` or a list of them."""
    items = split(body)
    if isinstance(items, Reject):
        return [items]
    return [_hear_one(raw, index, connection.rules) for index, raw in enumerate(items)]


def _hear_one(raw: bytes, index: int, rules: Rules) -> Heard | Reject:
    item = _ITEM.read(raw, index, lambda value: _slack(value, raw, index))
    if isinstance(item, Reject):
        return item
    payload = item.payload
    name = payload.eventName or payload.screenName
    errors = _payload_faults(payload, name)
    properties = payload.properties or {}
    if name and classify(name, rules) in (Kind.VIEW, Kind.INTERACTION):
        properties, property_errors = tutorial_properties(properties, "payload.properties")
        errors = {**errors, **property_errors}
    if errors:
        return Reject(index, Reason.INVALID, errors, raw)
    return Heard(
        index=index,
        raw=raw,
        name=name,
        properties=properties,
        context=payload.context or {},
        occurred_at=next((text for word in _TIMES if (text := getattr(payload, word)) is not None), None),
        user_id=payload.userId or None,
        anonymous_id=payload.anonymousId or None,
        id=payload.id or None,
    )


def _payload_faults(payload: Any, name: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not name:
        errors["payload.eventName"] = ["Missing: a webhook of Candu names its event here, or in screenName."]
    if not payload.userId and not payload.anonymousId:
        errors["payload.userId"] = ["Send userId, anonymousId or both: Segment drops a call without either."]
    return errors


def tutorial_properties(properties: dict[str, Any], path: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return Candu's properties of a view or interaction, coerced where that is allowed, and what is wrong with them by field."""
    if "documentId" not in properties and "tutorialId" not in properties:
        return properties, {f"{path}.documentId": ["Missing: it becomes tutorialId."]}
    try:
        msgspec.convert(properties, _PROPERTIES.type)
    except msgspec.ValidationError:
        return _PROPERTIES.check(properties, path)
    return properties, {}


def _slack(value: Any, raw: bytes, index: int) -> Reject | None:
    if isinstance(value, dict) and "payload" not in value and _SLACK_WORDS & value.keys():
        return Reject(index, Reason.SLACK_FORMAT, {"payload": [SLACK_ADVICE]}, raw)
    return None


def blueprint(gate: Gate) -> Blueprint:
    """Return the door."""
    door = Blueprint(DOOR, __name__)

    @door.post("/v1/webhook/<token>")
    def receive(token: str) -> Response:
        request = request_ctx.request
        connection = gate.admit(token)
        require_source(connection, request.remote_addr)
        return gate.receive(connection, DOOR, request, hear)

    @door.get("/v1/webhook/<token>")
    def look(token: str) -> Response:
        return door_page("a Candu webhook address", last_seen(gate.last_event(gate.admit(token))))

    return door
