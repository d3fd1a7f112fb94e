"""The first page: every connection with its health in words, and what needs a person, most urgent first."""

from __future__ import annotations

from typing import Any

from candu_source.console.desk import Desk
from candu_source.console.frame import Action, Page
from candu_source.console.health import Word, word
from candu_source.console.notices import open_notices
from candu_source.model import Connection
from candu_source.store.stats import Health


def overview(desk: Desk) -> dict[str, Any]:
    """Show every connection in sight, and their open notices."""
    visible = desk.visible()
    healths = {each.id: desk.store.stats.health(each.id) for each in visible}
    ranked = sorted(((word(healths[each.id], desk.now), each) for each in visible), key=lambda pair: (pair[0].rank, pair[1].name))
    return {
        "connections": [_shown(desk, connection, said, healths[connection.id]) for said, connection in ranked],
        "notices": open_notices(desk),
        "now": desk.now,
    }


def _shown(desk: Desk, connection: Connection, said: Word, health: Health) -> dict[str, Any]:
    lanes = [lane for lane in health.lanes if lane.kind != "warehouse"]  # what waits for a sync is not late
    return {
        "id": connection.id,
        "name": connection.name,
        "environment": connection.environment,
        "schema": connection.slug,
        "health": said.word,
        "kind": said.kind,
        "pending": sum(lane.pending for lane in lanes),
        "dead": sum(lane.dead for lane in lanes),
        "oldest_pending": min((lane.oldest_pending for lane in lanes if lane.oldest_pending), default=None),
        "last_event": max(health.last_seen.values(), default=None),
        "sparkline": desk.store.stats.sparkline(connection.id, desk.now),
    }


PAGES = (Page("", "overview.html", overview),)
ACTIONS: tuple[Action, ...] = ()
