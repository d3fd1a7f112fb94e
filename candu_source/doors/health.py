"""GET /healthz, /readyz, /metrics and /v1/openapi.json: for an operator's probes and tools, without any secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from candu_source.causes import Cause
from candu_source.deliveries import Tally
from candu_source.doors.openapi import document
from candu_source.errors import StoreError

Gauge = tuple[str, dict[str, str], float]
Causes = Callable[[], Mapping[str, int]]


class Standing(Protocol):
    """What the probes ask; needed by this door."""

    def tallies(self, connection: str | None = None) -> list[Tally]:
        """Count every lane."""
        ...


def blueprint(
    ledger: Standing, check_room: Callable[[], None], open_causes: Causes, exposition: Callable[[Iterable[Gauge]], bytes]
) -> Blueprint:
    """Return the probes; `open_causes` counts open notices by cause."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def alive() -> Response:
        return Response(b'{"status":"alive"}', mimetype="application/json")

    @door.get("/readyz")
    def ready() -> Response:
        body = readiness(ledger, check_room, open_causes, time.time())
        return Response(msgspec.json.encode(body), 200 if body["status"] == "ready" else 503, mimetype="application/json")

    @door.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(_gauges(ledger.tallies(), open_causes(), time.time())), content_type=CONTENT_TYPE_LATEST)

    @door.get("/v1/openapi.json")
    def openapi() -> Response:
        return Response(msgspec.json.encode(document()), mimetype="application/json")

    return door


def readiness(ledger: Standing, check_room: Callable[[], None], open_causes: Causes, now: float) -> dict[str, Any]:
    """Return whether events can be taken, how old the oldest waiting one is, and what needs a person: held lanes, notices by cause.

    What waits for the next sync of a warehouse waits as it should, and is not counted.
    """
    try:
        check_room()
        tallies, notices = ledger.tallies(), open_causes()
    except StoreError as error:
        return {"status": "not ready", "reason": str(error)}
    waiting = [tally.oldest_pending for tally in tallies if tally.oldest_pending and tally.kind != "warehouse"]
    return {
        "status": "ready",
        "pending": sum(tally.pending for tally in tallies if tally.kind != "warehouse"),
        "oldest_pending_seconds": round(now - min(waiting), 1) if waiting else 0,
        "held": [
            {"connection": tally.connection, "destination": tally.destination, "reason": tally.held} for tally in tallies if tally.held
        ],
        "notices": notices,
    }


def _gauges(tallies: Iterable[Tally], notices: Mapping[str, int], now: float) -> Iterable[Gauge]:
    for tally in tallies:
        lane = {"connection": tally.connection, "destination": tally.destination}
        for state in ("accepted", "delivered", "dead", "filtered", "pending"):
            yield "lane_events", {**lane, "state": state}, getattr(tally, state)
        yield "lane_held", lane, float(tally.held is not None)
        yield "lane_oldest_pending_seconds", lane, now - tally.oldest_pending if tally.oldest_pending else 0.0
    for cause in Cause:
        yield "notices_open", {"cause": cause}, notices.get(cause, 0)
