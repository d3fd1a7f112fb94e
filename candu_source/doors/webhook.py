"""POST /v1/webhook/<token>: Candu's outgoing webhook, Default format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.candu import event_properties
from candu_source.doors.gate import Gate, require_source
from candu_source.doors.hear import Contract, hear_items
from candu_source.doors.pages import door_page, last_seen
from candu_source.doors.schemas import NOBODY, CanduWebhook
from candu_source.errors import Reason
from candu_source.model import Connection, Heard, Input, Reject, Rules

DOOR = "webhook"
# Words by which a body of Slack's incoming webhooks is known.
_SLACK_WORDS = frozenset({"text", "blocks", "attachments"})
SLACK_ADVICE = (
    "This is the Slack format of Candu's webhook. In Candu, edit this outgoing webhook and change its Format setting from Slack to Default."
)
# Candu's words for when it happened, the best first.
_TIMES = ("receivedAt", "sentAt")


def _slack(value: Any, raw: bytes, index: int) -> Reject | None:
    if isinstance(value, dict) and "payload" not in value and _SLACK_WORDS & value.keys():
        return Reject(index, Reason.SLACK_FORMAT, {"payload": [SLACK_ADVICE]}, raw)
    return None


_ITEM = Contract(CanduWebhook, explain=_slack)


def hear(body: bytes, connection: Connection) -> Sequence[Input]:
    """Read one `{"payload": {...}}` or a list of them."""
    return hear_items(body, _ITEM, lambda item, raw, index: _make(item, raw, index, connection.rules))


def _make(item: Any, raw: bytes, index: int, rules: Rules) -> Heard | Reject:
    payload = item.payload
    name = payload.eventName or payload.screenName
    properties, errors = event_properties(name, payload.properties, "payload.properties", rules)
    if errors := {**_payload_faults(payload, name), **errors}:
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
        errors["payload.userId"] = [NOBODY]
    return errors


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
