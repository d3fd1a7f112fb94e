"""Make heard items for the mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from candu_source.errors import Reason
from candu_source.mapping import to_message
from candu_source.model import Heard, Rules

NOW = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
CONNECTION = "c0ffee1234"


def heard(name: str = "candu.sdk.content", **fields: Any) -> Heard:
    """Make one item: a view by u1 as Candu sends it."""
    made: dict[str, Any] = {
        "index": 0,
        "raw": b"{}",
        "name": name,
        "user_id": "u1",
        "anonymous_id": None,
        "properties": {"documentId": 7, "segmentId": "Everyone", "versionId": "v"},
        "context": {},
    }
    return Heard(**(made | fields))


def message_of(item: Heard, rules: Rules | None = None) -> dict[str, Any]:
    """Map an item that becomes a message."""
    message = to_message(item, rules or Rules(), CONNECTION, NOW)
    assert not isinstance(message, Reason), message
    return message
