"""Hold for every test: on CI nothing may be skipped, browsers are real, and no test leaves anything to the next."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from segment.analytics import request as library


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run on CI when a test was skipped: what is not run is not known to work."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def librarys_own_session() -> Iterator[None]:
    """Leave the official library's session, which a process shares, as it was: deliveries put their adapter into it."""
    session = library._session
    adapters = session.adapters.copy()
    yield
    session.adapters = adapters


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium once."""
    path = shutil.which("chromium")
    assert path, "these tests need Debian's chromium: `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
