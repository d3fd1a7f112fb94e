"""Serve a furnished console to a real browser, in the looks that people have."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState
from werkzeug.serving import make_server

from candu_source.console import PAGES
from candu_source.model import Connection, Role, Secret
from tests.console.furnish import furnish, settle_down
from tests.console.site import PASSWORD, Site, open_site

_SAMPLES = Path(__file__).parents[2] / "samples" / "amplitude"
# name -> colours and width.
LOOKS = {"light": ("light", 1200), "dark": ("dark", 1200), "narrow": ("light", 390)}
# What of axe's rules a look can break: light is the first, to which all apply, and axe itself is in the page afterwards.
_RULES: dict[str, tuple[str, ...]] = {"light": (), "dark": ("color-contrast",), "narrow": ("scrollable-region-focusable", "target-size")}
_BY_RULES = "rules => axe.run(document, {runOnly: {type: 'rule', values: rules}}).then(found => found.violations)"
# Pages of what is there by its name.
NAMED = ("connections/{connection}/syncs/candu", "catalog/candu", "integrations/partner")
# Pages that need no id of anything but a connection.
PATHS = [page.path for page in PAGES if "{id}" not in page.path and "path:" not in page.path and not page.path.endswith("preview")]

_PIXELS = """canvas => {
  const style = getComputedStyle(document.documentElement);
  const wanted = ["--line-1", "--line-2", "--line-3"].map(name => style.getPropertyValue(name).trim());
  const colours = wanted.map(colour => [1, 3, 5].map(place => parseInt(colour.slice(place, place + 2), 16)));
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const off = (place, colour) => colour.reduce((sum, part, each) => sum + Math.abs(pixels[place + each] - part), 0);
  let found = 0;
  for (let place = 0; place < pixels.length; place += 4)
    if (pixels[place + 3] > 200 && colours.some(colour => off(place, colour) < 60)) found++;
  return found;
}"""


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
    site.store.integrations.save("partner", (_SAMPLES / "partner.toml").read_bytes(), by="test")
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


def complaints(page: Page) -> list[tuple[str, str, str]]:
    """Return what keeps people out of a page, by axe, and whether it is wider than the window: (address, what, where)."""
    return [*violations(page), *_too_wide(page)]


def complaints_of_every_look(page: Page) -> list[tuple[str, str, str]]:
    """Return the complaints about a page in each look, from light to narrow; what others cannot have changed is looked at once."""
    found: list[tuple[str, str, str]] = []
    for look, rules in _RULES.items():
        scheme, width = LOOKS[look]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        found += _serious(page, page.evaluate(_BY_RULES, list(rules))) if rules else violations(page)
        found += _too_wide(page)
    return found


def violations(page: Page) -> list[tuple[str, str, str]]:
    """Return the serious faults that axe finds."""
    return _serious(page, Axe().run(page).response["violations"])


def _serious(page: Page, violations: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    serious = [each for each in violations if each["impact"] in ("serious", "critical")]
    return [(page.url, each["id"], each["nodes"][0]["html"][:200]) for each in serious]


def _too_wide(page: Page) -> list[tuple[str, str, str]]:
    wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    return [(page.url, "wider than the window", "")] if wider else []


def drawn(chart: Locator) -> int:
    """Return how many pixels of a chart have the colour of a line: one without data has none."""
    return int(chart.locator("canvas").evaluate(_PIXELS))
