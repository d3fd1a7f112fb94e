"""Make every error of the console an answer: a page for people, a fragment for a form of theirs, problem+json for programs."""

from __future__ import annotations

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from candu_source.console.frame import ADMIN
from candu_source.doors.answers import problem
from candu_source.errors import Conflict, NotFound, Reason, Refused, StoreError, UsageError
from candu_source.observe import Telltale

_BUSY_RETRY_SECONDS = 1


def answer_errors(app: Flask, telltale: Telltale) -> None:
    """Register the answers to what pages and actions raise."""

    def usage(error: UsageError) -> Response:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
        code = {404: Reason.NOT_FOUND, 409: Reason.CONFLICT, 422: Reason.INVALID}[status]
        return _answer(status, code, str(error))

    def refused(error: Refused) -> Response:
        response = _answer(error.status, error.code, error.detail)
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        if error.status == 401:  # noqa: PLR2004 - Unauthorized must say how to authorise
            response.headers["WWW-Authenticate"] = 'Bearer realm="candu-source"'
        return response

    def store(error: StoreError) -> Response:
        response = _answer(503, Reason.STORE_BUSY, f"{error}. Nothing was changed: try again.")
        response.headers["Retry-After"] = str(_BUSY_RETRY_SECONDS)
        return response

    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code = {404: Reason.NOT_FOUND, 405: Reason.METHOD_NOT_ALLOWED, 413: Reason.BODY_TOO_LARGE}.get(status, Reason.INVALID)
        response = _answer(status, code, error.description or error.name)
        response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
        return response

    def unknown(error: Exception) -> Response:
        telltale.tell("console.failed", path=str(request.url_rule), error=type(error).__name__)
        return _answer(500, Reason.INTERNAL, "Something broke on our side; the log has a line about it.")

    app.register_error_handler(UsageError, usage)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(StoreError, store)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unknown)


def _answer(status: int, code: Reason, detail: str) -> Response:
    if request.path.startswith(f"{ADMIN}/"):
        return problem(status, code, detail)
    template = "answer.html" if request.headers.get("HX-Request") else "problem.html"
    return Response(render_template(template, status=status, detail=sentence(detail)), status)


def sentence(text: str) -> str:
    """Return a message as a sentence for people: a capital, a stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", ":")) else f"{text}."
