"""Keep connections, their write keys and secrets encrypted; every change is audited in its own transaction."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from candu_source.draft import differences
from candu_source.errors import Conflict, NotFound, SecretUnreadable, StoreError, UsageError
from candu_source.model import Connection, Region, Rules, Secret, TokenUse
from candu_source.naming import schema_name
from candu_source.store.audit import MASKED, Changes, write_audit
from candu_source.store.departures import depart
from candu_source.store.sqlite import Database
from candu_source.store.tokens import insert_token
from candu_source.store.vault import Vault
from candu_source.waiting import apart

_ID_BYTES = 5
SEGMENT_LANE = "segment"
# Built here, in one thread: msgspec works a type out at its first use, and two threads that do so together crash the process.
_read_rules = msgspec.json.Decoder(Rules).decode
# What may be changed of a connection, beside its rules and secrets.
_CHANGEABLE = ("name", "environment", "region", "segment_host", "paused", "requests_per_minute", "pending_most", "segment_source")


class SqlConnections:
    """Create, find and change connections. `by` says who: it stands in the audit."""

    def __init__(self, database: Database, vault: Vault, hosts: Mapping[Region, str]) -> None:
        self._database = database
        self._sql = database.sql
        self._vault = vault
        self._hosts = hosts

    def add(self, draft: Connection, write_key: Secret, *, by: str) -> tuple[Connection, Secret]:
        """Create a connection with its Segment lane and a token for each of its doors; return it with the server's token.

        Of `draft` the id and the time are made here. The table of its portal rule goes into its contents. Raises Conflict when the
        name, or the warehouse schema that it names, is taken, and UsageError when it names none.
        """
        made = replace(draft, id=secrets.token_hex(_ID_BYTES), slug=_slug(draft.name), created_at=time.time(), hosts=self._hosts)
        with self._database.write() as db:
            self._insist_free(db, made)
            db.execute(self._sql["add_connection"], {**_row(made), "write_key": self._vault.seal(write_key)})
            db.execute(self._sql["add_lane"], {"connection": made.id, "destination": SEGMENT_LANE})
            public = insert_token(db, self._sql, made.id, TokenUse.BROWSER)
            token = insert_token(db, self._sql, made.id, TokenUse.SERVER)
            db.executemany(self._sql["tell_content"], _portal_rows(made))
            changes = {"name": (None, made.name), "region": (None, made.region), "write_key": (None, MASKED)}
            self._audit(db, by, "connection.added", made, changes)
        return replace(made, public_token=public.reveal()), token

    def vet(self, draft: Connection) -> Connection:
        """Return a draft with the slug of its name, having made nothing; raise Conflict and UsageError as `add` does."""
        named = replace(draft, slug=_slug(draft.name))
        with self._database.read() as db:
            self._insist_free(db, named)
        return named

    def all(self) -> list[Connection]:
        """List connections by name."""
        return [self._read(row) for row in self._database.rows("connections", {"name": None})]

    def named(self, name: str) -> Connection:
        """Find a connection by name or id; raise NotFound."""
        row = self._database.row("connections", {"name": name})
        if row is None:
            raise NotFound(f"there is no connection {name!r}; `candu-source connections list` shows them all")
        return self._read(row)

    def save(self, connection: Connection, *, by: str) -> Connection:
        """Write back what may be changed, without the portal rule's table (that is in the contents), and return it as it is now.

        Raises Conflict and UsageError as `add` does.
        """
        before = self.named(connection.id)
        slug = before.slug if connection.name == before.name else _slug(connection.name)
        after = replace(connection, slug=slug)
        changes = differences(before, after)
        if before.segment_source != after.segment_source:
            changes["segment_source"] = before.segment_source, after.segment_source
        if changes:
            with self._database.write() as db:
                self._insist_free(db, after)
                db.execute(self._sql["save_connection"], _row(after))
                self._audit(db, by, "connection.changed", before, changes)
        return after

    def set_write_key(self, connection: Connection, write_key: Secret, *, by: str) -> None:
        """Put another write key in place and let held lanes go."""
        with self._database.write() as db:
            db.execute(self._sql["save_write_key"], {"connection": connection.id, "write_key": self._vault.seal(write_key)})
            db.execute(self._sql["unhold"], {"connection": connection.id})
            self._audit(db, by, "write_key.changed", connection, {"write_key": (MASKED, MASKED)})

    def write_key(self, connection: Connection) -> Secret:
        """Return the write key, for the one place that sends it; raise NotFound or SecretUnreadable."""
        row = self._database.row("write_key", {"connection": connection.id})
        if row is None:
            raise NotFound(f"connection {connection.name} was deleted")
        return self._vault.open(row[0])

    def has_write_key(self, connection: Connection, write_key: Secret) -> bool:
        """Tell whether this is the write key in force; one that does not decrypt is not."""
        try:
            return self.write_key(connection) == write_key
        except SecretUnreadable:
            return False

    def delete(self, connection: Connection, *, by: str) -> None:
        """Delete a connection: from here on no door knows it and nobody delivers its events; an audit row stays. Raises NotFound.

        What it left behind is deleted step by step, by the worker's housekeeping or whoever calls `SqlDepartures.purge`.
        """
        with self._database.write() as db:
            events = depart(db, self._sql, connection.id)
            if events is None:
                raise NotFound(f"connection {connection.name} was deleted")
            self._audit(db, by, "connection.deleted", connection, {"name": (connection.name, None), "events": (events, None)})

    def lanes(self, connection: str) -> dict[str, bool]:
        """Return {destination: whether its lane is on}."""
        return {destination: bool(enabled) for destination, enabled in self._database.rows("lane_switches", {"connection": connection})}

    def set_lane(self, connection: Connection, destination: str, enabled: bool, *, by: str) -> None:
        """Turn a lane on or off; while it is off its events wait. Raises NotFound."""
        lanes = self.lanes(connection.id)
        if destination not in lanes:
            known = f"it has {', '.join(lanes) or 'none'}, and `candu-source syncs` for syncs"
            raise NotFound(f"{connection.name} has no lane {destination!r}; {known}")
        if lanes[destination] == enabled:
            return
        with self._database.write() as db:
            db.execute(self._sql["switch_lane"], {"connection": connection.id, "destination": destination, "enabled": enabled})
            self._audit(db, by, "lane.changed", connection, {f"lanes.{destination}": (not enabled, enabled)})

    def waiting(self, connection: str) -> int:
        """Count the events that the slowest lane has not passed, from two seqs; dead letters asked for again are not among them."""
        row = apart(lambda: self._database.row("waiting", {"connection": connection}))
        return int(row[0] or 0) if row else 0

    def unhold(self, connection: Connection, *, by: str) -> None:
        """Let held and waiting lanes go at once."""
        with self._database.write() as db:
            db.execute(self._sql["unhold"], {"connection": connection.id})
            self._audit(db, by, "lanes.retried", connection, {})

    def set_identity_secret(self, connection: Connection, secret: Secret | None, *, by: str) -> None:
        """Put another secret in place, by which user ids from browsers are proven; None takes it away."""
        sealed = self._vault.seal(secret) if secret else None
        masked = (MASKED if connection.identity_secret else None, MASKED if secret else None)
        with self._database.write() as db:
            db.execute(self._sql["save_identity_secret"], {"connection": connection.id, "secret": sealed})
            self._audit(db, by, "identity_secret.changed", connection, {"identity_secret": masked})

    def last_event(self, connection: str) -> float | None:
        """Return when a connection's last event was accepted (seconds since the epoch), or None."""
        row = self._database.row("last_event", {"connection": connection})
        return float(row[0]) if row else None

    def unreadable_keys(self) -> list[str]:
        """List the ids of connections whose write key does not decrypt."""
        return [connection for connection, sealed in self._database.rows("write_keys") if not self._vault.opens(sealed)]

    def _insist_free(self, db: sqlite3.Connection, connection: Connection) -> None:
        for row in db.execute(self._sql["connections"], {"name": None}):
            identifier, name, slug = row[:3]
            if identifier == connection.id:
                continue
            if name == connection.name:
                raise Conflict(f"a connection named {name!r} exists; choose another name or `connections show {name}`")
            if slug == connection.slug:
                raise Conflict(f"{connection.name!r} names the warehouse schema {slug}, which {name!r} has; choose another name")

    def _audit(self, db: sqlite3.Connection, by: str, action: str, connection: Connection, changes: Changes) -> None:
        write_audit(db, self._sql, by, action, connection.name, changes, connection=connection.id)

    def _read(self, row: Any) -> Connection:
        (identifier, name, slug, environment, region, host, paused, rules, created_at, per_minute, most, source, sealed, public) = row
        try:
            known = _read_rules(rules)
        except msgspec.ValidationError as error:
            raise StoreError(f"the rules of connection {name} do not read: {error}") from error
        if known.portal.mode == "lookup":
            known = replace(known, portal=replace(known.portal, table=dict(self._database.rows("portals", {"connection": identifier}))))
        return Connection(
            id=identifier,
            name=name,
            slug=slug,
            environment=environment,
            region=Region(region),
            segment_host=host,
            paused=bool(paused),
            rules=known,
            created_at=created_at,
            requests_per_minute=per_minute,
            pending_most=most,
            segment_source=source,
            hosts=self._hosts,
            public_token=public or "",
            identity_secret=self._vault.open(sealed) if sealed is not None and self._vault.opens(sealed) else None,
        )


def _slug(name: str) -> str:
    slug = schema_name(name)
    if not slug:
        raise UsageError(f"{name!r} names no warehouse schema; use at least one Latin letter or digit")
    return slug


def _stored_rules(rules: Rules) -> Rules:
    return replace(rules, portal=replace(rules.portal, table={}))


def _portal_rows(connection: Connection) -> list[dict[str, Any]]:
    told = {"connection": connection.id, "slug": None, "name": None}
    return [{**told, "content_id": content, "portal_id": portal} for content, portal in connection.rules.portal.table.items()]


def _row(connection: Connection) -> dict[str, Any]:
    return {
        **{name: getattr(connection, name) for name in ("id", "slug", "created_at", *_CHANGEABLE)},
        "rules": msgspec.json.encode(_stored_rules(connection.rules)).decode(),
    }
