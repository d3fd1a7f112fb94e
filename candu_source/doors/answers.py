"""Answer at every door: receipts and errors, in our words or as RFC 9457 problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from candu_source.doors.receiver import Answer
from candu_source.errors import NotFound, Reason, Refused, StoreError, StoreFull
from candu_source.model import Receipt
from candu_source.ports import Observer

_PROBLEM = "application/problem+json"
# What a client may wait before it sends again: one group commit later, or when an operator has made room.
_BUSY_RETRY_SECONDS = 1
_FULL_RETRY_SECONDS = 30
# Bodies of which nothing could be read: 400 in place of 422.
_UNREADABLE = frozenset({Reason.BROKEN_JSON, Reason.BROKEN_ENCODING})
_encode = msgspec.json.Encoder().encode


def answer(receipt: Receipt) -> Response:
    """Answer with what became durable: 202, or 422 (400 for broken JSON) when nothing could be accepted."""
    body: dict[str, Any] = {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "filtered": receipt.filtered,
        "rejected": rejected_items(receipt),
    }
    if receipt.accepted or receipt.duplicates or receipt.filtered:
        return Answer(_encode(body), 202, content_type="application/json")
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
