"""Stand at every door: token -> connection, body within its limits, and each error as an answer."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

import msgspec
from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from candu_source import intake
from candu_source.doors.quota import ConnectionQuota
from candu_source.errors import NotFound, Reason, Refused, StoreError, StoreFull
from candu_source.model import Connection, Input, Receipt, Reject, TokenUse
from candu_source.ports import Log, Observer

_PROBLEM = "application/problem+json"
# What a client may wait before it sends again: one group commit later, or when an operator has made room.
_BUSY_RETRY_SECONDS = 1
_FULL_RETRY_SECONDS = 30
# Bodies of which nothing could be read: 400 in place of 422.
_UNREADABLE = frozenset({Reason.BROKEN_JSON, Reason.BROKEN_ENCODING})
_encode = msgspec.json.Encoder().encode
Hear = Callable[[bytes, Connection], Sequence[Input]]


class Tokens(Protocol):
    """Find whose token something is; needed by the gate."""

    def owner(self, token: str, use: TokenUse) -> Connection | None:
        """Return the connection, or None for a stranger."""
        ...


class Events(Protocol):
    """Tell what has come and what waits; needed by the pages of doors and by quotas."""

    def last_event(self, connection: str) -> float | None:
        """Return when a connection's last event was accepted (seconds since the epoch), or None."""
        ...

    def waiting(self, connection: str) -> int:
        """Count the events that the slowest lane has not passed."""
        ...


class Gate:
    """Admit, read and accept for every door."""

    def __init__(self, tokens: Tokens, events: Events, log: Log, observer: Observer, *, max_body_bytes: int) -> None:
        self._tokens = tokens
        self._events = events
        self._log = log
        self._observer = observer
        self._max_body_bytes = max_body_bytes
        self._quota = ConnectionQuota(events.waiting)

    def admit(self, token: str | None) -> Connection:
        """Return whose token this is; raise Refused 401."""
        connection = self._tokens.owner(token, TokenUse.SERVER) if token else None
        if connection is None:
            raise Refused(
                401, Reason.UNAUTHORIZED, "This door does not know the token; `candu-source connections rotate-token` makes a new one."
            )
        return connection

    def admit_page(self, token: str) -> Connection:
        """Return whose public token this is; raise Refused 401."""
        connection = self._tokens.owner(token, TokenUse.BROWSER)
        if connection is None:
            raise Refused(
                401, Reason.UNAUTHORIZED, "This door does not know the token; `candu-source connections show` prints the public one."
            )
        return connection

    def admit_readback(self, token: str) -> Connection:
        """Return whose readback address this is; raise Refused 401."""
        connection = self._tokens.owner(token, TokenUse.READBACK)
        if connection is None:
            raise Refused(
                401, Reason.UNAUTHORIZED, "This door does not know the token; `candu-source connections tokens list` shows those in force."
            )
        return connection

    def last_event(self, connection: Connection) -> float | None:
        """Return when the connection's last event was accepted, in seconds since the epoch, or None."""
        return self._events.last_event(connection.id)

    def receive(self, connection: Connection, door: str, incoming: Request, hear: Hear, *, plain: bool = False) -> Response:
        """Take what a request brings and answer with the receipt; raise as `take` does."""
        return answer(self.take(connection, door, incoming, hear, plain=plain))

    def take(self, connection: Connection, door: str, incoming: Request, hear: Hear, *, plain: bool = False) -> Receipt:
        """Hear the body, make what it holds durable and return the receipt, for doors with words of their own.

        Raises Refused 413 or 415, and 429 or 503 where the connection's own limits are reached. `plain` takes text/plain too: browsers
        send that without asking first.
        """
        self._quota.spend(connection)
        if not (incoming.is_json or (plain and incoming.mimetype == "text/plain")):
            raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
        body = self._body(incoming)
        heard = [body] if isinstance(body, Reject) else hear(body, connection)
        return intake.accept(connection, door, heard, self._log, self._observer)

    def read(self, incoming: Request) -> bytes:
        """Return the request's JSON bytes, for doors that keep nothing of what they refuse; raise Refused 400, 413 or 415."""
        if not incoming.is_json:
            raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
        body = self._body(incoming)
        if isinstance(body, Reject):
            raise Refused(400, body.code, body.errors["body"][0])
        return body

    def _body(self, incoming: Request) -> bytes | Reject:
        """Return the request's JSON bytes, gzip undone, or what came in their place."""
        if (incoming.content_length or 0) > self._max_body_bytes:
            raise self._too_large()
        data = incoming.stream.read(self._max_body_bytes + 1)
        if len(data) > self._max_body_bytes:
            raise self._too_large()
        match incoming.headers.get("Content-Encoding", "identity").strip().lower():
            case "gzip":
                return self._unzip(data)
            case "identity" | "":
                return data
        raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send the body plain or with Content-Encoding: gzip.")

    def _unzip(self, data: bytes) -> bytes | Reject:
        unzip = zlib.decompressobj(wbits=31)
        try:
            plain = unzip.decompress(data, self._max_body_bytes + 1)
        except zlib.error:
            return _broken_encoding(data, "The body says gzip but does not unpack.")
        if len(plain) > self._max_body_bytes:
            raise self._too_large()
        if not unzip.eof or unzip.unused_data:
            return _broken_encoding(data, "The gzip body is cut short, or something follows it.")
        return plain

    def _too_large(self) -> Refused:
        limit = f"{self._max_body_bytes} bytes (CANDU_SOURCE_MAX_BODY_KB)"
        return Refused(413, Reason.BODY_TOO_LARGE, f"The body is over the limit of {limit}; send fewer items at a time.")


