"""POST /api/eventWebhook and GET /api/contentMetadata: Candu's REST API, so that its callers reach Segment by another host and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.answers import answer, rejected_items
from candu_source.doors.gate import Gate, token_of
from candu_source.doors.hear import Contract, hear_items
from candu_source.doors.pages import door_page
from candu_source.doors.rest_schemas import GROUP, IDENTIFY, TRACK, AnyCall, GroupCall, IdentifyCall, TrackCall, rest_faults
from candu_source.errors import Reason
from candu_source.mapping import bounded_id
from candu_source.model import Call, Connection, Input, Receipt, Reject

DOOR = "rest"
_ANY = Contract(AnyCall)
_CALLS: Mapping[str, Contract] = MappingProxyType(
    {IDENTIFY: Contract(IdentifyCall), TRACK: Contract(TrackCall), GROUP: Contract(GroupCall)}
)
# The words that only one type has; Segment spells them alike.
_OWN_WORDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {IDENTIFY: ("traits",), TRACK: ("event", "properties"), GROUP: ("groupId", "traits")}
)
_encode = msgspec.json.Encoder().encode


class Contents(Protocol):
    """Know Candu's contents; needed by this door."""

    def metadata(self, connection: str) -> list[tuple[str, str]]:
        """List (name, slug) of the contents that have a slug."""
        ...


def hear(body: bytes, _: Connection) -> Sequence[Input]:
    """Read one call or a list of them."""
    return hear_items(body, _ANY, _make)


def _make(known: Any, raw: bytes, index: int) -> Call | Reject:
    call = _CALLS[known.type].read(raw, index)
    if isinstance(call, Reject):
        return call
    if faults := rest_faults(call.type, call.userId, call.userID, call.anonymousId, call.timestamp):
        return Reject(index, Reason.INVALID, faults, raw)
    return Call(
        index=index,
        raw=raw,
        type=call.type,
        name=call.event if call.type == TRACK else call.type,
        user_id=call.userId or call.userID or None,
        anonymous_id=call.anonymousId or None,
        body={word: getattr(call, word) or {} for word in _OWN_WORDS[call.type]},  # only properties may be absent
        context=call.context or {},
        id=call.messageId and bounded_id(call.messageId),
        occurred_at=call.timestamp,
    )


def answer_as_candu(receipt: Receipt) -> Response:
    """Answer as Candu does where all is accepted; else with what was refused: 202, as repeating it all would help nobody, or 422."""
    accepted = receipt.accepted + receipt.duplicates + receipt.filtered
    if not accepted:
        return answer(receipt)
    if not receipt.rejected:
        return Response(_encode({"success": True}), 200, content_type="application/json")
    body: dict[str, Any] = {"success": False, "accepted": accepted, "rejected": rejected_items(receipt)}
    return Response(_encode(body), 202, content_type="application/json")


def blueprint(gate: Gate, contents: Contents) -> Blueprint:
    """Return the door."""
    door = Blueprint(DOOR, __name__)

    @door.post("/api/eventWebhook")
    def receive() -> Response:
        request = request_ctx.request
        return answer_as_candu(gate.take(gate.admit(token_of(request)), DOOR, request, hear))

    @door.get("/api/eventWebhook")
    def look() -> Response:
        return door_page("the address for calls of Candu's REST API", "The token goes into the Authorization header.")

    @door.get("/api/contentMetadata")
    def metadata() -> Response:
        connection = gate.admit(token_of(request_ctx.request))
        found = [{"name": name, "slug": slug} for name, slug in contents.metadata(connection.id)]
        return Response(_encode(found), content_type="application/json")

    return door
