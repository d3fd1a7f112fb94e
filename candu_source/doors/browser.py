"""POST /v1/browser/<public token>: Candu's events as a page hears them, sent by our collector script."""

from __future__ import annotations

import gzip
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from crawleruseragents import is_crawler
from flask import Blueprint, Response
from flask.globals import request_ctx

from candu_source.doors.candu import event_properties
from candu_source.doors.gate import Gate
from candu_source.doors.hear import Contract, hear_items
from candu_source.doors.pages import door_page, last_seen
from candu_source.doors.quota import Quota
from candu_source.doors.schemas import NOBODY, BrowserEvent
from candu_source.errors import Reason, Refused
from candu_source.model import Connection, Heard, Input, Reject, TokenUse

DOOR = "browser"
SCREEN, TRACK = "candu.sdk.screen", "candu.sdk.track"
_ITEM = Contract(BrowserEvent)
# Candu's two events on `window`, and the word of their detail that names what happened.
_NAMES: Mapping[str, str] = MappingProxyType({SCREEN: "screenName", TRACK: "eventName"})
_AGENT_CHARACTERS = 512  # a longer one names no crawler that a shorter would not
_WHY_UNPROVEN = "Not the HMAC-SHA256 of userId with this connection's identity secret, in hex; make it on your server."
_SCRIPT = "static/collector.js"
# A new collector reaches every page within an hour.
_SCRIPT_SECONDS = 3_600
_PREFLIGHT_SECONDS = 86_400


def hear(body: bytes, connection: Connection) -> Sequence[Input]:
    """Read one event, a list of them, or `{"batch": [...]}`."""
    return hear_items(body, _ITEM, lambda item, raw, index: _make(item, raw, index, connection), batch=True)


def _make(item: Any, raw: bytes, index: int, connection: Connection) -> Heard | Reject:
    name = getattr(item.detail, _NAMES[item.type])
    properties, errors = event_properties(name, item.detail.properties, "detail.properties", connection.rules)
    if errors := {**_faults(item, name), **errors}:
        return Reject(index, Reason.INVALID, errors, raw)
    proven = is_proven(item.userId, item.userHmac, connection)
    if not proven and connection.rules.identity == "require":
        return Reject(index, Reason.IDENTITY_UNPROVEN, {"userHmac": [_WHY_UNPROVEN]}, raw)
    context = item.context or {}
    return Heard(
        index=index,
        raw=raw,
        name=name,
        user_id=item.userId or None,
        anonymous_id=item.anonymousId or None,
        properties=properties,
        context=context,
        id=item.messageId,
        occurred_at=item.timestamp,
        unproven=not proven,
        bot=_is_bot(context.get("userAgent")),
    )


def _faults(item: Any, name: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not name:
        errors[f"detail.{_NAMES[item.type]}"] = ["Missing: Candu names its event here."]
    if not item.userId and not item.anonymousId:
        errors["userId"] = [NOBODY]
    return errors


def is_proven(user_id: str | None, given: str | None, connection: Connection) -> bool:
    """Tell whether a user id needs no proof, or has it: HMAC-SHA256 of the id with the connection's secret, in hex (Candu's own way)."""
    if connection.rules.identity == "off" or not user_id:
        return True
    if connection.identity_secret is None or not given:
        return False
    expected = hmac.new(connection.identity_secret.reveal().encode(), user_id.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.lower().encode())


def _is_bot(agent: Any) -> bool:
    return isinstance(agent, str) and _names_crawler(agent[:_AGENT_CHARACTERS])


@lru_cache(maxsize=4_096)
def _names_crawler(agent: str) -> bool:
    return bool(is_crawler(agent))


def allows(origin: str | None, allowed: Sequence[str]) -> bool:
    """Tell whether a page of this origin may send: `*`, the very origin, or `https://*.example.com` for its subdomains."""
    if not origin:
        return False
    return any(entry in ("*", origin) or _is_below(origin, entry) for entry in allowed)


def _is_below(origin: str, entry: str) -> bool:
    scheme, star, domain = entry.partition("://*.")
    return bool(star) and origin.startswith(f"{scheme}://") and origin.endswith(f".{domain}") and "/" not in origin[len(scheme) + 3 :]


def blueprint(gate: Gate, quota: Quota) -> Blueprint:
    """Return the door and the script that sends to it."""
    door = Blueprint(DOOR, __name__)
    plain = resources.files("candu_source.doors").joinpath(_SCRIPT).read_bytes()
    scripts = {"identity": plain, "gzip": gzip.compress(plain, mtime=0)}
    version = hashlib.sha256(plain).hexdigest()[:16]

    @door.get("/v1/collector.js")
    def collector() -> Response:
        encoding = request_ctx.request.accept_encodings.best_match(scripts, "identity")
        answer = Response(scripts[encoding], content_type="text/javascript; charset=utf-8")
        if encoding != "identity":
            answer.headers["Content-Encoding"] = encoding
        answer.vary.add("Accept-Encoding")
        answer.headers["Cache-Control"] = f"public, max-age={_SCRIPT_SECONDS}"
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.set_etag(f"{version}-{encoding}")
        answer.make_conditional(request_ctx.request)
        return answer

    @door.post("/v1/browser/<token>", provide_automatic_options=False)
    def receive(token: str) -> Response:
        request = request_ctx.request
        quota.spend("address", request.remote_addr or "")
        connection = gate.admit(token, TokenUse.BROWSER)
        if not allows(request.origin, connection.rules.allowed_origins):
            raise Refused(403, Reason.ORIGIN_REFUSED, _origin_advice(request.origin))
        quota.spend("token", token)
        return gate.receive(connection, DOOR, request, hear, plain=True)

    @door.get("/v1/browser/<token>", provide_automatic_options=False)
    def look(token: str) -> Response:
        return door_page(
            "a browser address of candu-source; its collector script posts here",
            last_seen(gate.last_event(gate.admit(token, TokenUse.BROWSER))),
        )

    @door.route("/v1/browser/<token>", methods=["OPTIONS"])
    def preflight(token: str) -> Response:
        answer = Response(status=204)
        answer.headers["Access-Control-Allow-Methods"] = "POST"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type, Content-Encoding"
        answer.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return answer

    @door.after_request
    def readable(answer: Response) -> Response:
        """Let any page read its answer: what it may send is decided here, and a refusal that nobody can read helps nobody."""
        if origin := request_ctx.request.origin:
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = "Retry-After"
            answer.vary.add("Origin")
        return answer

    return door


def _origin_advice(origin: str | None) -> str:
    if not origin:
        return "A browser address takes events from web pages only, and this request names no Origin."
    return f"Pages of {origin[:200]} may not send here; `candu-source connections set NAME --origin {origin[:200]}` lets them."
