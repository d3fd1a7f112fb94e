"""Judge from a few signals what needs a person: pure, `now` an argument."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from candu_source.causes import CAUSES, Cause, Urgency, held_advice
from candu_source.confirming import State, Verdict, explain
from candu_source.silence import NOTHING, Usual, gaps

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
# Dead letters count for so long as a sign that more will come, and are counted up to so many.
DEAD_SECONDS, MOST_DEAD = HOUR, 1_000
# Segment tells of a warehouse after so many failed syncs in a row (Segment, "Warehouse health").
FAILING_SYNCS, DOWN_SYNCS = 5, 20
# So many times the minutes between its syncs a warehouse may be behind.
_MISSED_SYNCS = 3
_TEXT_CHARACTERS = 1_000
# What a far end says is cut, so that what to do about it still stands behind.
_ERROR_CHARACTERS = 400


class Found(NamedTuple):
    """Hold one thing that needs a person; `connection` is an id, empty for the whole service."""

    connection: str
    cause: Cause
    subject: str
    urgency: Urgency
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what there is one open notice of."""
        return self.connection, self.cause, self.subject


class LaneSigns(NamedTuple):
    """Hold the signs of a lane of the worker's; `dead` counts dead letters of the last hour, at most MOST_DEAD; times since the epoch."""

    connection: str
    name: str
    destination: str
    stopped: bool
    held: str | None
    pending: int
    pending_most: int
    oldest_pending: float | None
    dead: int


class WarehouseSigns(NamedTuple):
    """Hold the signs of one warehouse that is to be kept up to date: every so many minutes, failures in a row, and the last one."""

    connection: str
    name: str
    destination: str
    every: int
    failures: int
    pending: int
    oldest_pending: float | None
    error: str


class ConnectionSigns(NamedTuple):
    """Hold the signs of one connection; `usual` is NOTHING where it was not worth reading."""

    connection: str
    name: str
    last_event: float | None = None
    usual: Usual = NOTHING
    key_readable: bool = True
    changed_shapes: int = 0


class HeldReplay(NamedTuple):
    """Hold a replay that only a person can let go on."""

    connection: str
    name: str
    id: int
    detail: str


