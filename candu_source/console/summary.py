"""How one sync's deliveries went, for programs that ask as they ask Amplitude."""

from __future__ import annotations

from typing import Any

from candu_source.console.delivery import read_time
from candu_source.console.desk import Desk
from candu_source.console.frame import Action, Page
from candu_source.errors import UsageError
from candu_source.periods import Period, whole
from candu_source.store.summary import lane_summary


def summary(desk: Desk) -> dict[str, Any]:
    """Return a sync's deliveries over `time_period`, for CUSTOM from `start` (included) to `end` (excluded), both in ISO 8601."""
    stream = desk.store.streams.named(desk.connection, desk.part["id"])
    period = desk.query.one_of("time_period", Period)
    start, end = (read_time(desk, desk.query, name) for name in ("start", "end"))
    if period is Period.CUSTOM and (start is None or end is None):
        raise UsageError("start, end: the period CUSTOM needs both, in ISO 8601")
    try:
        wanted = whole(period, desk.now, since=start, until=end)
    except UsageError as error:
        raise UsageError(f"start, end: {error}") from None
    return lane_summary(desk.store.stats, desk.connection.id, stream.name, period, wanted)


PAGES = (Page("connections/{connection}/syncs/{id}/delivery-metrics-summary", None, summary),)
ACTIONS: tuple[Action, ...] = ()
