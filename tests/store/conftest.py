"""Give tests of the store an open store and a connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candu_source.model import Connection
from candu_source.store import Store
from tests.store.shelf import add_connection, make_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store and close it afterwards."""
    opened = make_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def connection(store: Store) -> Connection:
    """Make one connection."""
    return add_connection(store)
