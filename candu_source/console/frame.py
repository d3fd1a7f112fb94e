"""Put pages and actions at two addresses each: HTML for people under /console, JSON for programs under /v1/admin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from candu_source.console.access import ask_person, ask_program, check_csrf
from candu_source.console.desk import Desk, Form, Tools
from candu_source.errors import NotFound, Reason, Refused
from candu_source.model import Person, Role
from candu_source.settings import Settings
from candu_source.store import Store

CONSOLE, ADMIN = "/console", "/v1/admin"
_encode = msgspec.json.Encoder(enc_hook=lambda value: sorted(value) if isinstance(value, frozenset | set) else str(value)).encode
_MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson", "png": "image/png", "toml": "application/toml"}
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Hold what every page stands on."""

    store: Store
    settings: Settings
    tools: Tools


@dataclass(frozen=True, slots=True)
class Page:
    """Describe one page: its address below /console/ and /v1/admin/, its template, and what it shows.

    `read` returns what can be said in JSON; secrets never. A `whole` page speaks of the whole service: guests of some connections
    do not see it. `{connection}` in the path is an id or a name. Without a template it is for programs alone.
    """

    path: str
    template: str | None
    read: Callable[[Desk], Data]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """Describe a file to take away; `name` is what it is called, its ending says what it is. `whole` is as with pages."""

    path: str
    name: str
    read: Callable[[Desk], str | Iterator[bytes]]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Say what an action did: a sentence, where a person goes on to (below /console/), and data, such as a token shown once."""

    said: str
    to: str
    data: Data = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """Describe one change that an owner may make: POST to its address. `do` raises UsageError for what is off.

    `shows` names a template for an answer with something that is shown once, in place of going on.
    """

    path: str
    do: Callable[[Desk, Form], Done]
    whole: bool = False
    shows: str | None = None


def console_routes(place: Place, pages: Sequence[Page], actions: Sequence[Action], files: Sequence[File]) -> Blueprint:
    """Return the HTML addresses, and those of files."""
    routes = Blueprint("console", __name__)
    for file in files:
        routes.add_url_rule(_rule(CONSOLE, file.path), _name(file), _taken(place, file), methods=["GET"])
    for page in pages:
        if page.template:
            routes.add_url_rule(_rule(CONSOLE, page.path), _name(page), _shown(place, page, page.template), methods=["GET"])
    for action in actions:
        routes.add_url_rule(_rule(CONSOLE, action.path), _name(action), _acted(place, action), methods=["POST"])
    return routes


def admin_routes(place: Place, pages: Sequence[Page], actions: Sequence[Action]) -> Blueprint:
    """Return the JSON addresses."""
    routes = Blueprint("admin", __name__)
    for page in pages:
        routes.add_url_rule(_rule(ADMIN, page.path), _name(page), _told(place, page), methods=["GET"])
    for action in actions:
        routes.add_url_rule(_rule(ADMIN, action.path), _name(action), _done(place, action), methods=["POST"])
    return routes


def _shown(place: Place, page: Page, template: str) -> Callable[..., AnyResponse]:
    def view(**part: str) -> AnyResponse:
        person = ask_person(place.store)
        if person is None:
            return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))
        desk = _desk(place, person, part, whole=page.whole)
        return Response(render_template(template, desk=desk, **page.read(desk)))

    return view


def _acted(place: Place, action: Action) -> Callable[..., AnyResponse]:
    def view(**part: str) -> AnyResponse:
        person = ask_person(place.store)
        if person is None:
            return redirect(url_for("sign_in.form"))
        check_csrf()
        desk = _owners_desk(place, person, part, action)
        done = action.do(desk, Form(request.form))
        if action.shows:
            return Response(render_template(action.shows, desk=desk, done=done, **done.data))
        flash(done.said)
        return _go(f"{CONSOLE}/{done.to}")

    return view


def _taken(place: Place, file: File) -> Callable[..., AnyResponse]:
    def view(**part: str) -> AnyResponse:
        desk = _desk(place, _known(ask_program(place.store) or ask_person(place.store)), part, whole=file.whole)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return Response(file.read(desk), mimetype=_MEDIA[file.name.rpartition(".")[2]], headers=headers)

    return view


def _told(place: Place, page: Page) -> Callable[..., AnyResponse]:
    def view(**part: str) -> AnyResponse:
        person = ask_program(place.store) or ask_person(place.store)
        desk = _desk(place, _known(person), part, whole=page.whole)
        return _json(page.read(desk))

    return view


def _done(place: Place, action: Action) -> Callable[..., AnyResponse]:
    def view(**part: str) -> AnyResponse:
        desk = _owners_desk(place, _known(ask_program(place.store)), part, action)
        given = request.get_json() if request.content_length else {}
        if not isinstance(given, dict):
            raise Refused(400, Reason.INVALID, "Send a JSON object.")
        done = action.do(desk, Form(given))
        return _json({"said": done.said, **done.data})

    return view


def _known(person: Person | None) -> Person:
    if person is None:
        raise Refused(401, Reason.UNAUTHORIZED, "Send an API token: Authorization: Bearer ca_…; `candu-source api-tokens add` makes one.")
    return person


def _owners_desk(place: Place, person: Person, part: Mapping[str, str], action: Action) -> Desk:
    desk = _desk(place, person, part, whole=action.whole)
    if person.role is not Role.OWNER:
        raise Refused(403, Reason.FORBIDDEN, "You may look at this, and not change it; ask an owner.")
    return desk


def _desk(place: Place, person: Person, part: Mapping[str, str], *, whole: bool) -> Desk:
    """Return the desk of a request; what is out of the person's sight is not found."""
    if whole and not person.sees_everything:
        raise Refused(404, Reason.NOT_FOUND, "There is nothing at this address.")
    found = None
    if "connection" in part:
        found = place.store.connections.named(part["connection"])
        if not person.sees(found.id):
            raise NotFound(f"there is no connection {part['connection']!r}; `candu-source connections list` shows them all")
    return Desk(place.store, place.settings, place.tools, person, time.time(), Form(request.args), found, part)


def _go(address: str) -> AnyResponse:
    """Send a person on: by htmx's own header when it asked, so that the whole page is new."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _json(data: Any) -> Response:
    return Response(_encode(data), mimetype="application/json")


def _rule(base: str, path: str) -> str:
    return f"{base}/{path}".replace("{", "<").replace("}", ">")


def _name(described: Page | Action | File) -> str:
    return described.path.replace("/", "-").replace(".", "-") or "overview"
