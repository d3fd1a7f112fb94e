"""Count for the charts and tables that people look at: every answer costs the same, however long the log is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from candu_source.deliveries import LaneKind
from candu_source.latency import percentile
from candu_source.periods import Period, Window, window
from candu_source.store.counts import AFTER_RETRY, DISCARDED, EXPIRED, FIRST_ATTEMPT, LATENCY
from candu_source.store.sqlite import Database

_DOOR, _LANE = "door:", "lane:"
# The reason of what retention has deleted.
_RELEASED = "released"


@dataclass(slots=True)
class Point:
    """Hold one point of the charts: accepted events by door, other inputs, deliveries of all lanes, and their latency in seconds."""

    start: int
    accepted: Counter[str] = field(default_factory=Counter)
    filtered: int = 0
    rejected: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    buckets: Counter[int] = field(default_factory=Counter)

    @property
    def delivered(self) -> int:
        """Return how many events were delivered."""
        return self.ended[FIRST_ATTEMPT] + self.ended[AFTER_RETRY]

    @property
    def dead(self) -> int:
        """Return how many events were given up."""
        return self.ended[DISCARDED] + self.ended[EXPIRED]

    def latency(self, share: float) -> float | None:
        """Return the seconds within which such a share (0 to 1) of the delivered events came through; off by less than 5 %."""
        return percentile(self.buckets, share)


class LaneHealth(NamedTuple):
    """Hold how a lane is, and where the events of the log since it began are on it.

    `logged` = delivered + filtered + dead + released + replaying + waiting: a sync passes over what is `filtered`; of the dead letters,
    retention has `released` some, and some are asked for again, or parked. `waiting_for` is paused, off, a lane's reason to be held,
    retrying (at `due_at`), a warehouse's next sync, or turn.
    `oldest_pending` is when the oldest event that waits was accepted. `confirmed` is how many came back, ever.
    """

    destination: str
    kind: str
    enabled: bool
    held: str | None
    held_detail: str | None
    failures: int
    due_at: float
    logged: int
    delivered: int
    filtered: int
    confirmed: int
    dead: int
    released: int
    replaying: int
    waiting: int
    waiting_for: str
    oldest_pending: float | None

    @property
    def pending(self) -> int:
        """Return how many events are not ended: those that wait, and dead letters asked for again."""
        return self.waiting + self.replaying


@dataclass(frozen=True, slots=True)
class Health:
    """Hold how a connection is: its lanes, and when each of its doors heard something last."""

    lanes: tuple[LaneHealth, ...]
    last_seen: Mapping[str, float]


class Pile(NamedTuple):
    """Count what went aside of one reason: refused inputs (`more` is how often they came), filtered events, or dead letters of a lane."""

    shelf: str
    reason: str
    name: str
    items: int
    more: int


@dataclass(frozen=True, slots=True)
class LaneFunnel:
    """Hold what became of the accepted events on one lane; `dead` and `pending` are reason -> events, a sync passes over the `filtered`."""

    destination: str
    delivered: int
    filtered: int
    confirmed: int
    dead: Mapping[str, int]
    pending: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Hold what became of all that came in since the connection was made.

    `accepted` is the sum of the filtered events and, on each lane that is as old as the connection, of those delivered, passed over, dead
    and pending.
    `filtered` is reason -> events, `rejected` is reason -> (different inputs, times they came). The reason of what retention has deleted
    is `released`.
    """

    accepted: int
    filtered: Mapping[str, int]
    rejected: Mapping[str, tuple[int, int]]
    lanes: tuple[LaneFunnel, ...]


