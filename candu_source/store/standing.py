"""Tell where events stand: delivered, dead or pending on each lane, and whether Segment sent them back."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from candu_source.store.sql import Statements

State = tuple[str, str | None]


@dataclass(slots=True)
class Standing:
    """Hold where one event stands: destination -> (delivered, dead or pending; why), and destination -> when it came back."""

    states: dict[str, State] = field(default_factory=dict)
    confirmed: dict[str, float] = field(default_factory=dict)


def standings(db: sqlite3.Connection, sql: Statements, connection: str, seqs: Sequence[int]) -> dict[int, Standing]:
    """Return where each of some events of a connection stands; two look-ups for each event and lane, however long the log is."""
    found = {seq: Standing() for seq in seqs}
    for destination, cursor in db.execute(sql["lane_cursors"], {"connection": connection}).fetchall():
        lane = {"connection": connection, "destination": destination}
        beyond = db.execute(sql["settled_beyond"], {**lane, "cursor": cursor}).fetchall()
        among: dict[str, Any] = {**lane, "seqs": json.dumps(seqs)}
        dead = {seq: (reason, replay_at) for seq, reason, replay_at in db.execute(sql["dead_among"], among)}
        for seq, standing in found.items():
            standing.states[destination] = _state(dead.get(seq), passed=seq <= cursor or _is_within(seq, beyond))
        for seq, at in db.execute(sql["confirmed_among"], among):
            found[seq].confirmed[destination] = at
    return found


def _is_within(seq: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Tell whether one of some ranges (first, last), in order, holds a seq."""
    place = bisect_right(ranges, seq, key=lambda each: each[0])
    return place > 0 and seq <= ranges[place - 1][1]


def _state(dead: tuple[str, float | None] | None, *, passed: bool) -> State:
    if dead is not None:
        reason, replay_at = dead
        return ("pending", "replay") if replay_at else ("dead", reason)
    return ("delivered", None) if passed else ("pending", None)
