"""Build stores and admissions for the tests of the store."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import time
from pathlib import Path

from candu_source.deliveries import Batch, Decision, Delivery, Outcome, Settlement, Singly, Target
from candu_source.errors import Reason
from candu_source.jobs import ReplayKind, State, Wanted
from candu_source.limits import Pace
from candu_source.model import Admission, Connection, Event, Filtered, Reject, Secret
from candu_source.observe import Telltale
from candu_source.replaying import ASKED, Replayer
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store, open_store
from candu_source.store.ids import IdMover

ACCEPTED = Outcome(Reason.ACCEPTED, 200)
ANY = Wanted()


def make_store(directory: Path, **changes: object) -> Store:
    """Open a store in a directory, with settings changed."""
    chosen = {"min_free_mb": 0, **changes}
    return open_store(Settings(store_url=f"sqlite:///{directory / 'store.db'}", **chosen))  # type: ignore[arg-type]


def add_connection(store: Store, name: str = "Candu_Test") -> Connection:
    """Make a connection that would deliver to nowhere."""
    connection, _ = store.connections.add(Connection("", name, segment_host="http://127.0.0.1:9"), Secret("key-" + name), by="test")
    return connection


def events(*ids: str | int, size: int = 10) -> tuple[Event, ...]:
    """Make events whose messages are JSON of about `size` bytes, as long in the file: nothing in them repeats."""
    return tuple(Event(f"m{each}", json.dumps({"messageId": f"m{each}", "x": _noise(f"m{each}", size)}).encode(), b"{}") for each in ids)


def _noise(seed: str, size: int) -> str:
    """Return text that is always the same for a seed and cannot be compressed by much."""
    return base64.b64encode(hashlib.shake_128(seed.encode()).digest(size)).decode()[:size]


def move_all(store: Store) -> None:
    """Move every new id on to the index of all others."""
    mover = IdMover(store.database)
    for _ in range(16):
        mover.count(10**6)
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM new_ids").fetchone() == (0,)


def admit(connection: Connection, *ids: str | int, size: int = 10) -> Admission:
    """Make an admission of events."""
    return Admission(connection.id, "webhook", events(*ids, size=size))


def aside(connection: Connection, *, filtered: tuple[str, ...] = (), rejects: tuple[bytes, ...] = ()) -> Admission:
    """Make an admission of filtered events and rejects."""
    return Admission(
        connection.id,
        "webhook",
        filtered=tuple(Filtered(f"m{each}", "candu.sdk.new", Reason.UNKNOWN_EVENT, b"{}") for each in filtered),
        rejects=tuple(Reject(0, Reason.INVALID, {"field": ["is off"]}, raw) for raw in rejects),
    )


def claim(store: Store, worker: str = "w") -> Delivery:
    """Claim the one lane that is due."""
    (delivery,) = store.lanes.claim(worker, 10)
    return delivery


def settlement(delivery: Delivery, batch: Batch, decision: Decision | Singly, outcome: Outcome = ACCEPTED) -> Settlement:
    """Report one try."""
    return Settlement(delivery, batch, outcome, decision, started_at=1.0, seconds=0.5)


class Nowhere:
    """Stand where a replay that sends nothing needs a destination."""

    def deliver(self, target: Target, batch: Batch, tries: int) -> Outcome:
        """Fail: nothing should come here."""
        raise AssertionError(f"{len(batch.events)} events were sent to {target}")


def write_key(delivery: Delivery) -> Secret:
    """Return the key that a delivery to Segment goes out with."""
    assert isinstance(delivery.target, Target)
    return delivery.target.write_key


def ask_dead(store: Store, connection: Connection, wanted: Wanted = ANY, *, destination: str = SEGMENT_LANE) -> int:
    """Ask for dead letters to be sent again, by a replay of them; return how many were asked for."""
    draft = store.replays.draft(connection, ReplayKind.DEAD, wanted, destination=destination)
    if not draft.total:
        return 0
    job = store.replays.start(connection, draft, by="test")
    pace = Pace(rate=math.inf, key_rate=math.inf, now=time.monotonic())
    replayer = Replayer(store.turns, store.replayable, store.log, {}, Nowhere(), pace, Telltale(io.StringIO()), "test", math.inf)
    while replayer.step(job.id):
        pass
    done = store.replays.get(connection.id, job.id)
    assert done.state is State.DONE, done
    return done.counts[ASKED]


def refs(batch: Batch) -> list[int]:
    """Return the places of a batch's events."""
    return [event.ref for event in batch.events]
