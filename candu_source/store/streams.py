"""Keep syncs: what each sends, of what, with which parameters, and whether it is on."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from typing import Any

from candu_source.deliveries import Filter, Outcome
from candu_source.errors import Conflict, NotFound, Reason, SecretUnreadable
from candu_source.limits import BATCH_EVENTS
from candu_source.model import Connection, Secret
from candu_source.naming import insist_on_lane_name
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.batches import open_stretches
from candu_source.store.lanes import attempts
from candu_source.store.sqlite import Database
from candu_source.store.vault import Vault
from candu_source.streams import Stream


class SqlStreams:
    """Add, find, change, switch and remove syncs; every call names its connection. `by` says who: it stands in the audit."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._sql = database.sql
        self._vault = vault

    def add(self, connection: Connection, draft: Stream, secrets: Mapping[str, Secret], *, by: str) -> Stream:
        """Make a sync, turned off, and its lane, which begins where the log ends; raise UsageError for its name, and Conflict."""
        insist_on_lane_name("sync", draft.name)
        with self._database.write() as db:
            if (draft.name,) in db.execute(self._sql["lane_names"], {"connection": connection.id}).fetchall():
                raise Conflict(f"{connection.name} has a lane {draft.name!r}; choose another name")
            db.execute(self._sql["add_stream_lane"], {"connection": connection.id, "destination": draft.name})
            db.execute(self._sql["add_stream"], {**self._row(connection, draft, secrets), "integration": draft.integration})
            self._audit(db, by, "sync.added", connection, {"name": (None, draft.name), "integration": (None, draft.integration)})
        return self.named(connection, draft.name)

    def all(self, connection: str | None = None) -> list[Stream]:
        """List the syncs of a connection's id, or all; raise SecretUnreadable."""
        return [self._read(row) for row in self._database.rows("streams", {"connection": connection})]

    def named(self, connection: Connection, name: str) -> Stream:
        """Find a sync by its name; raise NotFound, or SecretUnreadable."""
        there = {each.name: each for each in self.all(connection.id)}
        if name not in there:
            known = f"it has {', '.join(there)}" if there else "`candu-source syncs add` makes one"
            raise NotFound(f"{connection.name} has no sync {name!r}; {known}")
        return there[name]

    def secrets(self, connection: Connection, name: str) -> dict[str, Secret]:
        """Return the values of its secret parameters, for the one place that sends them; raise NotFound or SecretUnreadable."""
        row = self._database.row("stream_secrets", {"connection": connection.id, "destination": name})
        if row is None:
            raise NotFound(f"{connection.name} has no sync {name!r}")
        return self._open(row[0])

    def save(self, connection: Connection, stream: Stream, secrets: Mapping[str, Secret] | None = None, *, by: str) -> Stream:
        """Write back choices and parameters, and the secret ones that are given; what waits is tried at once. Raises NotFound."""
        before = self.named(connection, stream.name)
        kept = self._kept(connection, stream)
        changes: dict[str, tuple[Any, Any]] = {
            name: (dict(getattr(before, name)), dict(getattr(stream, name)))
            for name in ("choices", "parameters")
            if getattr(before, name) != getattr(stream, name)
        }
        changes |= {name: (MASKED, MASKED) for name in secrets or {} if kept.get(name) != (secrets or {})[name]}
        with self._database.write() as db:
            db.execute(self._sql["wake_lane"], {"connection": connection.id, "destination": stream.name})
            if changes:
                db.execute(self._sql["save_stream"], self._row(connection, stream, {**kept, **(secrets or {})}))
                self._audit(db, by, "sync.changed", connection, {"name": (stream.name, stream.name), **changes})
        return self.named(connection, stream.name)

    def enable(self, connection: Connection, stream: Stream, *, by: str) -> Stream:
        """Turn a sync on: what comes from now on is sent, nothing from before. Whether it may be, `integrations.enabling` says."""
        lane = {"connection": connection.id, "destination": stream.name}
        with self._database.write() as db:
            if not self._is_on(db, connection, stream):
                self._begin_anew(db, lane)
                db.execute(self._sql["wake_lane"], lane)
                self._audit(db, by, "sync.enabled", connection, {"name": (stream.name, stream.name)})
        return self.named(connection, stream.name)

    def disable(self, connection: Connection, stream: Stream, *, by: str) -> Stream:
        """Turn a sync off: what comes meanwhile is none of its. What was parked waits until it is on again."""
        lane = {"connection": connection.id, "destination": stream.name}
        with self._database.write() as db:
            if self._is_on(db, connection, stream):
                db.execute(self._sql["switch_lane"], {**lane, "enabled": False})
                self._audit(db, by, "sync.disabled", connection, {"name": (stream.name, stream.name)})
        return self.named(connection, stream.name)

    def remove(self, connection: Connection, stream: Stream, *, by: str) -> None:
        """Forget a sync, its lane and its dead letters."""
        with self._database.write() as db:
            for name in ("remove_stream", "remove_lane", "remove_attempts", "remove_stream_dead"):
                db.execute(self._sql[name], {"connection": connection.id, "destination": stream.name})
            self._audit(db, by, "sync.removed", connection, {"name": (stream.name, None)})

    def _is_on(self, db: sqlite3.Connection, connection: Connection, stream: Stream) -> bool:
        row = db.execute(self._sql["stream_switch"], {"connection": connection.id, "destination": stream.name}).fetchone()
        if row is None:
            raise NotFound(f"{connection.name} has no sync {stream.name!r}")
        return bool(row[0])

    def _begin_anew(self, db: sqlite3.Connection, lane: dict[str, str]) -> None:
        """Turn a lane on, and end all that came while it was off: it is none of its."""
        cursor, head = db.execute(self._sql["lane_end"], lane).fetchone()
        outcome = Outcome(Reason.NOT_ENABLED)
        for seqs in _steps(open_stretches(db, self._sql, lane, cursor), head):
            rows = attempts(lane, seqs, outcome, Filter(Reason.NOT_ENABLED), time.time(), 0.0)
            db.executemany(self._sql["add_attempt"], [{**row, "replay": False, "settled": True} for row in rows])
        db.execute(self._sql["begin_anew"], {**lane, "cursor": head})

    def _kept(self, connection: Connection, stream: Stream) -> dict[str, Secret]:
        """Return the secrets that there are; none where they do not decrypt any more and others have to be given."""
        try:
            return self.secrets(connection, stream.name)
        except SecretUnreadable:
            return {}

    def _row(self, connection: Connection, stream: Stream, secrets: Mapping[str, Secret]) -> dict[str, Any]:
        sealed = self._vault.seal(Secret(json.dumps({name: each.reveal() for name, each in secrets.items()})))
        return {
            "connection": connection.id,
            "destination": stream.name,
            "choices": json.dumps(dict(stream.choices)),
            "parameters": json.dumps(dict(stream.parameters)),
            "secrets": sealed,
        }

    def _read(self, row: Any) -> Stream:
        connection, name, integration, choices, parameters, secrets, enabled, created_at = row
        try:
            filled = tuple(sorted(self._open(secrets)))
        except SecretUnreadable:
            filled = ()
        return Stream(
            connection, name, integration, json.loads(choices), json.loads(parameters), filled, enabled=bool(enabled), created_at=created_at
        )

    def _open(self, sealed: bytes) -> dict[str, Secret]:
        return {name: Secret(text) for name, text in json.loads(self._vault.open(sealed).reveal()).items()}

    def _audit(self, db: sqlite3.Connection, by: str, action: str, connection: Connection, changes: dict[str, tuple[Any, Any]]) -> None:
        write_audit(db, self._sql, by, action, connection.name, changes, connection=connection.id)


def _steps(stretches: Iterator[tuple[int, int]], head: int) -> Iterator[range]:
    """Cut stretches (after, before), both exclusive, up to the log's end into what one row of tries may hold."""
    for after, before in stretches:
        last = min(before - 1, head)
        for first in range(after + 1, last + 1, BATCH_EVENTS):
            yield range(first, min(first + BATCH_EVENTS, last + 1))
