"""Write down who changed what, in the transaction that changes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database

Changes = Mapping[str, tuple[Any, Any]]
# Stands for a secret in `changes`.
MASKED = "…"


class Audited(NamedTuple):
    """Hold one change; `changes` is {field: (old, new)}, secrets masked."""

    id: int
    at: float
    who: str
    action: str
    connection: str | None
    name: str
    changes: dict[str, list[Any]]


def write_audit(
    db: sqlite3.Connection, sql: Statements, by: str, action: str, name: str, changes: Changes, *, connection: str | None = None
) -> None:
    """Add a row to the audit within the transaction of `db`."""
    row = {"who": by, "action": action, "connection": connection, "name": name, "changes": json.dumps(changes, ensure_ascii=False)}
    db.execute(sql["add_audit"], row)


class SqlAudit:
    """List what was changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, connection: str | None, most: int, *, before: int = 2**62) -> list[Audited]:
        """List changes, latest first, of one connection or of all; `before` is the id to go on from."""
        wanted = {"connection": connection, "most": most, "before": before}
        return [Audited._make((*row[:-1], json.loads(row[-1]))) for row in self._database.rows("audit", wanted)]

    def note(self, by: str, action: str, name: str, changes: Changes, *, connection: str | None = None) -> None:
        """Add a row by itself, for what is not a change of the store."""
        with self._database.write() as db:
            write_audit(db, self._database.sql, by, action, name, changes, connection=connection)
