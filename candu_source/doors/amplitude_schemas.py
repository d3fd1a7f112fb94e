"""State what the Amplitude door takes: events as the Export API gives them, users as the Identify API takes them.

Amplitude, "Webhooks Streaming", "Export API" and "Identify API", are where the names come from; none of these pages is a contract, so
what is not read here may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from candu_source.doors.schemas import ID_CHARACTERS, NAME_CHARACTERS

IDENTIFY = "$identify"  # the event by which Amplitude exports what its Identify API took
# Fields that Amplitude documents as int or long; they stay in the raw bytes and are never sent on.
LONGS = frozenset({"app", "event_id", "amplitude_id", "session_id"})
# Amplitude's own words for any event and for users, where a sync chooses event types.
_RESERVED = frozenset({"_all", "_identify"})
_SET, _SET_ONCE = "$set", "$setOnce"
# The other operations of the Identify API change what is there; Segment has no words for that.
_CHANGES = frozenset({"$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset", "$clearAll"})
_NOBODY = "Send user_id, device_id or both: Segment drops a call without either."
_NO_TYPE = "Missing: an event names its type here, a user has user_properties or user_id and no event_properties."


def _text(description: str, *rules: validate.Length, **options: Any) -> fields.String:
    return fields.String(allow_none=True, metadata={"description": description}, validate=rules, **options)


def _object(description: str) -> fields.Dict:
    return fields.Dict(keys=fields.String(), allow_none=True, metadata={"description": description})


class AmplitudeItem(Schema):
    """One event or user of POST /v1/amplitude; other fields may be anything."""

    class Meta:
        unknown = EXCLUDE

    event_type = _text("The event's name; a user has none, or $identify.", validate.Length(min=1, max=NAME_CHARACTERS))
    user_id = _text("Your own id of the user.", validate.Length(max=ID_CHARACTERS))
    device_id = _text("Becomes anonymousId.", validate.Length(max=ID_CHARACTERS))
    uuid = _text("Makes sending again harmless.")
    insert_id = _text("The same, together with device_id, where there is no uuid.", data_key="$insert_id")
    event_time = _text("When it happened, in UTC; our receipt when absent.")
    event_properties = _object("What is known of the event.")
    user_properties = _object("What is known of the user; a user's become traits.")

    @validates_schema
    def _together(self, data: Mapping[str, Any], **_: Any) -> None:
        names = ("event_type", "user_id", "device_id", "event_properties", "user_properties")
        if faults := amplitude_faults(*(data.get(name) for name in names)):
            raise ValidationError(faults)

    @post_load
    def _in_their_words(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Name each field as Amplitude does: that is how the typed decoder reads it."""
        return {self.fields[name].data_key or name: value for name, value in data.items()}


def amplitude_faults(
    event_type: str | None,
    user_id: str | None,
    device_id: str | None,
    event_properties: Mapping[str, Any] | None,
    user_properties: Mapping[str, Any] | None,
) -> dict[str, list[str]]:
    """Return what is wrong between the fields of one item, by field."""
    faults = {}
    if event_type in _RESERVED:
        faults["event_type"] = [f"{event_type} is a reserved name of Amplitude's and no event; send the event's own name."]
    if event_type is None and (event_properties or not (user_properties is not None or user_id)):
        faults["event_type"] = [_NO_TYPE]
    if not user_id and not device_id:
        faults["user_id"] = [_NOBODY]
    if is_user(event_type):
        faults |= {
            f"user_properties.{operation}": ["Not an object of names and values."]
            for operation in (_SET_ONCE, _SET)
            if not isinstance((user_properties or {}).get(operation, {}), dict)
        }
    return faults


def is_user(event_type: str | None) -> bool:
    """Tell whether an item of this type is about a user and no event."""
    return event_type in (None, IDENTIFY)


def traits(user_properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user's properties as plain values: of `$setOnce`, then without an operation, then of `$set`; a later one wins.

    What the other operations do to a property cannot be said in a trait, and is left out.
    """
    operations = _CHANGES | {_SET, _SET_ONCE}
    plain = {name: value for name, value in user_properties.items() if name not in operations}
    return {**user_properties.get(_SET_ONCE, {}), **plain, **user_properties.get(_SET, {})}
