"""Visit the customer's site with a real browser, and look at what reaches Segment."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from candu_source.twin import Twin
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until
from tests.browser.site import Gateway, Site

_numbers = itertools.count()
# Short enough that no test waits for it; the collector's own option.
RETRY_MS = 20


@dataclass
class River:
    """Hold what an event flows through: site, gateway, service and twin."""

    service: Service
    twin: Twin
    gateway: Gateway
    site: Site

    def connect(self, *options: str) -> Door:
        """Make a connection of a test's own that lets the site send."""
        name = f"Candu_{next(_numbers)}"
        return self.service.connect(name, name, self.twin.url, "--origin", self.site.url, *options)

    def arrived(self, door: Door) -> list[dict[str, Any]]:
        """Return the messages of one connection that Segment stored, oldest first."""
        return [kept["message"] for kept in self.twin.messages(key=door.name, status="stored")]

    def await_messages(self, door: Door, count: int) -> list[dict[str, Any]]:
        """Wait until so many messages have arrived and the lanes hold no more, and return them."""
        until(lambda: len(self.arrived(door)) >= count, f"{count} messages at the twin")
        until(lambda: self.service.readiness().get("pending") == 0, "the lanes to drain")
        return self.arrived(door)


@dataclass
class Visitor:
    """Hold one browser profile: its tabs share a storage."""

    context: BrowserContext
    river: River
    door: Door
    warnings: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def open(self, **options: object) -> Page:
        """Open the sample page in a new tab and wait until the collector is there, unless a button loads it."""
        page = self.context.new_page()
        page.on("console", self._heed)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        self.visit(page, **options)
        return page

    def visit(self, page: Page, **options: object) -> None:
        """Open the sample page in a tab that is there."""
        query = {"token": self.door.public_token, "endpoint": self.river.gateway.url, "userId": "user-1842", "retryMs": RETRY_MS, **options}
        page.goto(f"{self.river.site.url}/?{urlencode(query)}")
        if "load" not in options:
            await_collector(page)

    def _heed(self, message: ConsoleMessage) -> None:
        if message.type == "warning":
            self.warnings.append(message.text)

    def warned(self) -> list[str]:
        """Wait until a page has warned on its console, and return all warnings. Playwright tells of them while it is asked something."""
        return until(lambda: self.context.pages[0].evaluate("true") and self.warnings, "a warning on the console")

    def arrives(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many messages at Segment and return all that there are."""
        return self.river.await_messages(self.door, count)


def await_collector(page: Page) -> None:
    """Wait until the script runs in a page."""
    until(lambda: page.evaluate("Boolean(window.CanduSource.version)"), "the collector to load")


def press(page: Page, *labels: str) -> None:
    """Press buttons of the sample page."""
    for label in labels:
        page.get_by_role("button", name=label, exact=True).click()


def queued(page: Page) -> int:
    """Count the items in the collector's queue."""
    return int(page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('candu-source.pub_')).length"))


def stored_keys(page: Page) -> list[str]:
    """List what the page's origin has in its storage."""
    return list(page.evaluate("Object.keys(localStorage)"))


def empties(page: Page) -> None:
    """Wait until everything that was queued has been confirmed."""
    until(lambda: queued(page) == 0, "the collector's queue to empty")
