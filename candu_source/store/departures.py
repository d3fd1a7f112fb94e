"""Delete what deleted connections left behind, in small steps, by whoever has time: the command that deletes, or the worker."""

from __future__ import annotations

import sqlite3

from candu_source.errors import NotFound
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database

# Events or rows a step: a few milliseconds of writing, so that doors never notice.
_STEP = 1_000
# What was under way when a connection was deleted (a request, a reading of the log) may still write of it for so long.
_LINGER_SECONDS = 60.0
# Every table that names a connection, save the audit, which stays, and those whose rows go with the connection's own.
PURGES = (
    "purge_replays",
    "purge_channels",
    "purge_probes",
    "purge_imports",
    "purge_warehouses",
    "purge_syncs",
    "purge_streams",
    "purge_last_seen",
    "purge_log",
    "purge_attempts",
    "purge_dead_letters",
    "purge_filtered",
    "purge_rejects",
    "purge_piles",
    "purge_confirmations",
    "purge_contents",
    "purge_counts",
    "purge_shapes",
    "purge_shape_notices",
    "purge_notices",
)


class SqlDepartures:
    """Purge deleted connections. A step that is cut short is taken up by the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def named(self, name: str) -> str:
        """Return the id of a deleted connection, of several of a name the latest; raise NotFound."""
        row = self._database.row("departed", {"name": name})
        if row is None:
            raise NotFound(f"there is no connection {name!r}, and none was deleted; `candu-source connections list` shows them all")
        return str(row[0])

    def purge(self) -> int:
        """Delete one small step; return the rows deleted, 0 when nothing is left for now."""
        departing = self._database.rows("departing", {"linger": _LINGER_SECONDS})
        if not departing:
            return 0
        with self._database.write() as db:
            return next((deleted for connection, is_over in departing if (deleted := self._purge(db, connection, bool(is_over)))), 0)

    def _purge(self, db: sqlite3.Connection, connection: str, is_over: bool) -> int:
        wanted = {"connection": connection, "most": _STEP}
        deleted = next((count for name in PURGES if (count := db.execute(self._sql[name], wanted).rowcount)), 0)
        if not deleted and is_over:
            db.execute(self._sql["purged"], wanted)
        return deleted


def depart(db: sqlite3.Connection, sql: Statements, connection: str) -> int | None:
    """Delete a connection within the transaction of `db`, so that nobody finds it; return how many events it ever had, or None.

    What it left behind is purged afterwards.
    """
    wanted = {"connection": connection}
    if not db.execute(sql["add_departure"], wanted).rowcount:
        return None
    events = db.execute(sql["departed_events"], wanted).fetchone()[0]
    db.execute(sql["delete_lanes"], wanted)
    db.execute(sql["delete_connection"], wanted)
    return int(events)
