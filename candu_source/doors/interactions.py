"""POST /v1/interactions: the direct JSON contract of Segment's Candu source page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.gate import Gate, token_of
from candu_source.doors.hear import Contract, hear_items
from candu_source.doors.pages import door_page
from candu_source.doors.schemas import InteractionCall, call_faults, flatten
from candu_source.errors import Reason
from candu_source.model import Connection, Heard, Input, Reject

DOOR = "interactions"
_CALL = Contract(InteractionCall)


def hear(body: bytes, _: Connection) -> Sequence[Input]:
    """Read one call, a list of them, or `{"batch": [...]}`."""
    return hear_items(body, _CALL, _make, batch=True)


def _make(call: Any, raw: bytes, index: int) -> Heard | Reject:
    properties = call.properties
    if faults := call_faults(call.type, call.userId, call.anonymousId, properties.eventName):
        return Reject(index, Reason.INVALID, flatten(faults), raw)
    return Heard(
        index=index,
        raw=raw,
        name=call.type,
        user_id=call.userId or None,
        anonymous_id=call.anonymousId or None,
        properties=_present(properties),
        context=call.context or {},
        id=call.messageId,
        occurred_at=call.timestamp,
    )


def _present(properties: Any) -> dict[str, Any]:
    values = msgspec.structs.astuple(properties)
    return {name: value for name, value in zip(properties.__struct_fields__, values, strict=True) if value is not None}


def blueprint(gate: Gate) -> Blueprint:
    """Return the door."""
    door = Blueprint(DOOR, __name__)

    @door.post("/v1/interactions")
    def receive() -> Response:
        request = request_ctx.request
        return gate.receive(gate.admit(token_of(request)), DOOR, request, hear)

    @door.get("/v1/interactions")
    def look() -> Response:
        return door_page("the address for your server's own calls", "The token goes into the Authorization header.")

    return door
