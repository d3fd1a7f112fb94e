"""Send inputs through the real doors into a real store, and watch."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from candu_source import intake
from candu_source.doors import DOORS
from candu_source.model import Connection, Receipt, Rules, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.store.shapes import KeptNotice
from candu_source.watch import Watch

SAMPLES = Path(__file__).parents[2] / "samples"
Seen = list[tuple[str, str, str, int]]


class Place:
    """Hold one store, the watch over it, and what it tells."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.settings = Settings(store_url=f"sqlite:///{directory}/store.db", **{"min_free_mb": 0, **settings})
        self.store: Store = open_store(self.settings)
        self.lines = io.StringIO()
        self.telltale = Telltale(self.lines)
        self.watch: Watch = Watch(self.store.shapes, self.store.connections, self.store.contents, self.telltale)

    def customer(self, rules: Rules | None = None) -> Connection:
        """Make a connection of its own, so that tests do not see each other's inputs."""
        made, _ = self.store.connections.add(Connection("", uuid.uuid4().hex, rules=rules or Rules()), Secret("wk"), by="test")
        return made

    def send(self, connection: Connection, door: str, body: Any) -> Receipt:
        """Send a body as a request does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return intake.accept(connection, door, DOORS[door](raw, connection), self.store.log, self.telltale)

    def look(self) -> None:
        """Read on until nothing is left to read."""
        while self.watch.step():
            pass

    def notices(self, connection: Connection, *, acked: bool = False) -> list[KeptNotice]:
        """List a connection's notices."""
        return self.store.shapes.notices(connection.id, acked=acked)

    def seen(self, connection: Connection) -> Seen:
        """Return (change, path, type, count) of a connection's notices."""
        return [(each.change, each.path, each.type, each.times) for each in self.notices(connection)]

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one fact."""
        return [fact for fact in map(json.loads, self.lines.getvalue().split("\n")[:-1]) if fact["fact"] == name]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Open a store to send to and to watch."""
    opened = Place(tmp_path)
    yield opened
    opened.store.close()


def sample(name: str) -> Any:
    """Return a sample."""
    return json.loads((SAMPLES / name).read_text("utf-8"))
