"""Plan messages as a sync does, and read what comes of it by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.plan import plan
from candu_source.destinations.warehouse.selection import Selection
from candu_source.destinations.warehouse.tables import Cell, Column, Load, Type
from candu_source.warehouses import Entry

RECEIVED = datetime(2026, 11, 1, 10, 0, 1, tzinfo=UTC)
SENT = datetime(2026, 11, 1, 10, 0, 7, tzinfo=UTC)
NOW = datetime(2026, 11, 1, 11, tzinfo=UTC)
NAME_BYTES = 63


def track(properties: Any, **more: Any) -> dict[str, Any]:
    """Return a track call of the event `e`."""
    return {"type": "track", "messageId": "m1", "userId": "u1", "event": "e", "properties": properties, **more}


def identify(traits: Any, **more: Any) -> dict[str, Any]:
    """Return an identify call of the user `u1`."""
    return {"type": "identify", "messageId": "m1", "userId": "u1", "traits": traits, **more}


def planned(
    *messages: Any,
    catalog: Mapping[str, Mapping[str, Column]] | None = None,
    select: Mapping[str, Any] | None = None,
    only: Iterable[str] | None = None,
    **choices: Any,
) -> Load:
    """Plan messages, given as JSON values or as bytes; an entry is received a second after the one before."""
    encoded = [message if isinstance(message, bytes) else msgspec.json.encode(message) for message in messages]
    entries = [Entry(place, message, RECEIVED.timestamp() + place - 1, SENT.timestamp()) for place, message in enumerate(encoded, 1)]
    return plan(
        entries,
        catalog or {},
        choices=Choices.read(choices),
        selection=Selection.read({"collections": select or {}}),
        name_bytes=NAME_BYTES,
        now=NOW.timestamp(),
        only=None if only is None else frozenset(only),
    )


def rows(load: Load, table: str) -> list[dict[str, Cell]]:
    """Return a table's rows, {column: cell} without what is null."""
    return [
        {name: cell for name, cell in zip(each.columns, row, strict=True) if cell is not None}
        for each in load.tables
        if each.table == table
        for row in each.rows
    ]


def added(load: Load, table: str) -> dict[str, Type]:
    """Return the columns that a table gets."""
    return next((dict(each.added) for each in load.tables if each.table == table), {})


def said(load: Load) -> list[tuple[str, str, str, int]]:
    """Return the remarks without their samples."""
    return [(remark.table, remark.column, remark.what, remark.times) for remark in load.remarks]
