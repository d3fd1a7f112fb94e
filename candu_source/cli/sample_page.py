"""Serve samples/browser, so that a person can press its buttons."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the demo shows what arrives."""


@contextlib.contextmanager
def sample_page() -> Iterator[str]:
    """Serve samples/browser from an origin of its own, as a customer's site would; yield that origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=SAMPLES / "browser"))
    threading.Thread(target=server.serve_forever, name="sample-page", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
