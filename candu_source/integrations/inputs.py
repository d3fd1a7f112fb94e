"""Give every event and user the form that templates know as `input`, Amplitude's, whichever door it came by. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

import msgspec

from candu_source.errors import UsageError
from candu_source.integrations.tile import Kind

_AMPLITUDE = "amplitude"
# Amplitude's SDKs send users and groups as events of these names (Amplitude, "Identify API" and "Group Identify API").
_IDENTIFY = "$identify"
_GROUP = "$groupidentify"


def read_input(door: str, message: bytes, raw: bytes) -> dict[str, Any]:
    """Return what templates read: what came by Amplitude's door as it came, anything else from its Segment-shaped message.

    Numbers with a point are Decimals, as templates print them. Raises UsageError for bytes that are no JSON object.
    """
    if door == _AMPLITUDE:
        return _object(raw)
    return amplitude_input(_object(message))


def kind_of(item: Mapping[str, Any]) -> Kind | None:
    """Return whether it is an event or a user; None for what is neither, as a group is, or has no name or no user."""
    event_type = item.get("event_type")
    if event_type is None or event_type == _IDENTIFY:
        return "users" if item.get("user_id") or item.get("device_id") else None
    return "events" if isinstance(event_type, str) and event_type not in ("", _GROUP) else None


def amplitude_input(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event or user that Amplitude would have for a Segment-shaped message; what is not known is left out.

    Segment's group has no type, so it stands under the type `group`.
    """
    made = {
        **_CALLS.get(str(message.get("type")), _nothing)(message),
        "user_id": message.get("userId"),
        "device_id": message.get("anonymousId"),
        "event_time": _moment(message.get("timestamp")),
        "uuid": message.get("messageId"),
        "library": _library(message.get("context")),
    }
    return {name: value for name, value in made.items() if value is not None}


def _track(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"event_type": message.get("event"), "event_properties": message.get("properties")}


def _screen(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"event_type": message.get("name"), "event_properties": message.get("properties")}


def _identify(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"user_properties": message.get("traits")}


def _group(message: Mapping[str, Any]) -> dict[str, Any]:
    group, traits = message.get("groupId"), message.get("traits")
    return {"event_type": _GROUP, "groups": {"group": [group]}, "group_properties": {"group": {str(group): traits}}}


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"event_type": ""}


_CALLS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = MappingProxyType(
    {"track": _track, "screen": _screen, "identify": _identify, "group": _group}
)


def _moment(timestamp: Any) -> str | None:
    """Return an ISO 8601 time as Amplitude writes times, `2022-02-28 20:07:01.795000` in UTC."""
    try:
        at = datetime.fromisoformat(timestamp)
        at = at.astimezone(UTC) if at.tzinfo else at
    except (TypeError, ValueError, OverflowError):
        return None
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def _library(context: Any) -> str | None:
    library = context.get("library") if isinstance(context, dict) else None
    if not isinstance(library, dict) or not library.get("name"):
        return None
    return "/".join(str(library[word]) for word in ("name", "version") if library.get(word))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = _decoder.decode(raw)
    except (ValueError, InvalidOperation, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError("the event is no JSON object")
    return found


_decoder = msgspec.json.Decoder(float_hook=Decimal)
