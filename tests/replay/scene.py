"""Deliver events to the twin through real doors, log and worker, then send them again."""

from __future__ import annotations

import io
import json
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import requests

from candu_source import intake
from candu_source.app import build_replayer, build_worker
from candu_source.doors import DOORS
from candu_source.dry_run import DryRun
from candu_source.jobs import Replay, ReplayKind, State, Wanted
from candu_source.model import Connection, Receipt, Rules, Secret
from candu_source.observe import Telltale
from candu_source.replaying import Replayer
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.twin import Twin

PATIENCE_SECONDS = 30.0
ANY = Wanted()


class _Arrived(msgspec.Struct):
    message: msgspec.Raw


class _Page(msgspec.Struct):
    messages: list[_Arrived]
    next: int | None


class Scene:
    """Hold one store, the twin that it delivers to, and who sends again."""

    def __init__(self, directory: Path, twin: Twin, **settings: Any) -> None:
        fast = {
            "store_url": f"sqlite:///{directory}/store.db",
            "requests_per_second": 1e6,
            "key_requests_per_second": 1e6,
            "replay_events_per_second": 1e6,
            "min_free_mb": 0,
        }
        self.settings = Settings(allow_private_addresses=True, **{**fast, **settings})
        self.twin = twin
        self.store: Store = open_store(self.settings)
        self.lines = io.StringIO()
        self.telltale = Telltale(self.lines)
        self.worker = build_worker(self.settings, self.telltale, self.store)
        self.replayer = self.another("test")

    def another(self, name: str) -> Replayer:
        """Return who sends again under another name."""
        return build_replayer(self.settings, self.telltale, self.store, self.worker, name=name)

    def customer(self, rules: Rules | None = None, name: str | None = None) -> Connection:
        """Make a connection that delivers to the twin under a key of its own."""
        name = name or f"A{uuid.uuid4().hex}"
        draft = Connection("", name, segment_host=self.twin.url, rules=rules or Rules(custom_events="send"))
        return self.store.connections.add(draft, Secret(f"key-{name}"), by="test")[0]

    def send(self, connection: Connection, *items: Any, door: str = "webhook") -> Receipt:
        """Send items in one request."""
        body = json.dumps(items).encode()
        return intake.accept(connection, door, DOORS[door](body, connection), self.store.log, self.telltale)

    def deliver(self) -> None:
        """Run the worker until nothing is pending any more."""
        self.worker.run(_UntilDrained(self.store))

    def change(self, connection: Connection, **rules: Any) -> Connection:
        """Change rules."""
        return self.store.connections.save(replace(connection, rules=replace(connection.rules, **rules)), by="test")

    def start(self, connection: Connection, wanted: Wanted = ANY, *, kind: ReplayKind = ReplayKind.EVENTS, as_new: bool = False) -> Replay:
        """Start a job."""
        return self.store.replays.start(connection, self.store.replays.draft(connection, kind, wanted, as_new=as_new), by="test")

    def play(self, replay: Replay) -> Replay:
        """Work through a job to its end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (replay := self.seen(replay)).state is State.RUNNING:
            assert time.monotonic() < deadline, f"it does not end: {replay}"
            self.replayer.step(replay.id)
        return replay

    def again(self, connection: Connection, wanted: Wanted = ANY, **options: Any) -> dict[str, int]:
        """Send again and return what came of it; it must end well."""
        ended = self.play(self.start(connection, wanted, **options))
        assert ended.state is State.DONE, ended
        assert ended.looked_at == ended.total == sum(ended.counts.values())
        return dict(ended.counts)

    def seen(self, replay: Replay) -> Replay:
        """Return a job as it is now."""
        return self.store.replays.get(replay.connection, replay.id)

    def foretold(self, connection: Connection, wanted: Wanted = ANY, *, as_new: bool = False) -> tuple[DryRun, list[bytes]]:
        """Run dry and return what that says, with the calls."""
        calls: list[bytes] = []
        draft = self.store.replays.draft(connection, ReplayKind.EVENTS, wanted, as_new=as_new)
        run = DryRun(draft, connection, DOORS, self.store.replayable, calls.append)
        while run.step():
            pass
        return run, calls

    def arrived(self, connection: Connection) -> list[bytes]:
        """Return the stored calls of one connection as the twin received them, byte for byte."""
        return arrived(self.twin, f"key-{connection.name}")

    def holds(self) -> bool:
        """Tell whether the ledger holds, checked against every try."""
        return all(tally.holds for tally in self.store.ledger.tallies(check=True))


def arrived(twin: Twin, key: str, status: str = "stored") -> list[bytes]:
    """Return calls of one write key as the twin received them, byte for byte."""
    after: int | None = 0
    found: list[bytes] = []
    while after is not None:
        asked = {"status": status, "source": twin.source_id(key), "after": str(after), "limit": "10000"}
        page = msgspec.json.decode(requests.get(f"{twin.url}/__twin/messages", params=asked, timeout=30).content, type=_Page)
        found += [bytes(each.message) for each in page.messages]
        after = page.next
    return found


def delivered(scene: Scene, events: int = 40) -> Connection:
    """Make a customer whose events have all arrived; forget what the twin had."""
    customer = scene.customer()
    scene.send(customer, *[view(n) for n in range(events)])
    scene.deliver()
    scene.twin.clear()
    return customer


def ids(scene: Scene, connection: Connection) -> list[str]:
    """Return the senders' ids that the twin has stored."""
    return [json.loads(call)["messageId"].rpartition(":")[2] for call in scene.arrived(connection)]


def view(number: object, **fields: Any) -> dict[str, Any]:
    """Make a view by the webhook, with an id of its own."""
    properties = {"documentId": 7, "segmentId": "Everyone", "versionId": "v", "contentId": f"c-{number}"}
    made = {"id": f"id-{number}", "userId": "u1", "type": "Screen", "screenName": "candu.sdk.content", "properties": properties}
    return {"payload": {**made, "receivedAt": "2026-01-31T12:00:00.000Z", **fields}}


def named(event: str, number: object, **properties: Any) -> dict[str, Any]:
    """Make a track of any name."""
    return {"payload": {"id": f"id-{number}", "userId": "u1", "type": "Track", "eventName": event, "properties": properties}}


class _UntilDrained:
    """Stop once nothing is pending."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def is_set(self) -> bool:
        """Tell whether nothing is pending."""
        assert time.monotonic() < self._deadline, "it does not drain"
        return not any(tally.pending for tally in self._store.ledger.tallies())

    def wait(self, timeout: float) -> bool:
        """Wait as a thread does."""
        time.sleep(min(timeout, 0.01))
        return self.is_set()
