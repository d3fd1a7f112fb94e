"""What came in a shape that was not known, and what to do about it."""

from __future__ import annotations

from typing import Any

from candu_source.console.desk import Desk, Form, identifier
from candu_source.console.frame import Action, Done, Page
from candu_source.documented import touches
from candu_source.findings import said
from candu_source.shapes import REST
from candu_source.store.shapes import KeptNotice


def shapes(desk: Desk) -> dict[str, Any]:
    """List what was noticed; `all=on` shows what is acknowledged, too."""
    everything = desk.query.flag("all")
    notices = desk.store.shapes.notices(desk.connection.id, acked=everything)
    return {"notices": [_shown(notice) for notice in reversed(notices)], "everything": everything, "now": desk.now}


def shape(desk: Desk) -> dict[str, Any]:
    """Show one notice with the first input that had it."""
    notice = _notice(desk, desk.part["id"])
    return {"notice": _shown(notice), "sample": desk.store.shapes.sample(notice).decode("utf-8", "replace"), "now": desk.now}


def acknowledge(desk: Desk, form: Form) -> Done:
    """Take one notice off the list, or all of the connection's."""
    chosen = form.text("id")
    done = desk.store.shapes.ack(desk.connection.id, _notice(desk, chosen).id if chosen else None)
    return Done(f"{done} acknowledged; they are counted on.", _place(desk), {"acknowledged": done})


def _notice(desk: Desk, number: str) -> KeptNotice:
    return desk.store.shapes.notice(desk.connection.id, identifier(number))


def _shown(notice: KeptNotice) -> dict[str, Any]:
    unknown = notice.change == "unknown_event"
    return {
        "id": notice.id,
        "door": notice.door,
        "event": notice.event,
        "said": said(notice.change, notice.path, notice.type),
        "touches": "the table of names" if unknown else touches(notice.door, notice.event, notice.path) or None,
        "can_be_classified": unknown and notice.event != REST,
        "times": notice.times,
        "first_at": notice.first_at,
        "last_at": notice.last_at,
        "acknowledged_at": notice.acked_at,
    }


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/shapes"


PAGES = (
    Page("connections/{connection}/shapes", "shapes.html", shapes),
    Page("connections/{connection}/shapes/{id}", "shape.html", shape),
)
ACTIONS = (Action("connections/{connection}/shapes/acknowledge", acknowledge),)
