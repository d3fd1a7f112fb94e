"""POST /v1/amplitude/<token>: events and users of Amplitude's Webhook destination, and what else has their shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.amplitude_schemas import LONGS, AmplitudeItem, amplitude_faults, is_user, traits
from candu_source.doors.gate import Gate, token_of
from candu_source.doors.hear import Contract, hear_items
from candu_source.doors.pages import door_page, last_seen
from candu_source.errors import Reason
from candu_source.mapping import bounded_id
from candu_source.model import Call, Connection, Input, Reject

DOOR = "amplitude"
# Templates read all of an item's bytes again, so all of it is held to the rules.
_ITEM = Contract(AmplitudeItem, whole=True, longs=LONGS)


def hear(body: bytes, _: Connection) -> Sequence[Input]:
    """Read one event or user, or a list of them."""
    return hear_items(body, _ITEM, _make)


def _make(item: Any, raw: bytes, index: int) -> Call | Reject:
    if faults := amplitude_faults(item.event_type, item.user_id, item.device_id, item.event_properties, item.user_properties):
        return Reject(index, Reason.INVALID, faults, raw)
    user = is_user(item.event_type)
    return Call(
        index=index,
        raw=raw,
        type="identify" if user else "track",
        name="identify" if user else item.event_type,
        user_id=item.user_id or None,
        anonymous_id=item.device_id or None,
        body={"traits": traits(item.user_properties or {})} if user else _event(item),
        context={},
        id=_own_id(item),
        occurred_at=item.event_time,
    )


def _event(item: Any) -> dict[str, Any]:
    return {"event": item.event_type, "properties": item.event_properties or {}}


def _own_id(item: Any) -> str | None:
    """Return what Amplitude tells two events apart by, bounded; None where nothing does."""
    if item.uuid:
        return bounded_id(item.uuid)
    return bounded_id(f"{item.device_id}:{item.insert_id}") if item.device_id and item.insert_id else None


def blueprint(gate: Gate) -> Blueprint:
    """Return the door; its token stands in the address, or in one of the headers that a Webhook destination may have."""
    door = Blueprint(DOOR, __name__)

    @door.post("/v1/amplitude/<token>")
    def receive(token: str) -> Response:
        return gate.receive(gate.admit(token), DOOR, request_ctx.request, hear)

    @door.post("/v1/amplitude")
    def receive_by_header() -> Response:
        request = request_ctx.request
        return gate.receive(gate.admit(token_of(request)), DOOR, request, hear)

    @door.get("/v1/amplitude/<token>")
    def look(token: str) -> Response:
        return door_page("an address for Amplitude's Webhook destination", last_seen(gate.last_event(gate.admit(token))))

    @door.get("/v1/amplitude")
    def look_by_header() -> Response:
        return door_page("the address for Amplitude's Webhook destination", "The token goes into the Authorization header.")

    return door
