"""Show how a connection's deliveries went: stats."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from candu_source.cli.show import clock, emit, emit_one, json_option, opened, period_option
from candu_source.moments import moment
from candu_source.periods import Period, Window, window
from candu_source.settings import Settings
from candu_source.store.stats import Point, metrics_of


@click.command()
@click.argument("name")
@period_option
@click.option("--since", metavar="TIME", help="With CUSTOM: from then on; ISO 8601, or 2h, 3d for so long ago.")
@click.option("--until", metavar="TIME", help="With CUSTOM: before then; now when left out.")
@json_option
@click.pass_obj
def stats(settings: Settings, name: str, period: str, since: str | None, until: str | None, as_json: bool) -> None:
    """Count what came in and what became of it: as charts do, under the names that Amplitude uses."""
    now = time.time()
    begin, end = (None if text is None else moment(text, now) for text in (since, until))
    wanted = window(Period(period), now, since=begin, until=end)
    with opened(settings) as store:
        told = _told(store.stats.series(store.connections.named(name).id, wanted), period, wanted)
    if as_json:
        emit_one(told, as_json=True)
        return
    emit_one({name: value for name, value in told.items() if name != "points"}, as_json=False)
    click.echo()
    emit([point for point in told["points"] if _has_anything(point)], as_json=False, empty="Nothing came in or went out in this time.")


def _told(points: Sequence[Point], period: str, wanted: Window) -> dict[str, Any]:
    return {
        "timePeriod": period,
        "timePeriodStart": clock(wanted.since),
        "timePeriodEnd": clock(wanted.until),
        **metrics_of(points),
        "points": [_row(point) for point in points],
    }


def _row(point: Point) -> dict[str, Any]:
    return {
        "start": clock(point.start),
        "accepted": point.accepted.total(),
        "doors": dict(point.accepted),
        "filtered": point.filtered,
        "rejected": point.rejected,
        "delivered": point.delivered,
        "dead": point.dead,
        **{f"p{round(share * 100)}_seconds": point.latency(share) for share in (0.5, 0.95, 0.99)},
    }


def _has_anything(row: dict[str, Any]) -> bool:
    return any(row[name] for name in ("accepted", "filtered", "rejected", "delivered", "dead"))


COMMANDS = (stats,)
