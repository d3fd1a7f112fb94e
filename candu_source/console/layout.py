"""Lay a warehouse's tables out as a picture: which belong together, and what joins them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from candu_source.warehouses import Table

# Segment, "Warehouse schemas": the calls' own tables, and how one is joined to the other.
_PAIRS = (
    ("People", "users", "id = user_id", ("identifies",)),
    ("Companies", "accounts", "id = group_id", ("groups",)),
)
_ALONE = (("Views", ("screens", "pages")), ("Joined identities", ("aliases",)))
_TRACKS, _EVENT = "tracks", "event"


class Group(NamedTuple):
    """Hold tables that belong together: the one that all of `tables` are joined to, empty where there is none, and by what."""

    title: str
    main: str
    joined_by: str
    tables: list[str]


def layout(tables: Sequence[Table]) -> list[Group]:
    """Return the groups that there are, those of Candu's interactions first."""
    there = {table.name: table for table in tables}
    named = {_TRACKS} | {name for _, main, _, rest in _PAIRS for name in (main, *rest)} | {name for _, names in _ALONE for name in names}
    events = sorted(name for name, table in there.items() if name not in named and _EVENT in table.columns)
    others = sorted(name for name in there if name not in named and name not in events)
    groups = [
        *(Group(title, "", "", [name for name in names if name in there]) for title, names in _ALONE[:1]),
        _joined("What people did", _TRACKS, "id = id", events, there),
        *(_joined(title, main, by, rest, there) for title, main, by, rest in _PAIRS),
        *(Group(title, "", "", [name for name in names if name in there]) for title, names in _ALONE[1:]),
        Group("Made by others", "", "", others),
    ]
    return [group for group in groups if group.main or group.tables]


def _joined(title: str, main: str, by: str, names: Sequence[str], there: dict[str, Table]) -> Group:
    return Group(title, main if main in there else "", by, [name for name in names if name in there])
