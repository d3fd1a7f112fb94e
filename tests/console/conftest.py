"""One site a test; in Chromium one a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.console.showing import LOOKS, Shown, show
from tests.console.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Open a site on a store of its own."""
    opened = open_site(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def shown(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Serve one site to all these tests."""
    with show(chromium, tmp_path_factory.mktemp("shown")) as opened:
        yield opened


@pytest.fixture(params=list(LOOKS))
def page(request: pytest.FixtureRequest, chromium: Browser, shown: Shown) -> Iterator[Page]:
    """Open a signed-in page in one of the looks; nothing may be thrown in it, and nothing refused by the policy."""
    context = shown.context(chromium, request.param)
    opened = context.new_page()
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    opened.on("console", lambda said: thrown.append(said.text) if said.type == "error" and "status of 4" not in said.text else None)
    yield opened
    context.close()
    assert thrown == []
