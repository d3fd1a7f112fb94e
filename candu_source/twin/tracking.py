"""Take calls as Segment's Tracking API takes them: POST /v1/batch, /v1/track and the others."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, request

from candu_source.twin.faults import ActiveFault, Fault, Faults
from candu_source.twin.memory import Memory
from candu_source.twin.rules import BATCHES, KINDS, MAX_BATCH_EVENTS, Drop, Reading, Refusal, read_calls, source_id, unpack
from candu_source.twin.sources import Sources
from candu_source.twin.wire import DROP, HANG_UP, RESET, is_gone

_NOTHING_READ = Reading([])
_SUCCESS = b'{"success":true}'


def tracking_routes(memory: Memory, faults: Faults, sources: Sources) -> Blueprint:
    """Build the tracking endpoints. Answers: 200 `{"success": true}`, or `{"code", "message"}` in Segment's form."""
    routes = Blueprint("tracking", __name__)

    @routes.post(f"/v1/<any({', '.join((*KINDS, *BATCHES))}):kind>")
    def receive(kind: str) -> Response:
        received_at = datetime.now(UTC)
        reading, refusal = _read(kind)
        write_key = _basic_user() or reading.write_key
        source = source_id(write_key) if write_key else None
        active = faults.take(source, reading.calls)
        fault = active.fault if active else Fault()
        if fault.refuse_event is not None:
            refusal = Refusal("invalid", f"the call {fault.refuse_event!r} is refused")
        answered = "none" if fault.reset_after_body else "200" if refusal is None else "400"
        if active and (fault.black_hole or fault.status is not None):
            response = _break(active, memory)
        elif refusal:
            memory.count_answer(answered)
            response = segment_error(HTTPStatus.BAD_REQUEST, refusal.code, refusal.message)
        else:
            dropped = sources.judge(source) or (Drop.TOO_MANY_EVENTS if len(reading.calls) > MAX_BATCH_EVENTS else None)
            memory.add(reading, source, dropped, received_at, answered, fault.loses)
            response = Response(_SUCCESS, mimetype="application/json")
        if fault.reset_after_body:
            request.environ[DROP] = RESET
        if active:
            active.delay()
        return response

    return routes


def _read(kind: str) -> tuple[Reading, Refusal | None]:
    try:
        return read_calls(unpack(request.get_data(cache=False), request.headers.get("Content-Encoding", "")), kind), None
    except Refusal as refusal:
        return _NOTHING_READ, refusal


def _basic_user() -> str | None:
    """Return the user name of HTTP Basic, with or without a colon behind it; None when there is none."""
    given = request.authorization
    return given.username if given is not None and given.type == "basic" else None


def _break(active: ActiveFault, memory: Memory) -> Response:
    """Answer as the fault says, storing nothing; in a black hole, come back only when the connection is to be closed."""
    fault = active.fault
    if fault.status is None:
        memory.count_answer("none")
        connection = request.environ["werkzeug.socket"]
        active.hold(lambda: is_gone(connection))
        request.environ[DROP] = HANG_UP
        return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)  # not sent
    memory.count_answer(str(fault.status))
    response = segment_error(fault.status, "fault", f"a fault is set: every request is answered {fault.status}")
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def segment_error(status: int, code: str, message: str) -> Response:
    """Build an error in Segment's form: JSON `{"code", "message"}`."""
    return Response(msgspec.json.encode({"code": code, "message": message}), status, mimetype="application/json")
