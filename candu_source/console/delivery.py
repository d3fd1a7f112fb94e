"""What became of a connection's events: the funnel, the lanes, and how delivery went over a period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from candu_source.confirming import explain, judge
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.console.health import word
from candu_source.errors import UsageError
from candu_source.moments import moment
from candu_source.periods import Period, Window, window
from candu_source.store import SEGMENT_LANE
from candu_source.store.counts import AFTER_RETRY, FIRST_ATTEMPT
from candu_source.store.stats import LaneFunnel, LaneHealth, Point, metrics_of

_SHARES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))


def delivery(desk: Desk) -> dict[str, Any]:
    """Show the funnel, the lanes and the charts of a period (`period`, and `since` and `until` in ISO 8601 for CUSTOM)."""
    period, wanted = asked_window(desk)
    health = desk.store.stats.health(desk.connection.id)
    funnel = desk.store.stats.funnel(desk.connection.id)
    said = word(health, desk.now)
    points = desk.store.stats.series(desk.connection.id, wanted)
    verdict = judge(desk.store.confirmations.evidence(desk.connection.id, SEGMENT_LANE, desk.now), desk.now)
    return {
        "health": said.word,
        "kind": said.kind,
        "paused": desk.connection.paused,
        "accepted": funnel.accepted,
        "filtered": dict(funnel.filtered),
        "rejected": {reason: {"inputs": kinds, "times": times} for reason, (kinds, times) in funnel.rejected.items()},
        "lanes": [_lane(lane, ended) for lane, ended in zip(health.lanes, funnel.lanes, strict=True)],
        "readback": {"state": verdict.state, "share": verdict.share, "text": explain(verdict)},
        "period": period,
        "periods": [each for each in Period if each is not Period.CUSTOM],
        "metrics": metrics_of(points),
        "charts": charts(points, wanted),
        "now": desk.now,
    }


def _lane(lane: LaneHealth, ended: LaneFunnel) -> dict[str, Any]:
    return {
        **lane._asdict(),
        "delivered": ended.delivered,
        "confirmed": ended.confirmed,
        "dead": dict(ended.dead),
        "pending": dict(ended.pending),
        "pending_events": lane.pending,
        "dead_events": sum(ended.dead.values()),
    }


def charts(points: Sequence[Point], wanted: Window) -> list[dict[str, Any]]:
    """Return the pictures of a period: {title, unit, times, lines: [{label, points}]}."""
    minutes = wanted.width / 60
    doors = sorted({door for point in points for door in point.accepted})

    def rate(count: Callable[[Point], float]) -> list[float | None]:
        return [count(point) / minutes for point in points]

    def accepted(door: str) -> Callable[[Point], float]:
        return lambda point: point.accepted[door]

    def line(label: str, values: list[float | None]) -> dict[str, Any]:
        return {"label": label, "points": values}

    pictures = [
        ("Accepted, by door", "events/min", [line(door, rate(accepted(door))) for door in doors]),
        (
            "Delivered",
            "events/min",
            [
                line("first attempt", rate(lambda point: point.ended[FIRST_ATTEMPT])),
                line("after retry", rate(lambda point: point.ended[AFTER_RETRY])),
                line("dead", rate(lambda point: point.dead)),
            ],
        ),
        ("From accepted to delivered", "s", [line(label, [point.latency(share) for point in points]) for share, label in _SHARES]),
        (
            "Went aside",
            "events/min",
            [line("filtered", rate(lambda point: point.filtered)), line("rejected", rate(lambda point: point.rejected))],
        ),
    ]
    times = [point.start for point in points]
    return [{"title": title, "unit": unit, "times": times, "lines": lines} for title, unit, lines in pictures]


def metrics(desk: Desk) -> dict[str, Any]:
    """Return a period's deliveries under Amplitude's names."""
    period, wanted = asked_window(desk)
    return {
        "timePeriod": period,
        "start": wanted.since,
        "end": wanted.until,
        "metrics": metrics_of(desk.store.stats.series(desk.connection.id, wanted)),
    }


def retry(desk: Desk, _: Form) -> Done:
    """Let held and waiting lanes try at once."""
    desk.store.connections.unhold(desk.connection, by=desk.by)
    return Done("Every lane tries again now.", _place(desk))


def pause(desk: Desk, _: Form) -> Done:
    """Stop delivering; events keep accumulating."""
    desk.store.connections.save(replace(desk.connection, paused=True), by=desk.by)
    return Done("Paused. Doors stay open; what comes is kept and waits.", _place(desk))


def resume(desk: Desk, _: Form) -> Done:
    """Deliver again what has gathered."""
    desk.store.connections.save(replace(desk.connection, paused=False), by=desk.by)
    return Done("Delivering again.", _place(desk))


def asked_window(desk: Desk) -> tuple[Period, Window]:
    """Return the period that a query asks for (`period`, and `since` and `until` for CUSTOM), an hour if none; raise UsageError."""
    period = desk.query.one_of("period", Period, Period.ONE_HOUR)
    since, until = (read_time(desk, desk.query, name) for name in ("since", "until"))
    return period, window(period, desk.now, since=since, until=until)


def read_time(desk: Desk, form: Form, name: str) -> float | None:
    """Return a field's time in seconds since the epoch, None when it is empty; raise UsageError when it is none."""
    text = form.text(name)
    try:
        return moment(text, desk.now) if text else None
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/delivery"


PAGES = (
    Page("connections/{connection}/delivery", "delivery.html", delivery),
    Page("connections/{connection}/delivery/metrics", "metrics.html", metrics),
)
ACTIONS = (
    Action("connections/{connection}/delivery/retry", retry),
    Action("connections/{connection}/delivery/pause", pause),
    Action("connections/{connection}/delivery/resume", resume),
)
