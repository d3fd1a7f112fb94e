"""How a sync's deliveries went: syncs metrics."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from candu_source.cli.show import choose, clock, connection_option, emit_one, json_option, opened, period_option
from candu_source.moments import moment
from candu_source.periods import Period, whole, window
from candu_source.settings import Settings
from candu_source.store.counts import LEFT_OUT
from candu_source.store.stats import Point
from candu_source.store.summary import lane_summary

_WIDTH = 40


@click.command()
@click.argument("sync", metavar="NAME")
@connection_option
@period_option
@click.option("--start", metavar="TIME", help="With CUSTOM: from then on; ISO 8601, or 2h, 3d for so long ago.")
@click.option("--end", metavar="TIME", help="With CUSTOM: before then; now when left out.")
@json_option
@click.pass_obj
def metrics(settings: Settings, sync: str, name: str | None, period: str, start: str | None, end: str | None, as_json: bool) -> None:
    """Count what a sync delivered and what it did not, under Amplitude's names, with a chart."""
    now = time.time()
    since, until = (None if text is None else moment(text, now) for text in (start, end))
    asked, wanted = (cut(Period(period), now, since=since, until=until) for cut in (whole, window))
    with opened(settings) as store:
        connection = choose(store, name)
        stream = store.streams.named(connection, sync)
        story = lane_summary(store.stats, connection.id, stream.name, Period(period), asked)
        points = store.stats.series(connection.id, wanted, stream.name)
    emit_one(story, as_json=as_json)
    if not as_json:
        left_out = sum(point.ended[LEFT_OUT] for point in points)
        said = f"\n{left_out:,} values were left out or changed: `events show` tells which, by event." if left_out else ""
        click.echo(f"{said}\n{chart(points)}")


def chart(points: Sequence[Point]) -> str:
    """Draw a bar for each point that has anything: # delivered, x not delivered."""
    most = max((point.delivered + point.dead for point in points), default=0)
    drawn = [_bar(point, most) for point in points if point.delivered or point.dead]
    return "\n".join(drawn) or "Nothing was delivered or given up in this time."


def _bar(point: Point, most: int) -> str:
    lost = -(-point.dead * _WIDTH // most)
    bar = "#" * (-(-(point.delivered + point.dead) * _WIDTH // most) - lost) + "x" * lost
    return f"{clock(point.start)}  {bar:<{_WIDTH}}  {point.delivered:,} delivered, {point.dead:,} not"


COMMANDS = (metrics,)
