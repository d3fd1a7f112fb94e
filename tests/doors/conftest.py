"""Give the tests of the doors the web application, and a sender each."""

from __future__ import annotations

import pytest

from candu_source.settings import Settings
from tests.doors.sender import Sender, Web


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """Build one application for all: senders do not see each other."""
    url = f"sqlite:///{tmp_path_factory.mktemp('doors')}/store.db"
    return Web(Settings(store_url=url, max_body_kb=200, browser_address_limit=10**9, browser_token_limit=10**9))


@pytest.fixture
def sender(web: Web) -> Sender:
    """Make a connection with the default rules."""
    return web.sender()
