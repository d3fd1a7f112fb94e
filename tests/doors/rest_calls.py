"""Make what senders to Candu's REST API send: well-formed calls, to be changed by the tests."""

from __future__ import annotations

from typing import Any

Item = dict[str, Any]
EMPTY: dict[str, Item] = {"identify": {"traits": {}}, "track": {"event": "Signed up"}, "group": {"groupId": "g", "traits": {}}}
TYPES = tuple(EMPTY)
SUCCESS = {"success": True}


def call(kind: str, *drop: str, **fields: Any) -> Item:
    """Make the least that a call of this type must hold, by u1, with fields changed, added or (by name) dropped."""
    made = {"type": kind, "userId": "u1", **EMPTY[kind], **fields}
    return {name: value for name, value in made.items() if name not in drop}


def values_of(kind: str, values: Item) -> Item:
    """Make a call with these traits or properties."""
    return call(kind, **{"properties" if kind == "track" else "traits": values})
