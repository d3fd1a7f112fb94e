"""Give the tests of the collector a real Chromium and a river to visit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from candu_source.twin import Twin
from tests.acceptance.service import Service
from tests.browser.site import Gateway, Site
from tests.browser.visitor import River, Visitor

# A headless Chromium names itself so, and headless browsers count as bots.
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


@pytest.fixture(scope="package")
def far_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Twin]]:
    """Run service and twin once; each test has a connection of its own."""
    directory = tmp_path_factory.mktemp("browser")
    with Twin() as twin, Service(directory, web_processes=1, browser_address_limit=100_000) as service:
        yield service.serve(), twin


@pytest.fixture
def river(far_side: tuple[Service, Twin]) -> Iterator[River]:
    """Give each test a site and a gateway of its own: what a page of another test sends late does not come here."""
    service, twin = far_side
    with Gateway(service.url) as gateway, Site(gateway.url) as site:
        yield River(service, twin, gateway, site)


@pytest.fixture
def visitor(chromium: Browser, river: River) -> Iterator[Visitor]:
    """Open a fresh profile; nothing may ever be thrown into its pages."""
    context = chromium.new_context(user_agent=_AGENT, locale="en-GB", timezone_id="Europe/Berlin")
    visitor = Visitor(context, river, river.connect())
    yield visitor
    context.close()
    assert visitor.failures == []
