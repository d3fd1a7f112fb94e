"""Count by minute and by hour, in the transaction that makes what is counted: for charts, nothing is proved by it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from candu_source.deliveries import Advance, Bury, LaneKind, Settlement
from candu_source.errors import Reason
from candu_source.latency import bucket
from candu_source.periods import KEPT
from candu_source.store.sql import Statements

# What deliveries are counted as, under the topic `lane:<destination>`; and `latency:<bucket>`. What is left out are values, not events.
FIRST_ATTEMPT, AFTER_RETRY, DISCARDED, EXPIRED, LEFT_OUT = "first_attempt", "after_retry", "discarded", "expired", "left_out"
LATENCY = "latency:"


class Counted(NamedTuple):
    """Name what is counted: the connection, a topic (`door:webhook`, `lane:segment`…), a name within it, and when it was (epoch)."""

    connection: str
    topic: str
    name: str
    at: float


def add_counts(db: sqlite3.Connection, sql: Statements, counts: Mapping[Counted, int]) -> None:
    """Add to the minutes and the hours in which things were; within the transaction of `db`."""
    together: dict[tuple[str, str, str, int, int], int] = {}
    for each, amount in counts.items():
        for step in KEPT:
            row = (each.connection, each.topic, each.name, step, int(each.at // step) * step)
            together[row] = together.get(row, 0) + amount
    db.executemany(sql["add_count"], ((*row, amount) for row, amount in together.items()))


def see_doors(db: sqlite3.Connection, sql: Statements, seen: Iterable[tuple[str, str, float]]) -> None:
    """Remember that something came by these doors: rows of connection, door and time."""
    db.executemany(sql["see_door"], seen)


def count_settlement(db: sqlite3.Connection, sql: Statements, settlement: Settlement, now: float) -> None:
    """Count the events that one try ended."""
    delivery = settlement.delivery
    topic = f"lane:{delivery.destination}"
    ended = ended_by(settlement, now)
    add_counts(db, sql, {Counted(delivery.connection_id, topic, name, now): amount for name, amount in ended.items()})


def ended_by(settlement: Settlement, now: float) -> Counter[str]:
    """Count the events that one try ended, by how and by how long that took since they were accepted, and the values that it left out.

    A dead letter that somebody asked for again counts when it is delivered, without its time: it waited for a person.
    """
    ended: Counter[str] = Counter()
    replay, lane_failed = settlement.batch.replay, settlement.delivery.failures > 0
    again = lane_failed and settlement.delivery.kind is not LaneKind.STREAM  # of a sync, each event has its own tries
    for part in settlement.parts():
        for (accepted_at, parked), some in Counter((event.accepted_at, event.tries > 0) for event in part.events).items():
            asked = replay and not parked
            match part.decision:
                case Advance():
                    ended[AFTER_RETRY if again or replay else FIRST_ATTEMPT] += some
                    if not asked:
                        ended[f"{LATENCY}{bucket(now - accepted_at)}"] += some
                case Bury(reason) if not asked:
                    ended[EXPIRED if reason is Reason.EXPIRED else DISCARDED] += some
    return ended + Counter({LEFT_OUT: settlement.outcome.left_out})
