"""Delete, in small steps, what every lane has passed and retention has released. Implements ports.Keeper."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from candu_source.periods import HOUR, KEPT
from candu_source.store.departures import SqlDepartures
from candu_source.store.sqlite import Database

# Events or rows a step: a few milliseconds of writing, so that doors never notice.
_STEP = 1_000
_DAY = 86_400.0
# What tells whether there is anything aside to delete.
_EXPIRED = ("expired_dead", "expired_filtered", "expired_rejects", "expired_samples")


class SqlKeeper:
    """Prune the log and what came back of it after `retention_days`, what went aside after `reject_retention_days`, and old counts.

    What deleted connections left behind goes, too.
    """

    def __init__(self, database: Database, *, retention_days: float, reject_retention_days: float) -> None:
        self._database = database
        self._sql = database.sql
        self._departures = SqlDepartures(database)
        self._retention = retention_days * _DAY
        self._reject_retention = reject_retention_days * _DAY

    def prune(self) -> int:
        """Delete one small step; return the rows deleted, 0 when nothing is left to do."""
        now = time.time()
        aside = {"cutoff": now - self._reject_retention, "most": _STEP}
        candidates = self._database.rows("prunable_connections")
        deleted = sum(self._prune_log(connection, mark, passed, now - self._retention) for connection, mark, passed in candidates)
        deleted += self._departures.purge() + self._prune_aside(aside)
        return deleted + sum(self._prune_counts(step, now - kept) for step, kept in KEPT.items())

    def _prune_log(self, connection: str, mark: int, passed: int, cutoff: float) -> int:
        wanted = {"connection": connection, "after": mark, "before": passed, "most": _STEP}
        released, events = mark, 0
        for last, count, accepted_at in self._database.rows("prunable_chunks", wanted):
            if accepted_at >= cutoff or events >= _STEP:
                break
            released, events = last, events + count
        if released == mark:
            return 0
        with self._database.write() as db:
            step = {"connection": connection, "after": mark, "before": released}
            deleted = db.execute(self._sql["prune_log"], step).rowcount
            db.execute(self._sql["release_passed"], step)
            deleted += db.execute(self._sql["prune_attempts"], step).rowcount
            deleted += db.execute(self._sql["prune_confirmations"], step).rowcount
            db.execute(self._sql["mark_pruned"], step)
            return deleted

    def _prune_counts(self, step: int, cutoff: float) -> int:
        """Delete the oldest counts of a step, an hour of minutes or a few hours at a time."""
        oldest = self._database.row("oldest_count", {"step": step})[0]
        if oldest is None or oldest >= cutoff:
            return 0
        return self._database.run("prune_counts", {"step": step, "before": min(cutoff, oldest + HOUR)})

    def _prune_aside(self, wanted: dict[str, Any]) -> int:
        if not any(self._database.rows(name, wanted) for name in _EXPIRED):
            return 0
        with self._database.write() as db:
            db.execute(self._sql["forget_samples"], wanted)
            return self._prune_dead(db, wanted) + self._prune_filtered(db, wanted) + db.execute(self._sql["prune_rejects"], wanted).rowcount

    def _prune_dead(self, db: sqlite3.Connection, wanted: dict[str, Any]) -> int:
        expired = db.execute(self._sql["expired_dead"], wanted).fetchall()
        for connection, destination, seq in expired:
            db.execute(self._sql["raise_dead"], (connection, destination, seq))
            db.execute(self._sql["count_dead_expired"], (connection, destination))
            db.execute(self._sql["drop_chunk"], {"connection": connection, "seq": seq})
        return len(expired)

    def _prune_filtered(self, db: sqlite3.Connection, wanted: dict[str, Any]) -> int:
        expired = db.execute(self._sql["expired_filtered"], wanted).fetchall()
        db.executemany(self._sql["take_filtered"], expired)
        db.executemany(self._sql["count_filtered_expired"], [(connection,) for connection, _ in expired])
        return len(expired)
