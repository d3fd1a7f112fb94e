"""Give tests of the warehouse a real PostgreSQL and a real DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.model import Secret
from tests.warehouse.postgres import PostgresServer, serving
from tests.warehouse.syncing import Scene, open_scene

DIALECTS = ("duckdb", "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start PostgreSQL once."""
    with serving() as server:
        yield server


@pytest.fixture(params=DIALECTS)
def dialect_name(request: pytest.FixtureRequest) -> str:
    """Name each dialect in turn."""
    return str(request.param)


@pytest.fixture
def place(dialect_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Secret:
    """Return the place of a new warehouse, of each dialect in turn."""
    if dialect_name == "duckdb":
        return Secret(f"duckdb:///{tmp_path}/warehouse.duckdb")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Secret(server.database())


@pytest.fixture
def warehouse(place: Secret) -> Warehouse:
    """Return a new warehouse, of each dialect in turn."""
    return warehouse_at(place, allow_private=True, patience=0.2)


@pytest.fixture
def scene(place: Secret, tmp_path: Path) -> Iterator[Scene]:
    """Open a store whose connection has a warehouse, of each dialect in turn."""
    opened = open_scene(tmp_path, place)
    yield opened
    opened.store.close()
