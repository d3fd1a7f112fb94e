"""Sum up how a sync's deliveries went over a period, as Amplitude's Event Streaming Metrics Summary API does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from candu_source.periods import Period, Window
from candu_source.store.stats import SqlStats, metrics_of


def lane_summary(stats: SqlStats, connection: str, lane: str, period: Period, wanted: Window) -> dict[str, Any]:
    """Return the eleven numbers of one lane over a period, cut with `periods.whole`.

    Counts are events, `deliveryRate` is 0 to 1, `latencyInSeconds` the 95th percentile (both None without events), times are UTC.
    """
    metrics = metrics_of(stats.series(connection, wanted, lane))
    return {"timePeriod": period, **metrics, "timePeriodStart": _moment(wanted.since), "timePeriodEnd": _moment(wanted.until)}


def _moment(seconds: float) -> str:
    """Return a time as Amplitude writes it: 2022-10-01 06:00:00.000000."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
