"""Hold a store with notices, and far ends that keep what they are sent."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from candu_source.announcer import Announcer
from candu_source.app import build_limits
from candu_source.causes import CAUSES, Cause, Urgency
from candu_source.channels import Letter, What
from candu_source.deliveries import Decision, Outcome, Settlement
from candu_source.destinations.channels import Courier
from candu_source.model import Connection
from candu_source.noticing import Found, Limits, judge
from candu_source.observe import Telltale
from candu_source.sending import build_courier
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.notices import KeptNotice
from tests.acceptance.waiting import until
from tests.store.shelf import ACCEPTED, claim

COURIER = Courier(allow_private=True)
LIMITS: Limits = build_limits(Settings(notice_free_mb=0, min_free_mb=0))
LETTER = Letter(What.OPENED, 7, Cause.LANE_HELD, "Candu_Prod", Urgency.NOW, "It is held. Mend it.", 1_700_000_000.0)


def look(store: Store, now: float, limits: Limits = LIMITS) -> list[KeptNotice]:
    """Judge once, as the sentinel does, and return what is open."""
    store.notices.reconcile(judge(store.notices.signals(now, 0.0), limits, now), now)
    return store.notices.open()


def found(connection: Connection | None = None, cause: Cause = Cause.LANE_HELD, text: str = "It is held.") -> Found:
    """Say that something needs a person, as soon as its cause does."""
    return Found(connection.id if connection else "", cause, "segment", CAUSES[cause][0], text)


def settle(store: Store, decision: Decision, outcome: Outcome = ACCEPTED, *, at: float | None = None) -> None:
    """Let the one due lane meet a decision."""
    delivery = claim(store)
    began = time.time() if at is None else at
    store.lanes.settle([Settlement(delivery, batch, outcome, decision, began, 0.1) for batch in delivery.batches])
    store.lanes.release("w")


@dataclass
class Receiver:
    """Keep what is posted to it, and answer as told: a status, and a body."""

    url: str = ""
    status: int = 200
    body: bytes = b"ok"
    bodies: list[Any] = field(default_factory=list)
    tries: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    def heard(self) -> list[tuple[str, str]]:
        """Return (what, cause) of what was taken, in order."""
        return [(body["what"], body["cause"]) for body in self.bodies]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve on loopback."""
    kept = Receiver()
    kept.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.tries += 1
            kept.gate.wait(30)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kept.status < 300:
                kept.bodies.append(json.loads(body))
            self.send_response(kept.status)
            self.send_header("Content-Length", str(len(kept.body)))
            if 300 <= kept.status < 400:
                self.send_header("Location", kept.url)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(kept.body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_address[1]}/hook/canary-in-the-path"
        yield kept
        kept.gate.set()
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def babbler() -> Iterator[int]:
    """Greet as a mail server does, in ten million bytes; yields the port."""

    def babble() -> None:
        with contextlib.suppress(OSError), server.accept()[0] as peer:
            peer.sendall(b"220-hello\r\n" * 1_000_000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=babble)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@contextlib.contextmanager
def announcing(store: Store, settings: Settings | None = None) -> Iterator[io.StringIO]:
    """Run the announcer beside a test; yields its log lines."""
    lines, stop = io.StringIO(), threading.Event()
    courier = build_courier(settings) if settings else COURIER
    thread = threading.Thread(target=Announcer(store.channels, courier, Telltale(lines)).run, args=(stop,))
    thread.start()
    try:
        yield lines
    finally:
        stop.set()
        thread.join()


def hurry(store: Store) -> None:
    """Let the waits of all posts be over."""
    with store.database.write() as db:
        db.execute("UPDATE notice_posts SET due_at = 0")


def heard(receiver: Receiver, count: int) -> list[tuple[str, str]]:
    """Wait for so many letters and return them."""
    until(lambda: len(receiver.bodies) >= count, f"{count} letters to arrive")
    return receiver.heard()
