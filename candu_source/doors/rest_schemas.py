"""State what the Candu-compatible REST door takes (seed: Candu, "Get Data into Candu via the REST API")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from candu_source.doors.schemas import ID_CHARACTERS, NAME_CHARACTERS, NOBODY, Scalars
from candu_source.mapping import MESSAGE_ID_CHARACTERS

IDENTIFY, TRACK, GROUP = "identify", "track", "group"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_NOT_A_TIME = "Not ISO 8601 with seconds and Z or an offset: send 2021-11-01T15:58:02Z."


def _text(most: int, *, least: int = 1, **options: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=least, max=most), **options)


def _who(description: str) -> fields.String:
    """Take an id of somebody; empty text and null name nobody, as Segment reads them."""
    return _text(ID_CHARACTERS, least=0, allow_none=True, metadata={"description": description})


def _scalars(what: str, **options: Any) -> Scalars:
    described = {"description": f"{what}: text, numbers and booleans.", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    return Scalars(keys=fields.String(), metadata=described, **options)


class AnyCall(Schema):
    """What all calls have: a type, by which the schema of the others is chosen."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, validate=validate.OneOf([IDENTIFY, TRACK, GROUP]))


class _Call(Schema):
    class Meta:
        unknown = RAISE

    userId = _who("Your own id of the user; a group may have an anonymousId in its place.")  # noqa: N815 - wire names
    userID = _who("The same, as Candu's tables spell it.")  # noqa: N815
    anonymousId = _who("Not in Candu's API; Segment takes it beside or instead of userId.")  # noqa: N815
    messageId = _text(MESSAGE_ID_CHARACTERS, allow_none=True, metadata={"description": "Not in Candu's API; makes sending again harmless."})  # noqa: N815
    timestamp = fields.String(
        allow_none=True,
        metadata={
            "description": "When it happened, ISO 8601 with seconds and Z or an offset; our receipt when absent.",
            "format": "date-time",
        },
    )
    context = fields.Dict(keys=fields.String(), allow_none=True, metadata={"description": "Not in Candu's API; as Segment names it."})

    @validates_schema
    def _together(self, data: Mapping[str, Any], **_: Any) -> None:
        names = ("type", "userId", "userID", "anonymousId", "timestamp")
        if faults := rest_faults(*(data.get(name) for name in names)):
            raise ValidationError(faults)


class IdentifyCall(_Call):
    """One identify call of POST /api/eventWebhook."""

    type = fields.String(required=True, validate=validate.OneOf([IDENTIFY]))
    traits = _scalars("What is known of the user", required=True)


class TrackCall(_Call):
    """One track call of POST /api/eventWebhook."""

    type = fields.String(required=True, validate=validate.OneOf([TRACK]))
    event = _text(NAME_CHARACTERS, required=True)
    properties = _scalars("What is known of the event", allow_none=True)


class GroupCall(_Call):
    """One group call of POST /api/eventWebhook."""

    type = fields.String(required=True, validate=validate.OneOf([GROUP]))
    groupId = _text(ID_CHARACTERS, required=True)  # noqa: N815
    traits = _scalars("What is known of the group", required=True)


def rest_faults(
    kind: str | None, user_id: str | None, other_spelling: str | None, anonymous_id: str | None, timestamp: str | None
) -> dict[str, list[str]]:
    """Return what is wrong between the fields of one call, and with its time, by field."""
    faults = {}
    if user_id and other_spelling and user_id != other_spelling:
        faults["userID"] = ["Differs from userId; send one of them."]
    if not user_id and not other_spelling and kind != GROUP:
        faults["userId"] = [f"Missing: {kind} is about a user."]
    if not user_id and not other_spelling and not anonymous_id and kind == GROUP:
        faults["userId"] = [NOBODY]
    if timestamp is not None and not _is_time(timestamp):
        faults["timestamp"] = [_NOT_A_TIME]
    return faults


def _is_time(text: str) -> bool:
    try:
        return bool(_TIME.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False
