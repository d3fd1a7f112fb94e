"""Keep the integrations that people make: what is being written, how far it has come, and what syncs use."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from candu_source.errors import Conflict, NotFound, UsageError
from candu_source.integrations.catalog import SHIPPED, is_name, shipped
from candu_source.integrations.tile import Integration, State
from candu_source.store.audit import Changes, write_audit
from candu_source.store.sqlite import Database


@dataclass(frozen=True, slots=True)
class KeptIntegration:
    """Hold what is being written of an integration, as a file, and how far that has come.

    Times are seconds since the epoch; syncs use what was released at `released_at`, if it ever was.
    """

    name: str
    state: State
    file: bytes
    logo: bytes | None
    changed_at: float
    submitted_at: float | None
    released_at: float | None

    @property
    def integration(self) -> Integration:
        """Return what the file says; the state is ours, whatever it says of that."""
        return replace(_read(self.file, self.name, self.logo), state=self.state)


class SqlIntegrations:
    """Save, submit, release, find and remove integrations. `by` says who: it stands in the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql
        # name -> when it was released, and what
        self._released: dict[str, tuple[float, Integration]] = {}

    def save(self, name: str, file: bytes, logo: bytes | None = None, *, by: str) -> KeptIntegration:
        """Keep a TOML or JSON file as a draft, without a logo the one that it had; what syncs use stays as it is.

        Raises UsageError naming the field that is off, and Conflict for the name of a shipped one.
        """
        _insist_own(name)
        before = self._find(name)
        logo = before.logo if before and logo is None else logo
        _read(file, name, logo)
        if before and (before.file, before.logo) == (file, logo):
            return before
        changes = {"name": (before.name if before else None, name), "file": (_digest(before.file) if before else None, _digest(file))}
        with self._database.write() as db:
            db.execute(self._sql["save_integration"], {"name": name, "draft": file, "logo": logo})
            self._audit(db, by, "integration.changed" if before else "integration.added", name, changes)
        return self.named(name)

    def all(self) -> list[KeptIntegration]:
        """List the integrations that people made, by name."""
        return [_kept(row) for row in self._database.rows("integrations", {"name": None})]

    def named(self, name: str) -> KeptIntegration:
        """Find an integration that somebody made; raise NotFound."""
        found = self._find(name)
        if found is None:
            raise NotFound(f"there is no integration {name!r}; `candu-source integrations list` shows them all")
        return found

    def submit(self, name: str, *, by: str) -> KeptIntegration:
        """Submit what is being written; raise UsageError naming the first thing that keeps it from working, NotFound, or Conflict."""
        found = self.named(name)
        if found.state is not State.DRAFT:
            raise Conflict(f"{name} is {found.state} as it is; change it first")
        from candu_source.integrations.submitting import insist_working  # noqa: PLC0415 - as below

        insist_working(found.integration)
        with self._database.write() as db:
            self._step(db, "submit_integration", found, State.SUBMITTED, by)
        return self.named(name)

    def release(self, name: str, *, by: str) -> KeptIntegration:
        """Let syncs use what was submitted; theirs that were held try at once. Raises NotFound, and Conflict for what is not submitted."""
        found = self.named(name)
        if found.state is not State.SUBMITTED:
            raise Conflict(f"{name} is {found.state}, and only what is submitted is released: `candu-source integrations submit {name}`")
        with self._database.write() as db:
            self._step(db, "release_integration", found, State.RELEASED, by)
            for _, connection, destination, _ in db.execute(self._sql["integration_uses"], {"name": name}).fetchall():
                db.execute(self._sql["wake_lane"], {"connection": connection, "destination": destination})
        return self.named(name)

    def remove(self, name: str, *, by: str) -> None:
        """Forget an integration; raise NotFound, and Conflict while a sync uses it."""
        _insist_own(name)
        self.named(name)
        with self._database.write() as db:
            users = db.execute(self._sql["integration_uses"], {"name": name}).fetchall()
            if users:
                raise Conflict(f"{name} is used by {', '.join(f'{owner} › {sync}' for *_, sync, owner in users)}; remove that first")
            db.execute(self._sql["remove_integration"], {"name": name})
            self._audit(db, by, "integration.removed", name, {"name": (name, None)})

    def released(self, name: str) -> Integration:
        """Return what syncs use, shipped or released, the same object while it is the same; raise NotFound.

        One small row is read each time: a release in another process is seen at once.
        """
        if name in SHIPPED:
            return shipped(name)
        row = self._database.row("released_at", {"name": name})
        if row is None or row[0] is None:
            raise NotFound(f"no integration {name!r} is released; `candu-source integrations list` shows how far each is")
        known = self._released.get(name)
        if known is None or known[0] != row[0]:
            at, file, logo = self._database.row("released_integration", {"name": name})
            known = self._released[name] = at, replace(_read(file, name, logo), state=State.RELEASED)
        return known[1]

    def uses(self) -> Counter[str]:
        """Count the syncs of each integration."""
        return Counter(name for name, *_ in self._database.rows("integration_uses", {"name": None}))

    def _find(self, name: str) -> KeptIntegration | None:
        row = self._database.row("integrations", {"name": name})
        return None if row is None else _kept(row)

    def _step(self, db: sqlite3.Connection, statement: str, found: KeptIntegration, state: State, by: str) -> None:
        """Take an integration on as it was found; raise Conflict when somebody has changed it meanwhile."""
        if not db.execute(self._sql[statement], {"name": found.name, "draft": found.file}).rowcount:
            raise Conflict(f"{found.name} was changed meanwhile; look at it again")
        changes = {"state": (found.state, state), "file": (_digest(found.file),) * 2}
        self._audit(db, by, f"integration.{state}", found.name, changes)

    def _audit(self, db: sqlite3.Connection, by: str, action: str, name: str, changes: Changes) -> None:
        write_audit(db, self._sql, by, action, name, changes)


def _kept(row: Any) -> KeptIntegration:
    name, state, *others = row
    return KeptIntegration(name, State(state), *others)


def _read(file: bytes, name: str, logo: bytes | None) -> Integration:
    from candu_source.integrations.reading import read  # noqa: PLC0415 - most who open a store need no integration, and start sooner

    return read(file, name, logo)


def _insist_own(name: str) -> None:
    if not is_name(name):
        raise UsageError(f"an integration cannot be called {name!r}; use a-z, 0-9, - and _, a letter first")
    if name in SHIPPED:
        raise Conflict(f"{name} is shipped and stays as it is; choose another name")


def _digest(file: bytes) -> str:
    """Return what tells two versions of a file apart in the audit, where a header may hold what nobody should read there."""
    return hashlib.sha256(file).hexdigest()[:12]
