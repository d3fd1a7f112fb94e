"""Make what senders send: well-formed items of both doors, to be changed by the tests."""

from __future__ import annotations

import json
from typing import Any

DOORS = ("webhook", "interactions")
VERSION = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
Item = dict[str, Any]


def payload(*drop: str, **fields: Any) -> Item:
    """Make a webhook item: a view by u1, with fields changed, added or (by name) dropped."""
    made: Item = {"userId": "u1", "type": "Screen", "screenName": "candu.sdk.content", "properties": candu_properties()}
    return {"payload": {name: value for name, value in (made | fields).items() if name not in drop}}


def candu_properties(*drop: str, **fields: Any) -> Item:
    """Make the properties of a Candu event."""
    made: Item = {"documentId": 7, "segmentId": "Everyone", "versionId": VERSION, "contentId": "c-1"}
    return {name: value for name, value in (made | fields).items() if name not in drop}


def call(*drop: str, **fields: Any) -> Item:
    """Make an item of the interactions door: a view by u1."""
    made: Item = {"type": "tutorial.view", "userId": "u1", "properties": seed_properties()}
    return {name: value for name, value in (made | fields).items() if name not in drop}


def interaction(*drop: str, **fields: Any) -> Item:
    """Make the other item of the interactions door."""
    return call(*drop, **({"type": "tutorial.interaction", "properties": seed_properties(eventName="Skip")} | fields))


def seed_properties(*drop: str, **fields: Any) -> Item:
    """Make the properties that Segment's Candu source page names for a view."""
    made: Item = {"tutorialId": 7, "segmentId": "Everyone", "portalId": 3, "versionId": VERSION}
    return {name: value for name, value in (made | fields).items() if name not in drop}


def item(door: str, *drop: str, **fields: Any) -> Item:
    """Make a well-formed item of either door; `id` is the sender's id, whatever the door calls it."""
    if door == "webhook":
        return payload(*drop, **fields)
    if "id" in fields:
        fields["messageId"] = fields.pop("id")
    return call(*drop, **fields)


def properties(door: str, *drop: str, **fields: Any) -> Item:
    """Make the properties of a view at either door."""
    return candu_properties(*drop, **fields) if door == "webhook" else seed_properties(*drop, **fields)


def encode(body: object) -> bytes:
    """Encode JSON; bytes are sent as they are."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def field(door: str, name: str) -> str:
    """Name a field as the errors do."""
    return f"payload.{name}" if door == "webhook" else name


def brief(value: object) -> str | None:
    """Name a test by the length of its bytes: they would fill the screen."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None
