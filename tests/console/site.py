"""Open a console on a store of its own, and sign people in, for tests without a browser."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from candu_source.model import Connection, Role, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.web import build_web
from tests.store.shelf import add_connection

PASSWORD = "a sentence to remember"
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """Use the console as one browser does, without its scripts."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def csrf(self, path: str = "/console/sign-in") -> str:
        """Return the form token of a page."""
        found = _CSRF.search(self.get(path).text)
        assert found is not None, path
        return found[1]

    def post(self, path: str, page: str = "/console/", **fields: Any) -> TestResponse:
        """Send a form that stands on a page."""
        return self.client.post(path, data={"csrf_token": self.csrf(page), **fields})

    def sign_in(self, name: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        """Sign in by the form."""
        return self.post("/console/sign-in", "/console/sign-in", name=name, password=password, **fields)


@dataclass(frozen=True)
class Site:
    """Hold a store, the web application on it, and the log of both."""

    store: Store
    app: Flask
    settings: Settings
    telltale: Telltale
    log: io.StringIO

    def visitor(self) -> Visitor:
        """Return somebody who is not signed in."""
        return Visitor(self.app)

    def person(self, name: str = "owner", role: Role = Role.OWNER, connections: Sequence[str] | None = None) -> Visitor:
        """Return somebody who is signed in, made on the spot."""
        self.store.people.add(name, Secret(PASSWORD), role, connections=connections, by="test")
        visitor = self.visitor()
        assert visitor.sign_in(name).status_code == 303
        return visitor

    def connection(self, name: str = "Candu_Prod") -> Connection:
        """Make a connection."""
        return add_connection(self.store, name)

    def program(self, role: Role = Role.OWNER, connection: str | None = None, name: str = "robot") -> dict[str, str]:
        """Return the headers of an API token made on the spot."""
        token = self.store.admin_tokens.add(name, role, connection=connection, by="test")
        return {"Authorization": f"Bearer {token.reveal()}"}


def open_site(directory: Path, **changes: Any) -> Site:
    """Open a site on a new store."""
    settings = Settings(store_url=f"sqlite:///{directory / 'store.db'}", min_free_mb=0, allow_private_addresses=True, **changes)
    log = io.StringIO()
    telltale = Telltale(log)
    return Site(open_store(settings), build_web(settings, telltale), settings, telltale, log)
