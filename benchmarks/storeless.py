"""Run the web process with a log that keeps nothing: what the doors cost by themselves.

Run as `python -m benchmarks.storeless`, with the environment of `candu-source web`.
"""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from granian import Granian

from candu_source import processes
from candu_source.doors import QUICK, create_doors
from candu_source.doors.gate import Gate
from candu_source.model import Admission, Receipt
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.serving import Serving
from candu_source.settings import Settings


class Nowhere:
    """Implement ports.Log without keeping anything."""

    def append(self, admission: Admission) -> Receipt:
        """Return at once the receipt that the store would return."""
        return Receipt(accepted=len(admission.events), filtered=len(admission.filtered), rejected=admission.rejects)


def create_web() -> Serving:
    """Return the service's application with `Nowhere` in place of the store's log."""
    settings = Settings.load(os.environ)
    telltale = Telltale()
    store = build_store(settings, telltale)
    gate = Gate(store.tokens, store.connections, Nowhere(), telltale, max_body_bytes=settings.max_body_kb * 1000)
    return Serving(create_doors(gate, store, telltale, settings).wsgi_app, QUICK, threads=settings.web_threads)


if __name__ == "__main__":
    start = Granian.__init__

    def aimed_here(self: Any, _target: str, **options: Any) -> None:
        """Start the same server, whatever its configuration, with the other application."""
        start(self, "benchmarks.storeless:create_web", **options)

    with mock.patch.object(Granian, "__init__", aimed_here):
        processes.run_web(Settings.load(os.environ))
