"""POST /v1/readback/<token>: what Segment's Webhooks destination sends back proves that Segment stored it.

Segment posts the call as JSON, or a list of calls when batching is on, waits 5 s for an answer and posts again for up to 4 hours
after a 5xx ("Webhooks", "Webhooks (Actions)"). The token in the address is the proof of who posts; X-Signature is not looked at, as
it covers only the first call of a list.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import msgspec
from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.gate import Gate
from candu_source.doors.items import split
from candu_source.doors.pages import door_page
from candu_source.errors import Reason, Refused
from candu_source.model import Reject, TokenUse
from candu_source.ports import Observer

DOOR = "readback"


class _Call(msgspec.Struct):
    message_id: str = msgspec.field(name="messageId")


_decode = msgspec.json.Decoder(_Call).decode
_encode = msgspec.json.Encoder().encode


class Counts(Protocol):
    """What became of the message ids of one request; needed by this door."""

    @property
    def new(self) -> int:
        """Return how many events were confirmed now."""
        ...

    @property
    def known(self) -> int:
        """Return how many were confirmed already."""
        ...

    @property
    def unmatched(self) -> int:
        """Return how many ids are of no event of this connection."""
        ...


class Confirmer(Protocol):
    """Write down what was sent back; needed by this door."""

    def confirm(self, connection: str, message_ids: Sequence[str], at: float) -> Counts:
        """Return what became of the ids once that is durable; raise StoreBusy."""
        ...


def message_ids(body: bytes) -> tuple[list[str], int]:
    """Return the message ids of a call or a list of calls, and the number of items without one; raise Refused 400 or 413."""
    items = split(body)
    if isinstance(items, Reject):
        raise Refused(400, items.code, items.errors["body"][0])
    found = [_message_id(item) for item in items]
    if None in found and not body.lstrip().startswith(b"["):
        raise Refused(400, Reason.BROKEN_JSON, "The body is not JSON.")
    ids = [each for each in found if each]
    return ids, len(items) - len(ids)


def _message_id(item: bytes) -> str | None:
    """Return an item's message id, empty when it has none; None for what is not JSON. In a list that must not spoil its neighbours."""
    try:
        return _decode(item).message_id
    except msgspec.ValidationError:
        return ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def blueprint(gate: Gate, confirmer: Confirmer, observer: Observer) -> Blueprint:
    """Return the door."""
    door = Blueprint(DOOR, __name__)

    @door.post("/v1/readback/<token>")
    def receive(token: str) -> Response:
        connection = gate.admit(token, TokenUse.READBACK)
        ids, nameless = message_ids(gate.read(request_ctx.request))
        counts = confirmer.confirm(connection.id, ids, time.time())
        answer = {"confirmed": counts.new, "known": counts.known, "unmatched": counts.unmatched + nameless}
        for result, amount in answer.items():
            observer.count("readbacks", amount, result=result)
        return Response(_encode(answer), content_type="application/json")

    @door.get("/v1/readback/<token>")
    def look(token: str) -> Response:
        gate.admit(token, TokenUse.READBACK)
        return door_page("the address to which Segment sends back what it has stored", "Enter it in Segment's Webhooks destination.")

    return door
