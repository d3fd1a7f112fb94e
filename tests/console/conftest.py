"""One site a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Open a site on a store of its own."""
    opened = open_site(tmp_path)
    yield opened
    opened.store.close()