def _broken_encoding(data: bytes, sentence: str) -> Reject:
    return Reject(0, Reason.BROKEN_ENCODING, {"body": [sentence]}, data)


def require_source(connection: Connection, address: str | None) -> None:
    """Raise Refused 403 when the connection lists the addresses that may send, and this is none of them."""
    allowed = connection.rules.allowed_addresses
    if allowed and not _is_within(address or "", allowed):
        advice = f"`candu-source connections set NAME --allow-address {address}` lets it."
        raise Refused(403, Reason.SOURCE_REFUSED, f"The address {address} may not send here; {advice}")


@lru_cache(maxsize=4_096)
def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    known = getattr(known, "ipv4_mapped", None) or known
    return any(known in ip_network(network) for network in networks)


def token_of(incoming: Request) -> str | None:
    """Read a token from `Authorization: Bearer` or from the user name of Basic."""
    scheme, _, value = incoming.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, ValueError):
            return None
    return None


def answer(receipt: Receipt) -> Response:
    """Answer with what became durable: 202, or 422 (400 for broken JSON) when nothing could be accepted."""
    body: dict[str, Any] = {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "filtered": receipt.filtered,
        "rejected": rejected_items(receipt),
    }
    if receipt.accepted or receipt.duplicates or receipt.filtered:
        return Response(_encode(body), 202, content_type="application/json")
    codes = {reject.code for reject in receipt.rejected}
    if codes and codes <= _UNREADABLE:
        return problem(400, codes.pop(), receipt.rejected[0].errors["body"][0])
    code = codes.pop() if len(codes) == 1 else Reason.NOTHING_ACCEPTED
    return problem(422, code, _why_nothing(receipt), **body)


def rejected_items(receipt: Receipt) -> list[dict[str, Any]]:
    """Return what an answer says of the items that were refused."""
    return [{"index": reject.index, "code": reject.code, "errors": reject.errors} for reject in receipt.rejected]


def _why_nothing(receipt: Receipt) -> str:
    if not receipt.rejected:
        return "The list is empty: send at least one item."
    field, messages = next(iter(receipt.rejected[0].errors.items()))
    more = f" ({len(receipt.rejected)} items were refused; `rejected` names each.)" if len(receipt.rejected) > 1 else ""
    return f"Nothing could be accepted. {field}: {messages[0]}{more}"


def problem(status: int, code: Reason, detail: str, **more: Any) -> Response:
    """Return an RFC 9457 problem."""
    body = {"type": f"urn:candu-source:{code}", "title": code.replace("_", " ").capitalize(), "status": status, "detail": detail, **more}
    return Response(_encode(body), status, content_type=_PROBLEM)


def _refused(error: Refused) -> Response:
    response = problem(error.status, error.code, error.detail)
    if error.status == 401:  # noqa: PLR2004 - Unauthorized must say how to authorise
        response.headers["WWW-Authenticate"] = 'Bearer realm="candu-source", Basic realm="candu-source"'
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _gone(_: NotFound) -> Response:
    return _refused(Refused(401, Reason.UNAUTHORIZED, "This door does not know the token any more: its connection was deleted."))


def answer_errors(app: Flask, observer: Observer) -> None:
    """Make every error an answer: known ones in our words, unknown ones a bare 500 and a log line."""

    def store(error: StoreError) -> Response:
        full = isinstance(error, StoreFull)
        response = problem(503, Reason.STORE_FULL if full else Reason.STORE_BUSY, f"{error}. Nothing was lost: send it again.")
        response.headers["Retry-After"] = str(_FULL_RETRY_SECONDS if full else _BUSY_RETRY_SECONDS)
        return response

    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code = {404: Reason.NOT_FOUND, 405: Reason.METHOD_NOT_ALLOWED}.get(status, Reason.INVALID)
        response = problem(status, code, error.description or "")
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def unknown(error: Exception) -> Response:
        observer.tell("request.failed", path=str(request.url_rule), error=type(error).__name__)
        return problem(500, Reason.INTERNAL, "Something broke on our side; nothing was accepted. Send it again.")

    handlers: Sequence[tuple[type[Exception], Callable[[Any], Response]]] = (
        (Refused, _refused),
        (StoreError, store),
        (NotFound, _gone),
        (HTTPException, http),
        (Exception, unknown),
    )
    for kind, handler in handlers:
        app.register_error_handler(kind, handler)
