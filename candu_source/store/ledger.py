"""Prove from the rows that nothing vanished: accepted = delivered + dead + filtered + pending."""

from __future__ import annotations

import sqlite3
from typing import Any

from candu_source.deliveries import LaneKind, Tally
from candu_source.store.sqlite import Database


class SqlLedger:
    """Count where events are, and check every count against rows that were written for another purpose."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def tallies(self, connection: str | None = None, *, check: bool = False) -> list[Tally]:
        """Return one tally a lane, from one snapshot; with `check`, faults name what does not add up."""
        with self._database.read() as db:
            db.execute("BEGIN")
            try:
                whole = [*self._place_faults(db), *self._id_faults(db)] if check else []
                cursor = db.execute(self._sql["tallies"], {"connection": connection})
                names = [column[0] for column in cursor.description]
                lanes = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                return [self._tally(lane, [*whole, *self._faults(db, lane)] if check else []) for lane in lanes]
            finally:
                db.execute("COMMIT")

    def _tally(self, row: dict[str, Any], faults: list[str]) -> Tally:
        dead_now = row["dead"] + row["dead_expired"]
        filtered = row["filtered"] + row["filtered_expired"]
        # What comes while a sync is off is none of its, and never will be.
        off = row["head"] - row["cursor"] - row["ahead"] if row["kind"] == LaneKind.STREAM and not row["enabled"] else 0
        return Tally(
            connection=row["name"],
            destination=row["destination"],
            accepted=row["head"] - row["began"] + filtered,
            delivered=row["cursor"] - row["began"] + row["ahead"] - dead_now - row["passed_over"],
            dead=dead_now - row["replaying"],
            filtered=filtered + row["passed_over"] + off,
            pending=row["head"] - row["cursor"] - row["ahead"] - off + row["replaying"],
            held=row["held"],
            oldest_pending=row["oldest_pending"],
            faults=tuple(faults),
            kind=row["kind"],
        )

    def _faults(self, db: sqlite3.Connection, row: dict[str, Any]) -> list[str]:
        lane = {"connection": row["id"], "destination": row["destination"], "after": row["pruned_to"]}
        own = {**lane, "after": max(row["pruned_to"], row["began"])}
        return [*self._log_faults(db, lane, row["head"]), *self._tiling_faults(db, own, row["cursor"]), *self._dead_faults(db, own)]

    def _log_faults(self, db: sqlite3.Connection, lane: dict[str, Any], head: int) -> list[str]:
        events, first, last, gaps = db.execute(self._sql["log_span"], lane).fetchone()
        expected = head - lane["after"]
        if gaps or events != expected or (events and (first, last) != (lane["after"] + 1, head)):
            return [f"the log should hold seqs {lane['after'] + 1} to {head}; it holds {events} from {first} to {last}"]
        return []

    def _place_faults(self, db: sqlite3.Connection) -> list[str]:
        """The seqs of all connections together must be as many as the events ever written."""
        given_out, written = db.execute(self._sql["places"]).fetchone()
        return [] if given_out == written else [f"{written} events were written; the seqs of all connections account for {given_out}"]

    def _id_faults(self, db: sqlite3.Connection) -> list[str]:
        """Every event of the log must have the id that refuses its second copy."""
        events, ids, strays = db.execute(self._sql["id_faults"]).fetchone()
        return [] if events == ids and not strays else [f"the log holds {events} events and {ids} ids, {strays} of them of no event"]

    def _tiling_faults(self, db: sqlite3.Connection, lane: dict[str, Any], cursor: int) -> list[str]:
        """Every seq up to the cursor must be ended by exactly one try."""
        reached = lane["after"]
        faults = []
        for first, last, _, _ in db.execute(self._sql["settled_ranges"], lane):
            if first > reached + 1 and reached < cursor:
                faults.append(f"no try ended seqs {reached + 1} to {first - 1}")
            if first <= reached and last > lane["after"] and first > lane["after"]:
                faults.append(f"seqs {first} to {min(reached, last)} were ended twice")
            reached = max(reached, last)
        return faults if reached >= cursor else [*faults, f"no try ended seqs {reached + 1} to {cursor}"]

    def _dead_faults(self, db: sqlite3.Connection, lane: dict[str, Any]) -> list[str]:
        """Buried, less those delivered after all, must be the dead letters that are there."""
        ranges = db.execute(self._sql["settled_ranges"], lane)
        buried = {seq for first, last, _, decision in ranges if decision in ("bury", "park") for seq in range(first, last + 1)}
        expected = {seq for seq in buried if seq > lane["after"]}
        for first, last in db.execute(self._sql["raised_ranges"], lane):
            expected.difference_update(range(first, last + 1))
        there = {seq for (seq,) in db.execute(self._sql["dead_seqs"], lane)}
        return [] if expected == there else [f"{len(expected ^ there)} dead letters do not match the tries that buried them"]
