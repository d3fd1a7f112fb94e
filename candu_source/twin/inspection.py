"""Look inside the twin, break it and heal it: the addresses under /__twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TypeVar, cast

import msgspec
from flask import Blueprint, Response, request

from candu_source.twin.faults import Fault, Faults
from candu_source.twin.memory import Memory, Query, Status
from candu_source.twin.readback import Readback, Readbacks
from candu_source.twin.sources import Source, Sources
from candu_source.twin.times import read_time

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000

_T = TypeVar("_T")
_IDS_A_CHUNK = 10_000
_DIGITS = 20  # more are no 64-bit number, and Python refuses to read very long ones

_decode_fault: Callable[[bytes], Fault] = msgspec.json.Decoder(Fault).decode
_decode_sources: Callable[[bytes], Source | list[Source]] = msgspec.json.Decoder(Source | list[Source]).decode
_decode_readback: Callable[[bytes], Readback] = msgspec.json.Decoder(Readback).decode

WELCOME = """\
This is the twin: an offline stand-in of Segment's Tracking API, for tests. Nothing sent here reaches Segment.

POST   /v1/batch /v1/track /v1/screen /v1/identify /v1/page /v1/group /v1/alias /v1/import

GET    /__twin/messages   what was sent: ?status=stored|dropped &type= &source= &since=<ISO time> &after=<seq> &limit=
DELETE /__twin/messages   forget messages, ids and counts
GET    /__twin/ids        every stored messageId, one a line: ?source=
GET    /__twin/stats      exact counts
GET    /__twin/sources    the known write keys, hashed; none listed means that every key is known
POST   /__twin/sources    {"key": "…", "region": "us"|"eu", "enabled": true}, or a list of these
DELETE /__twin/sources    know every key again
GET    /__twin/faults     what is broken at the moment
POST   /__twin/faults     {"status": 500, "retry_after": 3} | {"black_hole": true} | {"reset_after_body": true}
                          | {"refuse_event": "name"} | {"drop_share": 0.3},
                          each with "latency_ms", "count", "seconds", "source"; {} heals
DELETE /__twin/faults     heal
GET    /__twin/readback   where stored calls are posted to, and how many were
POST   /__twin/readback   {"url": "…", "delay_ms": 0, "batch": 1, "source": "…"}: play the Webhooks destination
DELETE /__twin/readback   post nothing
       /public-api        Segment's Public API: GET /, GET /sources, POST /sources; its token is twin-public-api-token
GET    /healthz           200 while it runs
"""


def inspection_routes(memory: Memory, faults: Faults, sources: Sources, readbacks: Readbacks) -> Blueprint:
    """Build the inspection endpoints. Answers are JSON; errors are problem+json (RFC 9457) naming what is off."""
    routes = Blueprint("inspection", __name__)
    routes.register_error_handler(_Unclear, lambda error: problem(HTTPStatus.BAD_REQUEST, str(error)))
    _add_messages(routes, memory)
    _add_faults(routes, faults)
    _add_sources(routes, sources)
    _add_readbacks(routes, readbacks)

    @routes.get("/")
    def welcome() -> Response:
        return Response(WELCOME, mimetype="text/plain")

    @routes.get("/healthz")
    def health() -> Response:
        return _json({"status": "ok"})

    return routes


def _add_messages(routes: Blueprint, memory: Memory) -> None:
    @routes.get("/__twin/messages")
    def show_messages() -> Response:
        query, limit = _read_query()
        found, following = memory.find(query, limit)
        return _json({"messages": [kept.shown(msgspec.Raw(kept.raw)) for kept in found], "next": following})

    @routes.delete("/__twin/messages")
    def clear_messages() -> Response:
        memory.clear()
        return _nothing()

    @routes.get("/__twin/ids")
    def show_ids() -> Response:
        _known_only("source")
        return Response(_lines(memory.ids(request.args.get("source"))), mimetype="text/plain")

    @routes.get("/__twin/stats")
    def show_stats() -> Response:
        return _json(memory.stats())


def _add_faults(routes: Blueprint, faults: Faults) -> None:
    @routes.get("/__twin/faults")
    def show_faults() -> Response:
        return _json({"faults": faults.shown()})

    @routes.post("/__twin/faults")
    def set_fault() -> Response:
        faults.set(_read_body(_decode_fault))
        return show_faults()

    @routes.delete("/__twin/faults")
    def heal() -> Response:
        faults.heal()
        return _nothing()


def _add_sources(routes: Blueprint, sources: Sources) -> None:
    @routes.get("/__twin/sources")
    def show_sources() -> Response:
        return _json({"sources": sources.shown()})

    @routes.post("/__twin/sources")
    def list_sources() -> Response:
        read = _read_body(_decode_sources)
        sources.add(read if isinstance(read, list) else [read])
        return show_sources()

    @routes.delete("/__twin/sources")
    def forget_sources() -> Response:
        sources.forget()
        return _nothing()


def _add_readbacks(routes: Blueprint, readbacks: Readbacks) -> None:
    @routes.get("/__twin/readback")
    def show_readbacks() -> Response:
        return _json(readbacks.shown())

    @routes.post("/__twin/readback")
    def set_readback() -> Response:
        readbacks.set(_read_body(_decode_readback))
        return show_readbacks()

    @routes.delete("/__twin/readback")
    def forget_readbacks() -> Response:
        readbacks.forget()
        return _nothing()


class _Unclear(ValueError):  # noqa: N818 - a verdict
    """Say which parameter or field is off and what it takes."""


def _read_query() -> tuple[Query, int]:
    """Return what to look for and how many at most. Raises _Unclear naming the parameter."""
    _known_only("status", "type", "since", "source", "limit", "after")
    status = request.args.get("status")
    if status not in (None, "stored", "dropped"):
        raise _Unclear(f"status must be stored or dropped, not {status!r}")
    since = request.args.get("since")
    moment = read_time(since)
    if since is not None and moment is None:
        raise _Unclear(f"since must be an ISO 8601 time such as 2024-05-01T12:00:00Z (write + as %2B), not {since!r}")
    query = Query(
        status=cast("Status | None", status),
        type=request.args.get("type"),
        since=moment,
        source=request.args.get("source"),
        after=_whole("after", 0, 0, 2**63),
    )
    return query, _whole("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def _known_only(*names: str) -> None:
    for name in request.args:
        if name not in names:
            raise _Unclear(f"{name} is not a parameter here: use {', '.join(names)}")


def _whole(name: str, default: int, least: int, most: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < _DIGITS and least <= int(given) <= most):
        raise _Unclear(f"{name} must be a whole number from {least} to {most}, not {given!r}")
    return int(given)


def _read_body(decode: Callable[[bytes], _T]) -> _T:
    """Decode the JSON body. Raises _Unclear naming the field; the text comes from msgspec, which names it."""
    try:
        return decode(request.get_data(cache=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Unclear(str(error)) from error


def _lines(ids: list[str]) -> Iterator[str]:
    for start in range(0, len(ids), _IDS_A_CHUNK):
        yield "\n".join([*ids[start : start + _IDS_A_CHUNK], ""])


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), mimetype="application/json")


def _nothing() -> Response:
    return Response(status=HTTPStatus.NO_CONTENT)


def problem(status: int, detail: str) -> Response:
    """Build an error in the form of RFC 9457 (problem+json)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    return Response(msgspec.json.encode(body), status, mimetype="application/problem+json")
