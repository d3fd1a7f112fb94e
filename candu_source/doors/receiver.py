"""Flask without what no door has: sessions, subdomains, redirects, streams. A small request costs a third less so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NOBODY = NullSession()


class _NoSessions(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        """Return the session that everybody has: none."""
        return _NOBODY

    def is_null_session(self, obj: object) -> bool:
        """Tell that there is nothing to save."""
        return True


class Receiver(Flask):
    """Match addresses whatever host they are asked at, and keep no sessions."""

    session_interface = _NoSessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what matches a request's path; werkzeug's own way looks into the host name for subdomains first."""
        if request is None:
            return None
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        return MapAdapter(self.url_map, request.server[0] if request.server else "", "", "", request.scheme, path, request.method)


class Answer(Response):
    """Answer a post with a body that is at hand and a status that has one."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it as it is."""
        start_response(self.status, self.headers.to_wsgi_list())
        return [self.get_data()]
