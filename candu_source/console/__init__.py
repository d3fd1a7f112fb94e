"""The console: what people look at, and the same as JSON for programs. A new page is a line in PAGES of its file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, request
from flask_wtf.csrf import generate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix

from candu_source.console import (
    adding,
    aside,
    audit,
    catalog,
    connect,
    delivery,
    doors,
    editor,
    events,
    mapping,
    notices,
    overview,
    people,
    questions,
    replays,
    settings,
    shapes,
    sign_in,
    streams,
    summary,
    trying,
    warehouse,
    words,
)
from candu_source.console.access import Guesses
from candu_source.console.answers import answer_errors
from candu_source.console.frame import ADMIN, CONSOLE, Place, admin_routes, console_routes
from candu_source.console.openapi import admin_document
from candu_source.observe import Telltale
from candu_source.store.people import SESSION_SECONDS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

# Everything that a page loads is ours; nothing on it runs that is not in a file of ours.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# What a session's cookie is called, and the purpose for which its signing key is derived.
_COOKIE, _PURPOSE = "candu_source_console", "console session"
_MODULES = (
    overview,
    catalog,
    editor,
    connect,
    notices,
    people,
    delivery,
    events,
    aside,
    replays,
    doors,
    mapping,
    shapes,
    warehouse,
    adding,
    questions,
    streams,
    trying,
    summary,
    settings,
    audit,
)
PAGES = tuple(chain.from_iterable(module.PAGES for module in _MODULES))
ACTIONS = tuple(chain.from_iterable(module.ACTIONS for module in _MODULES))
FILES = (*catalog.FILES, *editor.FILES, *events.FILES, *mapping.FILES, *questions.FILES, *settings.FILES)
# Addresses that the console answers, and the bare one for who reads it; all others are doors.
_READS = ("GET", "HEAD")
_ADDRESSES = (CONSOLE, ADMIN)


def create_console(place: Place, telltale: Telltale) -> Flask:
    """Return the console's own application: its sessions and errors are not those of the doors."""
    store, chosen = place.store, place.settings
    app = Flask(__name__, static_url_path=f"{CONSOLE}/static")
    app.config.update(
        SECRET_KEY=store.vault.derive(_PURPOSE),
        SESSION_COOKIE_NAME=_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=chosen.base_url().startswith("https://"),
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=SESSION_SECONDS),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=chosen.max_body_kb * 1000,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(csrf_token=generate_csrf, console=CONSOLE, base_url=chosen.base_url())
    app.jinja_env.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # in the order that things have
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(sign_in.blueprint(store, Guesses()))
    app.register_blueprint(console_routes(place, PAGES, ACTIONS, FILES))
    app.register_blueprint(admin_routes(place, PAGES, ACTIONS))
    answer_errors(app, telltale)
    app.add_url_rule(f"{ADMIN}/openapi.json", "openapi", lambda: admin_document(PAGES, ACTIONS, FILES))
    app.add_url_rule("/", "root", lambda: redirect(f"{CONSOLE}/"))
    app.after_request(_guarded)
    if chosen.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.trusted_proxies)  # type: ignore[method-assign]
    return app


def mount(doors: Flask, console: Flask) -> None:
    """Let the console answer its own addresses; all others are doors, and cost them one look."""
    enter = doors.wsgi_app

    def choose(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        ours = path.startswith(_ADDRESSES) or (path == "/" and environ["REQUEST_METHOD"] in _READS)
        return (console if ours else enter)(environ, start_response)

    doors.wsgi_app = choose  # type: ignore[method-assign]


def _guarded(response: Response) -> Response:
    response.headers.extend((name, value) for name, value in _HEADERS.items())
    if not request.path.startswith(f"{CONSOLE}/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response
