"""Keep connections, their door tokens (digests only) and their write keys (encrypted)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time
from dataclasses import replace
from typing import Any

import msgspec

from candu_source.errors import Conflict, NotFound, StoreError
from candu_source.model import Connection, Region, Rules, Secret
from candu_source.store.sqlite import Database
from candu_source.store.vault import Vault

_TOKEN_BYTES = 24
_TOKEN_PREFIX = "cs_"  # noqa: S105 - a prefix by which secret scanners recognise a token
# Says at a glance that a token may stand in a web page.
PUBLIC_PREFIX = "pub_"
_PUBLIC_BYTES = 12
_ID_BYTES = 5
# How long a process may go on believing what it knows of a token: a change reaches every door within this.
_TOKEN_MEMORY_SECONDS = 1.0
_TOKEN_MEMORY_MOST = 10_000
SEGMENT_LANE = "segment"
# Built here, in one thread: msgspec works a type out at its first use, and two threads that do so together crash the process.
_read_rules = msgspec.json.Decoder(Rules).decode


class SqlConnections:
    """Create, find and change connections."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._sql = database.sql
        self._vault = vault
        self._remembered: dict[bytes, tuple[float, Connection]] = {}

    def add(self, name: str, write_key: Secret, *, region: Region, segment_host: str | None, rules: Rules) -> tuple[Connection, Secret]:
        """Create a connection with its Segment lane and first token; return both. Raises Conflict when the name is taken.

        The table of its portal rule goes into its contents.
        """
        connection = Connection(
            _new_id(), name, region, segment_host, paused=False, rules=rules, created_at=time.time(), public_token=_new_public_token()
        )
        token = _new_token()
        with self._database.write() as db:
            try:
                db.execute(self._sql["add_connection"], {**_row(connection), "write_key": self._vault.seal(write_key)})
            except sqlite3.IntegrityError:
                raise Conflict(f"a connection named {name!r} exists; choose another name or `connections show {name}`") from None
            db.execute(self._sql["add_lane"], {"connection": connection.id, "destination": SEGMENT_LANE})
            db.execute(self._sql["add_token"], {"digest": _digest(token), "connection": connection.id})
            db.executemany(self._sql["tell_content"], _portal_rows(connection))
        return connection, Secret(token)

    def all(self) -> list[Connection]:
        """List connections by name."""
        return [self._read(row) for row in self._database.rows("connections")]

    def named(self, name: str) -> Connection:
        """Find a connection by name or id; raise NotFound."""
        row = self._database.row("connection_named", {"name": name})
        if row is None:
            raise NotFound(f"there is no connection {name!r}; `candu-source connections list` shows them all")
        return self._read(row)

    def save(self, connection: Connection) -> None:
        """Write back region, host, pause and rules, without the portal rule's table: that is in the contents."""
        self._database.run("save_connection", _row(connection))

    def set_write_key(self, connection: Connection, write_key: Secret) -> None:
        """Put another write key in place and let held lanes go."""
        with self._database.write() as db:
            db.execute(self._sql["save_write_key"], {"connection": connection.id, "write_key": self._vault.seal(write_key)})
            db.execute(self._sql["unhold"], {"connection": connection.id})

    def unhold(self, connection: Connection) -> None:
        """Let held and waiting lanes go at once."""
        self._database.run("unhold", {"connection": connection.id})

    def rotate_token(self, connection: Connection, *, grace_seconds: float) -> Secret:
        """Return a new token; the ones in force run out after the grace period."""
        token = _new_token()
        with self._database.write() as db:
            db.execute(self._sql["expire_tokens"], {"connection": connection.id, "grace": grace_seconds})
            db.execute(self._sql["add_token"], {"digest": _digest(token), "connection": connection.id})
        return Secret(token)

    def of_token(self, token: str) -> Connection | None:
        """Find whose token this is, or None; an answer is believed for a second."""
        digest = _digest(token)
        if known := self._recall(digest):
            return known
        row = self._database.row("connection_of_token", {"digest": digest})
        if row is None or not hmac.compare_digest(row[0], digest):
            self._remembered.pop(digest, None)
            return None
        return self._remember(digest, self._read(row[1:]))

    def of_public_token(self, token: str) -> Connection | None:
        """Find whose public token this is, or None; an answer is believed for a second."""
        digest = _digest(token)
        if known := self._recall(digest):
            return known
        row = self._database.row("connection_of_public_token", {"token": token})
        if row is None:
            self._remembered.pop(digest, None)
            return None
        return self._remember(digest, self._read(row))

    def last_event(self, connection: str) -> float | None:
        """Return when a connection's last event was accepted (seconds since the epoch), or None."""
        row = self._database.row("last_event", {"connection": connection})
        return float(row[0]) if row else None

    def rotate_public_token(self, connection: Connection) -> Connection:
        """Return the connection with a new public token; the old one is a stranger's within a second."""
        token = _new_public_token()
        self._database.run("save_public_token", {"connection": connection.id, "token": token})
        return replace(connection, public_token=token)

    def set_identity_secret(self, connection: Connection, secret: Secret | None) -> None:
        """Put another secret in place, by which user ids from browsers are proven; None takes it away."""
        sealed = self._vault.seal(secret) if secret else None
        self._database.run("save_identity_secret", {"connection": connection.id, "secret": sealed})

    def _recall(self, digest: bytes) -> Connection | None:
        remembered = self._remembered.get(digest)
        return remembered[1] if remembered and time.monotonic() - remembered[0] < _TOKEN_MEMORY_SECONDS else None

    def _remember(self, digest: bytes, connection: Connection) -> Connection:
        if len(self._remembered) >= _TOKEN_MEMORY_MOST:
            self._remembered.clear()
        self._remembered[digest] = time.monotonic(), connection
        return connection

    def _read(self, row: Any) -> Connection:
        identifier, name, region, host, paused, rules, created_at, public_token, sealed = row
        try:
            known = _read_rules(rules)
        except msgspec.ValidationError as error:
            raise StoreError(f"the rules of connection {name} do not read: {error}") from error
        if known.portal.mode == "lookup":
            known = replace(known, portal=replace(known.portal, table=dict(self._database.rows("portals", {"connection": identifier}))))
        secret = self._vault.open(sealed) if sealed is not None and self._vault.opens(sealed) else None
        return Connection(identifier, name, Region(region), host, bool(paused), known, created_at, public_token, secret)

    def unreadable_keys(self) -> list[str]:
        """List the ids of connections whose write key does not decrypt."""
        return [connection for connection, sealed in self._database.rows("write_keys") if not self._vault.opens(sealed)]


def _new_id() -> str:
    return secrets.token_hex(_ID_BYTES)


def _new_token() -> str:
    return _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def _new_public_token() -> str:
    return PUBLIC_PREFIX + secrets.token_hex(_PUBLIC_BYTES)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _portal_rows(connection: Connection) -> list[dict[str, Any]]:
    told = {"connection": connection.id, "slug": None, "name": None}
    return [{**told, "content_id": content, "portal_id": portal} for content, portal in connection.rules.portal.table.items()]


def _row(connection: Connection) -> dict[str, Any]:
    rules = replace(connection.rules, portal=replace(connection.rules.portal, table={}))
    return {
        "id": connection.id,
        "name": connection.name,
        "region": connection.region,
        "segment_host": connection.segment_host,
        "paused": connection.paused,
        "rules": msgspec.json.encode(rules).decode(),
        "created_at": connection.created_at,
        "public_token": connection.public_token,
    }