class SqlStats:
    """Read counts, cursors and heads; every call names its connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def series(self, connection: str, wanted: Window, lane: str | None = None) -> list[Point]:
        """Return the points of a period (at most 120), those without anything included; of one `lane` alone, or of all and the doors."""
        points = [Point(start) for start in wanted.starts]
        asked = {"connection": connection, "topic": lane and f"{_LANE}{lane}", **wanted._asdict()}
        with self._database.read() as db:
            for place, topic, name, amount in db.execute(self._sql["counted"], asked):
                _add(points[place], topic, name, amount)
        return points

    def sparkline(self, connection: str, now: float) -> list[int]:
        """Return accepted events a minute over the last hour, the current minute last."""
        return [point.accepted.total() for point in self.series(connection, window(Period.ONE_HOUR, now))]

    def funnel(self, connection: str) -> Funnel:
        """Return what became of all that came in, by reason."""
        wanted = {"connection": connection}
        with self._database.read() as db:
            lanes = self._lanes(db, connection)
            piles = [Pile._make(row) for row in db.execute(self._sql["piles"], wanted)]
            row = db.execute(self._sql["filtered_released"], wanted).fetchone()
        filtered = Counter({_RELEASED: row[0] if row else 0})
        for pile in piles:
            if pile.shelf == "filtered":
                filtered[pile.reason] += pile.items
        rejected = {pile.reason: (pile.items, pile.more) for pile in piles if pile.shelf == "rejects"}
        logged = max((lane.logged for lane in lanes), default=0)
        ended = tuple(_lane_funnel(lane, piles) for lane in lanes)
        return Funnel(logged + filtered.total(), +filtered, rejected, ended)

    def health(self, connection: str) -> Health:
        """Return how a connection is now."""
        with self._database.read() as db:
            seen = dict(db.execute(self._sql["doors_seen"], {"connection": connection}).fetchall())
            return Health(tuple(self._lanes(db, connection)), seen)

    def _lanes(self, db: sqlite3.Connection, connection: str) -> list[LaneHealth]:
        rows = db.execute(self._sql["lane_health"], {"connection": connection})
        names = [column[0] for column in rows.description]
        return [_lane_health(dict(zip(names, values, strict=True))) for values in rows.fetchall()]


def metrics_of(points: Iterable[Point]) -> dict[str, float | int | None]:
    """Return a period's deliveries under the names of Amplitude's Event Streaming Metrics Summary API.

    Counts are events, on all lanes; `deliveryRate` is 0 to 1 and `latencyInSeconds` the 95th percentile, both None without events.
    """
    whole = Point(0)
    for point in points:
        whole.ended.update(point.ended)
        whole.buckets.update(point.buckets)
    ended = whole.delivered + whole.dead
    return {
        "eventsDelivered": whole.delivered,
        "eventsNotDelivered": whole.dead,
        "deliveryRate": whole.delivered / ended if ended else None,
        "latencyInSeconds": whole.latency(0.95),
        "successOnFirstAttempt": whole.ended[FIRST_ATTEMPT],
        "successAfterRetry": whole.ended[AFTER_RETRY],
        "eventsExpired": whole.ended[EXPIRED],
        "eventsDiscarded": whole.ended[DISCARDED],
    }


def _add(point: Point, topic: str, name: str, amount: int) -> None:
    if topic.startswith(_LANE):
        if name.startswith(LATENCY):
            point.buckets[int(name.removeprefix(LATENCY))] += amount
        else:
            point.ended[name] += amount
    elif topic.startswith(_DOOR):
        match name:
            case "accepted":
                point.accepted[topic.removeprefix(_DOOR)] += amount
            case "filtered":
                point.filtered += amount
            case "rejected":
                point.rejected += amount


def _lane_health(row: Mapping[str, Any]) -> LaneHealth:
    passed = row["cursor"] + row["ahead"]
    # What comes while a sync is off is none of its, and never will be.
    off = row["head"] - passed if row["kind"] == LaneKind.STREAM and not row["enabled"] else 0
    return LaneHealth(
        destination=row["destination"],
        kind=row["kind"],
        enabled=bool(row["enabled"]),
        held=row["held"],
        held_detail=row["held_detail"],
        failures=row["failures"],
        due_at=row["due_at"],
        logged=row["head"] - row["began"],
        delivered=passed - row["began"] - row["dead"] - row["dead_expired"] - row["passed_over"],
        filtered=row["passed_over"] + off,
        confirmed=row["confirmed"],
        dead=row["dead"] - row["replaying"],
        released=row["dead_expired"],
        replaying=row["replaying"],
        waiting=row["head"] - passed - off,
        waiting_for=_waiting_for(row),
        oldest_pending=row["oldest_pending"],
    )


def _waiting_for(row: Mapping[str, Any]) -> str:
    if row["paused"]:
        return "paused"
    if not row["enabled"]:
        return "off"
    if row["held"]:
        return str(row["held"])
    if row["failures"]:
        return "retrying"
    return "sync" if row["kind"] == LaneKind.WAREHOUSE else "turn"


def _lane_funnel(lane: LaneHealth, piles: Iterable[Pile]) -> LaneFunnel:
    pending = +Counter({lane.waiting_for: lane.waiting, "replay": lane.replaying})
    dead = Counter({pile.reason: pile.items - pile.more for pile in piles if pile.shelf == "dead" and pile.name == lane.destination})
    return LaneFunnel(lane.destination, lane.delivered, lane.filtered, lane.confirmed, dead + Counter({_RELEASED: lane.released}), pending)
