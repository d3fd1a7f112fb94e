"""Who changed what, when, from what to what."""

from __future__ import annotations

from typing import Any

from candu_source.console.desk import Desk
from candu_source.console.frame import Action, Page

_A_PAGE = 50


def audit(desk: Desk) -> dict[str, Any]:
    """List the changes of the connection, latest first."""
    rows = desk.store.audit.rows(desk.connection.id, _A_PAGE + 1, before=desk.query.whole("before", 2**62))
    shown = rows[:_A_PAGE]
    return {"changes": [row._asdict() for row in shown], "next": shown[-1].id if len(rows) > _A_PAGE else None, "now": desk.now}


PAGES = (Page("connections/{connection}/audit", "audit.html", audit),)
ACTIONS: tuple[Action, ...] = ()
