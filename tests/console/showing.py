"""Serve a furnished console to a real browser, in the looks that people have."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, StorageState
from werkzeug.serving import make_server

from candu_source.console import PAGES
from candu_source.model import Connection, Role, Secret
from tests.console.furnish import furnish, settle_down
from tests.console.site import PASSWORD, Site, open_site

# name -> colours and width.
LOOKS = {"light": ("light", 1200), "dark": ("dark", 1200), "narrow": ("light", 390)}
# Pages that need no id of anything but a connection.
PATHS = [page.path for page in PAGES if "{id}" not in page.path and "path:" not in page.path and not page.path.endswith("preview")]


@dataclass(frozen=True)
class Shown:
    """Hold a site that a browser can open, with a furnished and an empty connection, and the cookies of an owner."""

    site: Site
    url: str
    full: Connection
    empty: Connection
    signed_in: StorageState

    def context(self, chromium: Browser, look: str) -> BrowserContext:
        """Open a signed-in profile in one of the looks."""
        scheme, width = LOOKS[look]
        return chromium.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 900},
            storage_state=self.signed_in,
        )


@contextlib.contextmanager
def show(chromium: Browser, directory: Path) -> Iterator[Shown]:
    """Serve a furnished site on a loopback port, and sign in once."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    site = open_site(directory)
    full, empty = furnish(site), site.connection("Candu_Empty")
    settle_down(site)
    site.store.people.add("anna", Secret(PASSWORD), Role.OWNER, connections=None, by="test")
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    threading.Thread(target=server.serve_forever, name="console", daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Shown(site, url, full, empty, sign_in(chromium.new_context(), url))
    server.shutdown()
    server.server_close()
    site.store.close()


def sign_in(context: BrowserContext, url: str) -> StorageState:
    """Sign in by the form and return what the browser keeps of it."""
    page = context.new_page()
    page.goto(f"{url}/console/sign-in")
    page.fill("[name=name]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    page.wait_for_url(f"{url}/console/")
    kept = context.storage_state()
    context.close()
    return kept
