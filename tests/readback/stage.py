"""Set up the whole way there and back: doors on a loopback port, a worker, and a twin for each of Segment's regions."""

from __future__ import annotations

import contextlib
import io
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import make_server

from candu_source import intake
from candu_source.app import build_beside, build_worker
from candu_source.confirming import Evidence, Verdict, judge
from candu_source.model import Connection, Heard, Region, Rules, Secret, TokenUse
from candu_source.observe import Telltale
from candu_source.probing import Prober
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store, open_store
from candu_source.twin import Twin
from candu_source.web import build_web
from tests.acceptance.waiting import until

# Later than any grace, so that what has come back by then is all there is.
LATER = 40.0


@dataclass
class Stage:
    """Hold what runs, and look at it; `log` is what the doors and the worker told."""

    settings: Settings
    store: Store
    us: Twin
    eu: Twin
    base: str
    prober: Prober
    log: io.StringIO

    def connect(self, key: str, *, region: Region = Region.US, posting: Twin | None = None, **options: Any) -> Connection:
        """Make a connection with a readback address to which a twin (that of its region) posts what it stores for the key."""
        draft = Connection("", f"c{uuid.uuid4().hex}", region=region, rules=Rules(custom_events="send"))
        connection, _ = self.store.connections.add(draft, Secret(key), by="test")
        (posting or (self.us if region is Region.US else self.eu)).readback(self.address(connection), key=key, **options)
        return connection

    def address(self, connection: Connection) -> str:
        """Make a readback address."""
        return f"{self.base}/v1/readback/{self.store.tokens.add(connection, TokenUse.READBACK, by='test').reveal()}"

    def accept(self, connection: Connection, events: int) -> list[str]:
        """Accept events and return their message ids."""
        ids = [uuid.uuid4().hex for _ in range(events)]
        heard = [Heard(0, b"{}", "e", "u", None, {}, {}, id=each) for each in ids]
        intake.accept(connection, "webhook", heard, self.store.log, Telltale(io.StringIO()))
        return [f"candu:{connection.id}:{each}" for each in ids]

    def send(self, connection: Connection, events: int) -> list[str]:
        """Accept events, wait until Segment has accepted them all, and return their message ids."""
        ids = self.accept(connection, events)
        until(lambda: not self.store.ledger.tallies(connection.id)[0].pending, "everything to be delivered")
        return ids

    def evidence(self, connection: Connection, later: float = LATER) -> Evidence:
        """Return the evidence as it will be in a while when nothing more comes."""
        return self.store.confirmations.evidence(connection.id, SEGMENT_LANE, time.time() + later)

    def verdict(self, connection: Connection, later: float = LATER) -> Verdict:
        """Judge that evidence."""
        return judge(self.evidence(connection, later), time.time() + later)

    def confirmed(self, connection: Connection) -> int:
        """Count the confirmed events of a connection."""
        with self.store.database.read() as db:
            return int(db.execute("SELECT count(*) FROM confirmations WHERE connection = ?", (connection.id,)).fetchone()[0])

    def wait_confirmed(self, connection: Connection, events: int) -> None:
        """Wait until so many are."""
        until(lambda: self.confirmed(connection) == events, f"{events} events to come back")

    def post(self, address: str, body: bytes | object, **headers: str) -> requests.Response:
        """Post to a readback address as Segment does."""
        given = {"Content-Type": "application/json", **headers}
        if isinstance(body, bytes):
            return requests.post(address, data=body, headers=given, timeout=30)
        return requests.post(address, json=body, headers=given, timeout=30)


@contextlib.contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Run everything; stop it afterwards."""
    with contextlib.ExitStack() as undo:
        us, eu = undo.enter_context(Twin()), undo.enter_context(Twin(region="eu"))
        settings = Settings(
            store_url=f"sqlite:///{directory / 'store.db'}",
            min_free_mb=0,
            allow_private_addresses=True,
            segment_us_url=us.url,
            segment_eu_url=eu.url,
            segment_us_api_url=us.url + "/public-api",
            segment_eu_api_url=eu.url + "/public-api",
        )
        log = io.StringIO()
        store = open_store(settings)
        undo.callback(store.close)
        server = make_server("127.0.0.1", 0, build_web(settings, Telltale(log)), threaded=True)
        _run(undo, server.serve_forever, server.shutdown)
        worker = build_worker(settings, Telltale(log), store)
        stop = threading.Event()
        _run(undo, lambda: worker.run(stop), stop.set)
        prober = build_beside(settings, Telltale(log), store, worker)["prober"]
        assert isinstance(prober, Prober)
        yield Stage(settings, store, us, eu, f"http://127.0.0.1:{server.port}", prober, log)


def _run(undo: contextlib.ExitStack, run: Any, stop: Any) -> None:
    thread = threading.Thread(target=run)
    thread.start()
    undo.callback(thread.join)
    undo.callback(stop)
