"""A store of a newer candu-source is refused in one clear line, and left as it was."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.service import Service

_NEWER = 99


@pytest.fixture
def newer(tmp_path: Path) -> Service:
    """Make a store and write into it that a newer version made it."""
    service = Service(tmp_path)
    service.connect("Candu_Newer", "write-key", "http://127.0.0.1:9")
    write_version(service, _NEWER)
    return service


def write_version(service: Service, version: int) -> None:
    """Write the version of a store."""
    with contextlib.closing(sqlite3.connect(service.store)) as db:
        db.execute(f"PRAGMA user_version = {version:d}")


@pytest.mark.parametrize("words", ["serve", "web", "worker", "connections list", "connections add Another --write-key k", "ledger --check"])
def test_a_newer_store_is_refused(newer: Service, words: str) -> None:
    before = newer.store.read_bytes()
    ended = newer.ask(*words.split())
    assert ended.returncode not in (0, None)
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("Listening on")]
    assert line.startswith("candu-source: ")
    assert f"newer candu-source (store version {_NEWER}" in line
    assert not ended.stdout
    assert newer.store.read_bytes() == before