@dataclass(frozen=True, slots=True)
class Signals:
    """Hold all that is judged by; `confirm` has the verdicts of readback by connection id and destination, sizes are in bytes."""

    lanes: Sequence[LaneSigns] = ()
    warehouses: Sequence[WarehouseSigns] = ()
    confirm: Mapping[tuple[str, str], Verdict] = field(default_factory=dict)
    connections: Sequence[ConnectionSigns] = ()
    replays: Sequence[HeldReplay] = ()
    free_bytes: int = 2**62
    used_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold what is too much; `store_bytes` 0 for a store without a quota, `full` the part of a quota, 0 to 1."""

    pending_seconds: float
    dead: int
    gaps: float
    silent_seconds: float
    free_bytes: int
    store_bytes: int
    full: float


# verdict of readback -> cause; the others need nobody.
UNCONFIRMED: Mapping[State, Cause] = MappingProxyType(
    {
        State.NEVER_CONFIRMED: Cause.NEVER_CONFIRMED,
        State.SILENT: Cause.CONFIRM_SILENT,
        State.FALLING: Cause.CONFIRM_FALLING,
    }
)


def judge(signals: Signals, limits: Limits, now: float) -> list[Found]:
    """Return what needs a person, one for each cause, connection and subject."""
    unreadable = {each.connection for each in signals.connections if not each.key_readable}
    return [
        *(found for lane in signals.lanes for found in _of_lane(lane, limits, now, key_readable=lane.connection not in unreadable)),
        *(found for lane in signals.lanes for found in _of_quota(lane, limits, now)),
        *(found for lane in signals.lanes for found in _of_readback(lane, signals.confirm)),
        *(found for each in signals.warehouses for found in _of_warehouse(each, limits, now)),
        *(found for each in signals.connections for found in _of_connection(each, limits, now)),
        *(_found(each, Cause.REPLAY_HELD, str(each.id), id=each.id, detail=each.detail.rstrip(".")) for each in signals.replays),
        *_of_service(signals, limits),
    ]


def _of_lane(lane: LaneSigns, limits: Limits, now: float, *, key_readable: bool) -> Iterator[Found]:
    where = {"lane": f"{lane.name} › {lane.destination}", "pending": f"{lane.pending:,}"}
    age = _age(lane, now)
    if lane.held and key_readable:
        advice = held_advice(lane.held, lane.name, lane.destination)
        yield _found(lane, Cause.LANE_HELD, lane.destination, **where, reason=lane.held, advice=advice)
    if lane.dead >= limits.dead:
        dead = f"{lane.dead:,}" + (" or more" if lane.dead == MOST_DEAD else "")
        yield _found(lane, Cause.DEAD_GROWING, lane.destination, **where, dead=dead)
    if age > limits.pending_seconds and not (lane.held or lane.stopped):
        yield _found(lane, Cause.OLDEST_PENDING, lane.destination, **where, span=span(age))


def _of_quota(lane: LaneSigns, limits: Limits, now: float) -> Iterator[Found]:
    """Judge a quota of waiting events; where somebody stopped the lane it fills as it should, and only its end is worth a notice."""
    if not lane.pending_most:
        return
    where, full = f"{lane.name} › {lane.destination}", lane.pending >= limits.full * lane.pending_most
    age = _age(lane, now)
    left = _left(lane, age)
    if lane.stopped and age > limits.pending_seconds and (full or left < DAY):
        said = f"At this rate that is reached in {span(left)}." if left else "Its doors refuse more."
        counts = {"pending": f"{lane.pending:,}", "most": f"{lane.pending_most:,}"}
        yield _found(lane, Cause.PAUSED_FILLING, lane.destination, lane=where, left=said, **counts)
    elif full and not lane.stopped:
        what, percent = f"The quota of waiting events of {where}", 100 * lane.pending // lane.pending_most
        advice = f"`candu-source connections show {shlex.quote(lane.name)}` tells why they wait."
        yield _found(lane, Cause.QUOTA_LOW, lane.destination, what=what, percent=percent, then="its doors answer 503", advice=advice)


def _of_readback(lane: LaneSigns, confirm: Mapping[tuple[str, str], Verdict]) -> Iterator[Found]:
    verdict = confirm.get((lane.connection, lane.destination))
    cause = UNCONFIRMED.get(verdict.state) if verdict else None
    if verdict and cause:
        said = explain(verdict).replace(" NAME ", f" {shlex.quote(lane.name)} ")
        yield _found(lane, cause, lane.destination, lane=f"{lane.name} › {lane.destination}", verdict=said)


def _of_warehouse(each: WarehouseSigns, limits: Limits, now: float) -> Iterator[Found]:
    words = {"lane": f"{each.name} › {each.destination}", "warehouse": each.destination, "pending": f"{each.pending:,}"}
    age = _age(each, now)
    if each.failures >= FAILING_SYNCS:
        cause = Cause.WAREHOUSE_DOWN if each.failures >= DOWN_SYNCS else Cause.WAREHOUSE_FAILING
        error = each.error[:_ERROR_CHARACTERS].rstrip(".")
        yield _found(each, cause, each.destination, **words, failures=each.failures, error=error)
    elif not each.failures and age > max(limits.pending_seconds, _MISSED_SYNCS * each.every * MINUTE):
        yield _found(each, Cause.WAREHOUSE_BEHIND, each.destination, **words, span=span(age), every=each.every)


def _age(lane: LaneSigns | WarehouseSigns, now: float) -> float:
    return now - lane.oldest_pending if lane.oldest_pending else 0.0


def _left(lane: LaneSigns, age: float) -> float:
    """Return in how many seconds the quota of a lane is used up, at the rate at which its events have gathered."""
    return max(0, lane.pending_most - lane.pending) * age / lane.pending if lane.pending else float("inf")


def _of_connection(each: ConnectionSigns, limits: Limits, now: float) -> Iterator[Found]:
    if not each.key_readable:
        yield _found(each, Cause.KEY_UNREADABLE, "")
    if each.changed_shapes:
        yield _found(each, Cause.SHAPE_CHANGED, "", count=f"{each.changed_shapes:,}")
    if each.last_event is not None and now - each.last_event >= limits.silent_seconds:
        passed = gaps(each.usual, each.last_event, now)
        if passed >= limits.gaps:
            yield _found(each, Cause.SILENCE, "", span=span(now - each.last_event), gaps=f"{passed:,.0f}")


def _of_service(signals: Signals, limits: Limits) -> Iterator[Found]:
    if signals.free_bytes < limits.free_bytes:
        yield _said("", Cause.DISK_LOW, "disk", free=signals.free_bytes // 2**20)
    if limits.store_bytes and signals.used_bytes >= limits.full * limits.store_bytes:
        percent = 100 * signals.used_bytes // limits.store_bytes
        advice = "Raise CANDU_SOURCE_STORE_MAX_MB, or lower CANDU_SOURCE_RETENTION_DAYS."
        yield _said("", Cause.QUOTA_LOW, "store", what="The store's quota", percent=percent, then="all doors answer 503", advice=advice)


def _found(signs: LaneSigns | WarehouseSigns | ConnectionSigns | HeldReplay, cause: Cause, subject: str, **words: Any) -> Found:
    return _said(signs.connection, cause, subject, name=signs.name, quoted=shlex.quote(signs.name), **words)


def _said(connection: str, cause: Cause, subject: str, **words: Any) -> Found:
    urgency, sentence = CAUSES[cause]
    return Found(connection, cause, subject, urgency, sentence.format(**words)[:_TEXT_CHARACTERS])


def span(seconds: float) -> str:
    """Return a length of time in its largest fitting unit, as people say it."""
    for unit, word in ((DAY, "days"), (HOUR, "hours")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    minutes = round(seconds / MINUTE)
    return f"{minutes} minutes" if minutes > 1 else "a minute"
