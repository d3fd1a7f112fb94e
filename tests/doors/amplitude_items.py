"""Make what Amplitude's Webhook destination sends: well-formed events and users, to be changed by the tests."""

from __future__ import annotations

from typing import Any

Item = dict[str, Any]


def event(*drop: str, **fields: Any) -> Item:
    """Make the least of a raw event, by u1 on d1, with fields changed, added or (by name) dropped."""
    made = {"event_type": "Signed up", "user_id": "u1", "device_id": "d1", **fields}
    return {name: value for name, value in made.items() if name not in drop}


def user(**fields: Any) -> Item:
    """Make the least of a user, u1, with other properties than none, or more fields."""
    return {"user_id": "u1", "user_properties": {}, **fields}
