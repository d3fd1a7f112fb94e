"""Play the few addresses of Segment's Public API that making a source takes, under /public-api. Source: docs.segmentapis.com.

A source that is made here is listed: its write key is known from then on, and others are strangers.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from candu_source.twin.sources import Region, Source, Sources

TOKEN = "twin-public-api-token"  # noqa: S105 - of a stand-in: whoever reads this may make sources of the twin
CANDU_SOURCE = "nmb56PunPc"
"""Catalogue id of the Candu source. Segment: Candu source."""

_WORKSPACE = {"id": "twin", "name": "Twin", "slug": "twin"}
_MOST_A_PAGE = 200  # Segment, Pagination: between 1 and 200
_KEY_BYTES = 24

_Slug = Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,100}$")]


class Made(msgspec.Struct, rename="camel"):
    """Hold one source as the Public API shows it."""

    id: str
    slug: str
    name: str
    enabled: bool
    write_keys: list[str]
    workspace_id: str
    metadata: dict[str, str]


class _Wanted(msgspec.Struct, rename="camel"):
    slug: _Slug
    enabled: bool
    metadata_id: str
    settings: dict[str, object] = {}


class Workspace:
    """Hold the sources that were made here. Safe to share between threads."""

    def __init__(self, sources: Sources, region: Region) -> None:
        self._sources = sources
        self._region: Region = region
        self._lock = threading.Lock()
        self._made: dict[str, Made] = {}

    def add(self, wanted: _Wanted) -> Made | None:
        """Make a source and list it; None when the slug is taken."""
        with self._lock:
            if any(made.slug == wanted.slug for made in self._made.values()):
                return None
            key = secrets.token_urlsafe(_KEY_BYTES)
            identifier = secrets.token_hex(11)
            metadata = {"id": wanted.metadata_id, "name": "Candu"}
            made = Made(identifier, wanted.slug, wanted.slug, wanted.enabled, [key], _WORKSPACE["id"], metadata)
            self._made[identifier] = made
            self._sources.add([Source(key, self._region, wanted.enabled)])
            return made

    def page(self, after: int, most: int) -> tuple[list[Made], int]:
        """Return so many sources from a place on, and how many there are."""
        with self._lock:
            made = list(self._made.values())
            return made[after : after + most], len(made)


def public_api_routes(workspace: Workspace) -> Blueprint:
    """Build the addresses. Answers: `{"data": …}`, or `{"errors": [{"type", "message"}]}` in Segment's form."""
    routes = Blueprint("public_api", __name__, url_prefix="/public-api")

    @routes.before_request
    def check_token() -> Response | None:
        given = request.headers.get("Authorization", "")
        if secrets.compare_digest(given.encode(), f"Bearer {TOKEN}".encode()):
            return None
        return _errors(HTTPStatus.UNAUTHORIZED, "Unauthorized")

    @routes.get("/")
    def show_workspace() -> Response:
        return _data({"workspace": _WORKSPACE})

    @routes.get("/sources")
    def list_sources() -> Response:
        most = min(_MOST_A_PAGE, request.args.get("pagination[count]", 10, type=int))
        after = request.args.get("pagination[cursor]", 0, type=int)
        made, total = workspace.page(after, most)
        following = str(after + most) if after + most < total else None
        return _data({"sources": made, "pagination": {"current": str(after), "next": following, "totalEntries": total}})

    @routes.post("/sources")
    def create_source() -> Response:
        return _create(workspace, msgspec.json.Decoder(_Wanted).decode)

    return routes


def _create(workspace: Workspace, decode: Callable[[bytes], _Wanted]) -> Response:
    try:
        wanted = decode(request.get_data(cache=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _errors(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    if wanted.metadata_id != CANDU_SOURCE:
        return _errors(HTTPStatus.NOT_FOUND, f"there is no source {wanted.metadata_id} in the catalogue")
    made = workspace.add(wanted)
    if made is None:
        return _errors(HTTPStatus.CONFLICT, f"a source with the slug {wanted.slug} exists")
    return _data({"source": made}, HTTPStatus.CREATED)


def _data(data: object, status: int = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode({"data": data}), status, mimetype="application/json")


def _errors(status: int, message: str) -> Response:
    return Response(msgspec.json.encode({"errors": [{"type": "request-error", "message": message}]}), status, mimetype="application/json")
