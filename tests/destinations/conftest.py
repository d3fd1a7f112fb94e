"""Give the tests of destinations the command line, and our own application as a far end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from candu_source.settings import Settings
from tests.cli.terminal import run
from tests.doors.sender import Web

__all__ = ["door", "run"]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Web, str]]:
    """Serve the real application; yields it with its address."""
    web = Web(Settings(store_url=f"sqlite:///{tmp_path / 'far.db'}", min_free_mb=0))
    server = make_server("127.0.0.1", 0, web.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield web, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    web.store.close()
