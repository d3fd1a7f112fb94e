"""Tell where events stand: delivered, dead or pending on each lane, and whether Segment sent them back."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from candu_source.deliveries import LaneKind
from candu_source.errors import Reason
from candu_source.limits import BATCH_EVENTS
from candu_source.store.sql import Statements

State = tuple[str, str | None]


@dataclass(slots=True)
class Standing:
    """Hold where one event stands: destination -> (delivered, dead, filtered or pending; why), and destination -> when it came back."""

    states: dict[str, State] = field(default_factory=dict)
    confirmed: dict[str, float] = field(default_factory=dict)


def standings(db: sqlite3.Connection, sql: Statements, connection: str, seqs: Sequence[int]) -> dict[int, Standing]:
    """Return where each of some events of a connection stands; two look-ups for each event and lane, however long the log is."""
    found = {seq: Standing() for seq in seqs}
    for destination, cursor, kind, enabled in db.execute(sql["lane_cursors"], {"connection": connection}).fetchall():
        lane = {"connection": connection, "destination": destination}
        beyond = db.execute(sql["settled_beyond"], {**lane, "cursor": cursor}).fetchall()
        among: dict[str, Any] = {**lane, "seqs": json.dumps(seqs)}
        dead = {seq: (reason, replay_at, tries) for seq, reason, replay_at, tries in db.execute(sql["dead_among"], among)}
        for seq, standing in found.items():
            passed = seq <= cursor or _is_within(seq, beyond)
            filtered = None
            if kind == LaneKind.STREAM:
                filtered = _passed_over(db, sql, lane, seq) if passed or enabled else Reason.NOT_ENABLED
            standing.states[destination] = _state(dead.get(seq), filtered, passed=passed)
        for seq, at in db.execute(sql["confirmed_among"], among):
            found[seq].confirmed[destination] = at
    return found


def _passed_over(db: sqlite3.Connection, sql: Statements, lane: dict[str, Any], seq: int) -> str | None:
    """Return why a sync passed an event over, None when it did not."""
    row = db.execute(sql["passed_over"], {**lane, "seq": seq, "most": BATCH_EVENTS}).fetchone()
    return str(row[0]) if row else None


def _is_within(seq: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Tell whether one of some ranges (first, last), in order, holds a seq."""
    place = bisect_right(ranges, seq, key=lambda each: each[0])
    return place > 0 and seq <= ranges[place - 1][1]


def _state(dead: tuple[str, float | None, int] | None, passed_over: str | None, *, passed: bool) -> State:
    if dead is not None:
        reason, replay_at, tries = dead
        return ("pending", "parked" if tries else "replay") if replay_at else ("dead", reason)
    if passed_over is not None:
        return "filtered", passed_over
    return ("delivered", None) if passed else ("pending", None)
