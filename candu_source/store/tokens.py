"""Keep the tokens of doors: digests only, save those that stand in web pages."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from candu_source.errors import NotFound
from candu_source.model import Connection, Secret, TokenUse
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database
from candu_source.waiting import apart

_TOKEN_BYTES = 24
# What a token is for, said by its first letters; secret scanners recognise it by them, too.
_PREFIXES = {TokenUse.SERVER: "cs_", TokenUse.BROWSER: "pub_", TokenUse.READBACK: "rb_"}
_PUBLIC_BYTES = 12
_SHOWN_CHARACTERS = 4
# How long a process may go on believing what it knows of a token: a change reaches every door within this.
_MEMORY_SECONDS = 1.0
_MEMORY_MOST = 10_000


class KeptToken(NamedTuple):
    """Hold what is known of one token; `id` names it, `shown` is all of a browser's token and the end of others."""

    id: str
    use: TokenUse
    label: str
    shown: str
    created_at: float
    expires_at: float | None


class SqlTokens:
    """Make tokens, let them run out, and find whose a token is."""

    def __init__(self, database: Database, find: Callable[[str], Connection]) -> None:
        self._database = database
        self._sql = database.sql
        self._find = find
        self._remembered: dict[tuple[TokenUse, bytes], tuple[float, Connection]] = {}

    def add(self, connection: Connection, use: TokenUse, *, by: str, label: str = "") -> Secret:
        """Return one more token; those in force stay so."""
        with self._database.write() as db:
            token = insert_token(db, self._sql, connection.id, use, label)
            self._note(db, by, "token.added", connection, use, label)
        return token

    def rotate(self, connection: Connection, use: TokenUse, *, grace_seconds: float, by: str) -> Secret:
        """Return a new token; the ones in force for this use run out after the grace period."""
        with self._database.write() as db:
            wanted = {"connection": connection.id, "door": use, "grace": grace_seconds}
            db.execute(self._sql["expire_tokens"], wanted)
            token = insert_token(db, self._sql, connection.id, use, "")
            self._note(db, by, "token.rotated", connection, use, "", grace_seconds=(None, grace_seconds))
        return token

    def expire(self, connection: Connection, identifier: str, *, grace_seconds: float, by: str) -> KeptToken:
        """Let one token run out after the grace period; raise NotFound."""
        token = next((each for each in self.all(connection.id) if each.id == identifier), None)
        if token is None:
            raise NotFound(f"{connection.name} has no token {identifier}; `connections tokens list {connection.name}` shows them")
        with self._database.write() as db:
            wanted = {"connection": connection.id, "digest": bytes.fromhex(identifier), "grace": grace_seconds}
            db.execute(self._sql["expire_token"], wanted)
            self._note(db, by, "token.expired", connection, token.use, token.label, grace_seconds=(None, grace_seconds))
        return token

    def all(self, connection: str) -> list[KeptToken]:
        """List the tokens of a connection that are in force or about to run out, latest first."""
        rows = self._database.rows("tokens", {"connection": connection})
        return [KeptToken(digest.hex(), TokenUse(use), *rest) for digest, use, *rest in rows]

    def owner(self, token: str, use: TokenUse) -> Connection | None:
        """Find whose token this is, or None; an answer is believed for a second."""
        digest = token_digest(token)
        known = self._remembered.get((use, digest))
        if known and time.monotonic() - known[0] < _MEMORY_SECONDS:
            return known[1]
        return apart(lambda: self._look_up(digest, use))

    def _look_up(self, digest: bytes, use: TokenUse) -> Connection | None:
        row = self._database.row("token_owner", {"digest": digest, "door": use})
        if row is None or not hmac.compare_digest(row[0], digest):
            self._remembered.pop((use, digest), None)
            return None
        if len(self._remembered) >= _MEMORY_MOST:
            self._remembered.clear()
        connection = self._find(row[1])
        self._remembered[use, digest] = time.monotonic(), connection
        return connection

    def forget(self) -> None:
        """Believe nothing that was remembered."""
        self._remembered.clear()

    def _note(self, db: sqlite3.Connection, by: str, action: str, connection: Connection, use: TokenUse, label: str, **more: Any) -> None:
        changes = {"use": (None, use), "label": (None, label), "token": (None, MASKED), **more}
        write_audit(db, self._sql, by, action, connection.name, changes, connection=connection.id)


def insert_token(db: sqlite3.Connection, sql: Statements, connection: str, use: TokenUse, label: str = "") -> Secret:
    """Make a token within the transaction of `db` and return it."""
    public = use is TokenUse.BROWSER
    token = _PREFIXES[use] + (secrets.token_hex(_PUBLIC_BYTES) if public else secrets.token_urlsafe(_TOKEN_BYTES))
    shown = token if public else MASKED + token[-_SHOWN_CHARACTERS:]
    db.execute(sql["add_token"], {"digest": token_digest(token), "connection": connection, "door": use, "label": label, "shown": shown})
    return Secret(token)


def token_digest(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
