"""Keep the tokens by which programs read and change what people see in the console."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from typing import NamedTuple

from candu_source.errors import Conflict, NotFound, UsageError
from candu_source.model import Person, Role, Secret
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.sqlite import Database
from candu_source.store.tokens import token_digest

_PREFIX = "ca_"
_BYTES = 24
_SHOWN_CHARACTERS = 4
_MOST_NAME_CHARACTERS = 100


class KeptAdminToken(NamedTuple):
    """Hold what is known of an API token; `connection` is an id, None for every one."""

    name: str
    role: Role
    connection: str | None
    shown: str
    created_at: float


class SqlAdminTokens:
    """Make, list and remove API tokens, and find whose one is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def add(self, name: str, role: Role, *, connection: str | None, by: str) -> Secret:
        """Return a new token for every connection, or for one; raise Conflict when the name is taken, UsageError when it is none."""
        if not name.strip() or len(name) > _MOST_NAME_CHARACTERS or not name.isprintable():
            raise UsageError(f"name: an API token's name is 1 to {_MOST_NAME_CHARACTERS} printable characters")
        token = _PREFIX + secrets.token_urlsafe(_BYTES)
        row = {"digest": token_digest(token), "name": name.strip(), "role": role, "connection": connection}
        with self._database.write() as db:
            try:
                db.execute(self._sql["add_admin_token"], {**row, "shown": MASKED + token[-_SHOWN_CHARACTERS:]})
            except sqlite3.IntegrityError:
                raise Conflict(f"an API token named {name!r} exists; remove it first, or choose another name") from None
            changes = {"role": (None, role), "token": (None, MASKED)}
            write_audit(db, self._sql, by, "api_token.added", name, changes, connection=connection)
        return Secret(token)

    def all(self) -> list[KeptAdminToken]:
        """List API tokens by name."""
        return [KeptAdminToken(name, Role(role), *rest) for name, role, *rest in self._database.rows("admin_tokens")]

    def remove(self, name: str, *, by: str) -> None:
        """Let a program in no more; raise NotFound."""
        with self._database.write() as db:
            if not db.execute(self._sql["remove_admin_token"], {"name": name}).rowcount:
                raise NotFound(f"there is no API token {name!r}; `candu-source api-tokens list` shows them all")
            write_audit(db, self._sql, by, "api_token.removed", name, {})

    def owner(self, token: str) -> Person | None:
        """Return whose token this is, or None."""
        digest = token_digest(token)
        row = self._database.row("admin_token", {"digest": digest})
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        _, name, role, connection = row
        return Person(f"token {name}", Role(role), None if connection is None else frozenset((connection,)))
