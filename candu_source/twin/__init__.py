"""Stand in for Segment's Tracking API, offline: the twin.

`Twin` runs in a thread of a test, `serve_twin` runs in the foreground of a process, and the pytest fixture
`segment_twin` (candu_source/twin/fixture.py) yields a running `Twin`. A call goes through the files in this order:

    wire.py        bytes to WSGI and back; keep-alive, hang-ups and resets
    tracking.py    POST /v1/…: read, meet the faults, store, answer
    rules.py       what Segment does to a call (pure)
    memory.py      what was stored and dropped, and which ids were seen
    sources.py     which write keys are known, and in which region
    faults.py      how the far end is broken at the moment
    readback.py    the Webhooks destination: what was stored is posted to an address
    public_api.py  the Public API, as far as making a source goes
    inspection.py  GET|POST|DELETE /__twin/…: look inside, break, heal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from candu_source.twin.server import Twin, serve_twin
else:

    def __getattr__(name):
        """Import the server when it is first asked for: pytest loads this package in every run, and Flask is not free."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from candu_source.twin import server  # noqa: PLC0415 - on demand is the point

        return getattr(server, name)


__all__ = ["Twin", "serve_twin"]
