"""Every event, live and searched, and the whole life of one."""

from __future__ import annotations

import json
from typing import Any

from candu_source.console.delivery import read_time
from candu_source.console.desk import Desk
from candu_source.console.frame import Action, File, Page
from candu_source.console.origins import origins
from candu_source.console.sheets import sheet
from candu_source.console.words import clock
from candu_source.store.query import Found, Hit, Query, Where

_A_PAGE, _A_FILE = 50, 1_000
_FIELDS = ("user", "message_id", "event", "property", "since", "until", "state")


def events(desk: Desk) -> dict[str, Any]:
    """List events newest first: those that the query describes, else all."""
    asked = {name: desk.query.text(name) for name in _FIELDS}
    found = _found(desk, _A_PAGE, desk.query.text("before") or None)
    return {
        "events": [_shown(hit) for hit in found.events],
        "next": found.next,
        "looked_to": found.looked_to,
        "behind": found.behind,
        "asked": asked,
        "searching": any(asked.values()) or desk.query.given("before"),
        "states": list(Where),
        "now": desk.now,
    }


def _found(desk: Desk, most: int, before: str | None) -> Found:
    text = desk.query.text
    query = Query(
        user=text("user") or None,
        message_id=text("message_id") or None,
        event=text("event") or None,
        properties=tuple(each.strip() for each in desk.query.many("property") if each.strip()),
        since=read_time(desk, desk.query, "since"),
        until=read_time(desk, desk.query, "until"),
        where=desk.query.one_of("state", Where) if text("state") else None,
    )
    return desk.store.search.search(desk.connection.id, query, most, before)


def _shown(hit: Hit) -> dict[str, Any]:
    return {**hit._asdict(), "states": dict(hit.states), "confirmed": dict(hit.confirmed)}


def as_csv(desk: Desk) -> str:
    """Return up to 1 000 events that the query describes, for a spreadsheet."""
    found = _found(desk, _A_FILE, None)
    rows = (
        (clock(hit.accepted_at), hit.message_id, hit.type, hit.event, hit.user, hit.door, *(state for state, _ in hit.states.values()))
        for hit in found.events
    )
    return sheet(("acceptedAt", "messageId", "type", "event", "user", "door", "state"), rows)


def event(desk: Desk) -> dict[str, Any]:
    """Show one event's whole life: door, raw input, message, every try, and where it stands."""
    life = desk.store.trace.life(desk.connection.id, desk.part["id"])
    raw, message = (json.loads(text) for text in (life.event.raw, life.event.message))
    return {
        "seq": life.event.seq,
        "message_id": life.event.message_id,
        "accepted_at": life.event.accepted_at,
        "door": life.event.door,
        "raw": life.event.raw.decode("utf-8", "replace"),
        "message": message,
        "origins": [each._asdict() for each in origins(raw, message)],
        "states": {lane: {"state": state, "reason": reason} for lane, (state, reason) in life.states.items()},
        "confirmed": dict(life.confirmed),
        "attempts": [each._asdict() for each in life.tries],
        "host": desk.connection.host,
        "now": desk.now,
    }


PAGES = (
    Page("connections/{connection}/events", "events.html", events),
    Page("connections/{connection}/events/{path:id}", "event.html", event),
)
FILES = (File("connections/{connection}/events.csv", "events.csv", as_csv),)
ACTIONS: tuple[Action, ...] = ()
