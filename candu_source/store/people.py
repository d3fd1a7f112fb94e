"""Keep who may sign in: users and their passwords, sessions, the first user's one-time link."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from werkzeug.security import check_password_hash, generate_password_hash

from candu_source.errors import Conflict, NotFound, UsageError
from candu_source.model import Person, Role, Secret
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.sqlite import Database
from candu_source.store.tokens import token_digest

LEAST_PASSWORD_CHARACTERS = 12  # OWASP, "Authentication Cheat Sheet": 8 with a second factor, 15 without; between them
_MOST_PASSWORD_CHARACTERS = 1_000
_MOST_NAME_CHARACTERS = 100
SESSION_SECONDS = 12 * 3600.0
INVITATION_SECONDS = 24 * 3600.0
_METHOD = "scrypt"  # werkzeug's default cost: 32 MB, 8 blocks


@cache
def _nobodys() -> str:
    """Return what is checked when nobody has the name, so that an answer takes as long; made when it is needed: it costs 0.1 s."""
    return generate_password_hash(secrets.token_hex(8), method=_METHOD)


class KeptUser(NamedTuple):
    """Hold one user as people see it; `connections` are ids, None for every one."""

    name: str
    role: Role
    connections: frozenset[str] | None
    created_at: float


class SqlPeople:
    """Add, check and remove users; sign them in and out."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def add(self, name: str, password: Secret, role: Role, *, connections: Sequence[str] | None, by: str) -> KeptUser:
        """Let a person sign in; `connections` are the ids in sight, None for every one. Raises Conflict and UsageError."""
        with self._database.write() as db:
            self._insert(db, _name(name), password, role, connections, by)
        return self.named(_name(name))

    def add_first(self, invitation: str, name: str, password: Secret) -> KeptUser:
        """Make the first user, an owner, by the one-time link; raise NotFound when the link is used, run out or not ours."""
        with self._database.write() as db:
            if not self._invited(db, invitation):
                raise NotFound("this link has been used or has run out; `candu-source users add` makes a user, too")
            self._insert(db, _name(name), password, Role.OWNER, None, "one-time link")
            db.execute(self._sql["forget_invitations"])
        return self.named(_name(name))

    def all(self) -> list[KeptUser]:
        """List users by name."""
        return [_user(row) for row in self._database.rows("users", {"name": None})]

    def named(self, name: str) -> KeptUser:
        """Find a user; raise NotFound."""
        row = self._database.row("users", {"name": name})
        if row is None:
            raise NotFound(f"there is no user {name!r}; `candu-source users list` shows them all")
        return _user(row)

    def set_password(self, name: str, password: Secret, *, by: str) -> None:
        """Put another password in place and end the user's sessions; raise NotFound and UsageError."""
        self.named(name)
        with self._database.write() as db:
            db.execute(self._sql["save_password"], {"name": name, "password": _hashed(password)})
            db.execute(self._sql["end_sessions"], {"name": name})
            write_audit(db, self._sql, by, "password.changed", name, {"password": (MASKED, MASKED)})

    def remove(self, name: str, *, by: str) -> None:
        """Let a person sign in no more, from this moment; raise NotFound."""
        self.named(name)
        with self._database.write() as db:
            db.execute(self._sql["remove_user"], {"name": name})
            write_audit(db, self._sql, by, "user.removed", name, {})

    def sign_in(self, name: str, password: Secret) -> Secret | None:
        """Return what a session's cookie holds, or None when name and password do not belong together."""
        row = self._database.row("users", {"name": name[:_MOST_NAME_CHARACTERS]})
        given = password.reveal()[:_MOST_PASSWORD_CHARACTERS]
        nobodys = _nobodys()
        if not check_password_hash(row[-1] if row else nobodys, given) or row is None:
            return None
        session = secrets.token_urlsafe(32)
        with self._database.write() as db:
            db.execute(self._sql["forget_sessions"])
            db.execute(self._sql["add_session"], {"digest": token_digest(session), "user": row[0], "seconds": SESSION_SECONDS})
        return Secret(session)

    def signed_in(self, session: str) -> Person | None:
        """Return whose session this is, or None."""
        digest = token_digest(session)
        row = self._database.row("session_user", {"digest": digest})
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        user = self.named(row[1])
        return Person(user.name, user.role, user.connections)

    def sign_out(self, session: str) -> None:
        """End a session."""
        self._database.run("end_session", {"digest": token_digest(session)})

    def invite(self) -> Secret | None:
        """Return a new one-time link's token while there is no user, and take back older ones; None when there is one."""
        if self.all():
            return None
        token = secrets.token_urlsafe(24)
        with self._database.write() as db:
            db.execute(self._sql["forget_invitations"])
            db.execute(self._sql["add_invitation"], {"digest": token_digest(token), "seconds": INVITATION_SECONDS})
        return Secret(token)

    def is_invited(self, invitation: str) -> bool:
        """Tell whether a one-time link may still be used."""
        with self._database.read() as db:
            return self._invited(db, invitation)

    def _invited(self, db: sqlite3.Connection, invitation: str) -> bool:
        digest = token_digest(invitation)
        row = db.execute(self._sql["invitation"], {"digest": digest}).fetchone()
        return row is not None and hmac.compare_digest(row[0], digest)

    def _insert(self, db: sqlite3.Connection, name: str, password: Secret, role: Role, connections: Sequence[str] | None, by: str) -> None:
        row = {"name": name, "password": _hashed(password), "role": role, "everything": connections is None}
        try:
            db.execute(self._sql["add_user"], row)
        except sqlite3.IntegrityError:
            raise Conflict(f"a user named {name!r} exists; `candu-source users password {name}` changes the password") from None
        db.executemany(self._sql["add_grant"], [{"user": name, "connection": each} for each in connections or ()])
        seen = "every one" if connections is None else list(connections)
        write_audit(db, self._sql, by, "user.added", name, {"role": (None, role), "connections": (None, seen)})


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > _MOST_NAME_CHARACTERS or not name.isprintable():
        raise UsageError(f"name: a user's name is 1 to {_MOST_NAME_CHARACTERS} printable characters")
    return name


def _hashed(password: Secret) -> str:
    text = password.reveal()
    if not LEAST_PASSWORD_CHARACTERS <= len(text) <= _MOST_PASSWORD_CHARACTERS:
        raise UsageError(f"password: use at least {LEAST_PASSWORD_CHARACTERS} characters; a sentence is easy to remember")
    return generate_password_hash(text, method=_METHOD)


def _user(row: Any) -> KeptUser:
    name, role, connections, created_at, _ = row
    return KeptUser(name, Role(role), None if connections is None else frozenset(json.loads(connections)), created_at)
