"""Hold a connection with syncs to a far end on loopback, and drive them as people do."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result

from candu_source import intake
from candu_source.app import build_worker
from candu_source.doors import DOORS
from candu_source.model import Connection, Secret
from candu_source.observe import Telltale
from candu_source.store.stats import LaneHealth
from tests.acceptance.waiting import until
from tests.cli.inside import Inside

CANARY = "canary-of-a-secret-parameter"
SAMPLES = Path(__file__).parents[2] / "samples" / "amplitude"


class Got(NamedTuple):
    """Hold one request."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass
class FarEnd:
    """Keep what is sent to it, and answer with a status and with all that it was sent."""

    url: str = ""
    status: int = 200
    got: list[Got] = field(default_factory=list)


class Scene(Inside):
    """Hold a store with a connection, and a far end."""

    def __init__(self, directory: Path, far: FarEnd) -> None:
        super().__init__(directory, allow_private_addresses=True)
        self.far = far
        self.log = io.StringIO()
        self.connection, _ = self.store.connections.add(Connection("", "Acme", segment_host="http://127.0.0.1:9"), Secret("wk"), by="test")
        self.store.connections.set_lane(self.connection, "segment", enabled=False, by="test")

    def add(self, name: str = "mine", integration: str = "candu", *words: str) -> Result:
        """Make a sync to the far end; its key is typed."""
        where = ("-p", "apiKey=-", "-p", f"endpoint={self.far.url}")
        return self.run("syncs", "add", name, "-i", integration, *where, *words, stdin=f"{CANARY}\n")

    def send(self, *samples: str | bytes) -> list[str]:
        """Send samples, or what is given as bytes, through Amplitude's door; return their message ids."""
        for sample in samples:
            raw = sample if isinstance(sample, bytes) else (SAMPLES / sample).read_bytes()
            heard = DOORS["amplitude"](raw, self.connection)
            intake.accept(self.connection, "amplitude", heard, self.store.log, Telltale(self.log))
        return [event.message_id for event in self.store.trace.tail(self.connection.id)]

    def lane(self, name: str = "mine") -> LaneHealth:
        """Return how the lane of a sync is."""
        return next(lane for lane in self.store.stats.health(self.connection.id).lanes if lane.destination == name)

    def deliver(self) -> None:
        """Let a worker work until every lane has tried what waits."""
        stop = threading.Event()
        worker = build_worker(self.settings, Telltale(self.log), self.store)
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            until(lambda: not any(lane.enabled and lane.waiting and not lane.held for lane in self._lanes()), "every lane to try")
        finally:
            stop.set()
            thread.join()

    def _lanes(self) -> tuple[LaneHealth, ...]:
        return self.store.stats.health(self.connection.id).lanes


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Open a store, and serve a far end."""
    far = FarEnd()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            far.got.append(Got(self.command, self.path, self.headers["Authorization"], body))
            said = f"you are {self.headers['Authorization']} and said ".encode() + body
            self.send_response(far.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        far.url = f"http://127.0.0.1:{server.server_port}"
        opened = Scene(tmp_path, far)
        yield opened
        server.shutdown()
        thread.join()
        opened.store.close()
