"""Show what rules would make of the latest events, beside what today's make of them; nothing is changed or sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from candu_source.diffing import difference
from candu_source.doors import DOORS
from candu_source.jobs import Aside, Past, Wanted
from candu_source.model import Connection
from candu_source.rehearing import admit_aside, judge
from candu_source.store import Store

_ANY = Wanted()
_GROUPS = 10
_decode = msgspec.json.Decoder().decode


def preview(store: Store, connection: Connection, draft: Connection, most: int) -> list[dict[str, Any]]:
    """Return a row for each of the latest events and for one of each group of filtered ones: name, door, today, draft, changes."""
    draft = replace(draft, id=connection.id)
    return [_row(name, door, *(_made(item, each) for each in (connection, draft))) for name, door, item in _latest(store, connection, most)]


def _latest(store: Store, connection: Connection, most: int) -> Iterator[tuple[str, str, Past | Aside]]:
    for group in store.groups.filtered(connection.id)[:_GROUPS]:
        for kept in store.groups.filtered_of(connection.id, group.reason, group.name, 1):
            yield kept.name, kept.door, Aside(0, kept.door, kept.accepted_at, kept.message_id, kept.raw)
    for event in reversed(store.trace.tail(connection.id, most=most)):
        message = _decode(event.message)
        name = message.get("event") or message.get("name") or message["type"]
        yield name, event.door, Past(event.seq, event.message_id, event.accepted_at, event.door, event.message, event.raw, waiting=False)


def _made(item: Past | Aside, connection: Connection) -> bytes | str:
    """Return the call that one input becomes by a connection's rules, or why it becomes none."""
    if isinstance(item, Past):
        verdict = judge(item, connection, DOORS[item.door], _ANY, None)
        return verdict.message or verdict.what
    admission = admit_aside(item, connection, DOORS[item.door])
    if admission.events:
        return admission.events[0].message
    return f"filtered:{admission.filtered[0].reason}" if admission.filtered else f"refused:{admission.rejects[0].code}"


def _row(name: str, door: str, today: bytes | str, draft: bytes | str) -> dict[str, Any]:
    both = isinstance(today, bytes) and isinstance(draft, bytes)
    changes = [change._asdict() for change in difference(_decode(today), _decode(draft))] if both else []
    return {"name": name, "door": door, "today": _said(today), "draft": _said(draft), "changes": changes}


def _said(made: bytes | str) -> str:
    if isinstance(made, str):
        what, _, reason = made.partition(":")
        return f"{what}: {reason.replace('_', ' ')}"
    message = _decode(made)
    return f"{message['type']} {message.get('event') or message.get('name') or ''}".strip()
