"""Keep the probes: of each key at most one event that was sent to Segment's other region, too."""

from __future__ import annotations

from typing import Any

from candu_source.deliveries import Stored
from candu_source.model import Connection, Region
from candu_source.store.audit import write_audit
from candu_source.store.chunks import logged_at
from candu_source.store.sqlite import Database

_BATCHES = 1_000


class SqlProbes:
    """Implement probing.Probes on the shared SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def due(self, region: Region) -> list[tuple[str, str]]:
        """List the lanes (connection, destination) of a region that have a readback address, never confirmed nor probed with their key."""
        return [(connection, destination) for connection, destination in self._database.rows("unproven_lanes", {"region": region})]

    def candidate(self, connection: str, destination: str, before: float) -> Stored | None:
        """Return the latest event that was delivered before a time (epoch seconds), or None."""
        lane: dict[str, Any] = {"connection": connection, "destination": destination}
        with self._database.read() as db:
            batches = db.execute(self._sql["delivered_batches"], {**lane, "most": _BATCHES})
            seqs = [next((last for ended_at, _, _, last in batches if ended_at <= before), 0)]
            event = next(logged_at(db, self._sql, connection, seqs), None)
        return None if event is None else Stored(event.seq, event.message, event.accepted_at)

    def begin(self, connection: Connection, destination: str, event: Stored, host: str, at: float) -> bool:
        """Note, before it is done, that an event goes to another host; False when this key was probed already."""
        probe = {"connection": connection.id, "destination": destination, "seq": event.ref, "at": at}
        with self._database.write() as db:
            if not db.execute(self._sql["add_probe"], probe).rowcount:
                return False
            write_audit(db, self._sql, "probe", "probe.sent", connection.name, {"host": (None, host)}, connection=connection.id)
        return True

    def end(self, connection: Connection, destination: str, event: Stored, outcome: str) -> None:
        """Note what the other region answered, as a reason code."""
        probe = {"connection": connection.id, "destination": destination, "seq": event.ref, "outcome": outcome}
        self._database.run("end_probe", probe)
