"""Give tests of delivery an open store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candu_source.store import Store
from tests.store.shelf import make_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store and close it afterwards."""
    opened = make_store(tmp_path)
    yield opened
    opened.close()
