"""State what the doors take, in marshmallow; derive from the same schemas the typed decoder that well-formed items pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from candu_source.mapping import EVENT_ID_CHARACTERS, INTERACTION, VIEW
from candu_source.model import LARGEST_INTEGER

ID_CHARACTERS = 255
NAME_CHARACTERS = 1_000
NOBODY = "Send userId, anonymousId or both: Segment drops a call without either."
_DIGITS = re.compile(r"0|[1-9][0-9]*")


class Whole(fields.Field[int]):
    """Take an integer, 12.0, or a canonical digit string; nothing else (docs/doors.md has the table)."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own way to declare them
        "invalid": 'Not an integer: send 12, 12.0 or "12".',
        "range": "Beyond 2^53.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        number = _whole(value)
        if number is None:
            raise self.make_error("invalid")
        if abs(number) > LARGEST_INTEGER:
            raise self.make_error("range")
        return number


class Scalars(fields.Dict):
    """Take an object whose values are text, numbers or booleans, and name each value that is not."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        if wrong := [name for name, inner in loaded.items() if not isinstance(inner, str | int | float)]:
            raise ValidationError({name: ["Not text, a number or a boolean."] for name in wrong})
        return loaded


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and len(value) <= len(str(LARGEST_INTEGER)) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def _id(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=ID_CHARACTERS), **options)


def _who(**options: Any) -> fields.String:
    """Take an id of somebody; empty text and null name nobody, as Segment reads them."""
    return fields.String(allow_none=True, validate=validate.Length(max=ID_CHARACTERS), **options)


def _label() -> fields.String:
    """Take a name that Candu may leave empty or null, which means that it has none."""
    return fields.String(allow_none=True, validate=validate.Length(max=NAME_CHARACTERS))


def _name(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=NAME_CHARACTERS), **options)


def _event_id(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=EVENT_ID_CHARACTERS), **options)


class SeedProperties(Schema):
    """The properties of Segment's Candu source page, and Candu's own beside them."""

    class Meta:
        unknown = RAISE

    tutorialId = Whole(required=True, metadata={"description": "ID of the tutorial the user viewed."})  # noqa: N815 - wire names
    segmentId = _id(required=True, metadata={"description": "ID of the user segment."})  # noqa: N815
    portalId = Whole(required=True, metadata={"description": "ID of the portal the user accessed."})  # noqa: N815
    versionId = _id(required=True, metadata={"description": "ID of the version."})  # noqa: N815
    eventName = _name(metadata={"description": "The type of interaction; required for tutorial.interaction only."})  # noqa: N815
    contentId = _id()  # noqa: N815
    placementId = _id()  # noqa: N815
    nodeId = _id()  # noqa: N815
    nodeType = _id()  # noqa: N815
    slug = _id()
    trigger = _id()
    category = _id()


class InteractionCall(Schema):
    """One item of POST /v1/interactions."""

    class Meta:
        unknown = RAISE

    type = fields.String(required=True, validate=validate.OneOf([VIEW, INTERACTION]))
    userId = _who(metadata={"description": "Your own id of the user."})  # noqa: N815
    anonymousId = _who()  # noqa: N815
    properties = fields.Nested(SeedProperties, required=True)
    messageId = _event_id(metadata={"description": "Makes sending again harmless."})  # noqa: N815
    timestamp = fields.String(metadata={"description": "When it happened, ISO 8601; our receipt when absent."})
    context = fields.Dict(keys=fields.String())

    @validates_schema
    def _together(self, data: Mapping[str, Any], **_: Any) -> None:
        properties = data.get("properties") or {}
        faults = call_faults(data["type"], data.get("userId"), data.get("anonymousId"), properties.get("eventName"))
        if faults:
            raise ValidationError(faults)


def call_faults(kind: str, user_id: str | None, anonymous_id: str | None, event_name: str | None) -> dict[str, Any]:
    """Return what is wrong between the fields of one call, by field."""
    faults: dict[str, Any] = {}
    if not user_id and not anonymous_id:
        faults["userId"] = [NOBODY]
    if kind == INTERACTION and event_name is None:
        faults["properties"] = {"eventName": ["Missing data for required field."]}
    if kind == VIEW and event_name is not None:
        faults["properties"] = {"eventName": ["Only tutorial.interaction has an eventName."]}
    return faults


class CanduProperties(Schema):
    """What a view or an interaction of Candu must hold; everything else it holds is kept."""

    class Meta:
        unknown = INCLUDE

    documentId = Whole()  # noqa: N815
    tutorialId = Whole()  # noqa: N815
    portalId = Whole()  # noqa: N815
    segmentId = _id(allow_none=True)  # noqa: N815
    versionId = _id(allow_none=True)  # noqa: N815
    eventName = _label()  # noqa: N815


class CanduPayload(Schema):
    """The `payload` of Candu's outgoing webhook, Default format."""

    class Meta:
        unknown = INCLUDE

    id = _event_id(allow_none=True)
    userId = _who()  # noqa: N815
    anonymousId = _who()  # noqa: N815
    eventName = _label()  # noqa: N815
    screenName = _label()  # noqa: N815
    sentAt = fields.String(allow_none=True)  # noqa: N815
    receivedAt = fields.String(allow_none=True)  # noqa: N815
    context = fields.Dict(keys=fields.String(), allow_none=True)
    properties = fields.Dict(keys=fields.String(), allow_none=True)


class CanduWebhook(Schema):
    """One item of POST /v1/webhook/<token>."""

    class Meta:
        unknown = INCLUDE

    payload = fields.Nested(CanduPayload, required=True)


class BrowserDetail(Schema):
    """The `detail` of Candu's event on `window`."""

    class Meta:
        unknown = INCLUDE

    screenName = _label()  # noqa: N815
    eventName = _label()  # noqa: N815
    properties = fields.Dict(keys=fields.String(), allow_none=True)


class BrowserEvent(Schema):
    """One item of POST /v1/browser/<public token>."""

    class Meta:
        unknown = RAISE

    messageId = _event_id(required=True, metadata={"description": "Made where the event was heard; makes sending again harmless."})  # noqa: N815
    timestamp = fields.String(required=True, metadata={"description": "When it was heard, ISO 8601."})
    type = fields.String(required=True, validate=validate.OneOf(["candu.sdk.screen", "candu.sdk.track"]))
    detail = fields.Nested(BrowserDetail, required=True)
    userId = _who(metadata={"description": "Your own id of the user, as the page knows it."})  # noqa: N815
    userHmac = _who(metadata={"description": "HMAC-SHA256 of userId with the connection's identity secret, in hex."})  # noqa: N815
    anonymousId = _who()  # noqa: N815
    context = fields.Dict(keys=fields.String())


def typed(schema: type[Schema]) -> Any:
    """Derive the msgspec type that takes a subset of what `schema` takes, with the same values, forty times as fast."""
    declared = schema._declared_fields
    required = [(name, _type_of(field)) for name, field in declared.items() if field.required]
    optional = [(name, _or_none(field), None) for name, field in declared.items() if not field.required]
    strict = schema.Meta.unknown == RAISE
    wire = {name: field.data_key for name, field in declared.items() if field.data_key is not None}
    return msgspec.defstruct(schema.__name__, [*required, *optional], forbid_unknown_fields=strict, rename=wire, module=__name__)


def _or_none(field: fields.Field[Any]) -> Any:
    """Take null only where the schema does; None is what an absent field holds, too."""
    return _type_of(field) | None if field.allow_none else _type_of(field)


def _type_of(field: fields.Field[Any]) -> Any:
    match field:
        case fields.Nested():
            return typed(field.nested)  # type: ignore[arg-type]
        case fields.Dict():
            return dict[str, str | int | float | bool] if isinstance(field, Scalars) else dict[str, Any]
        case Whole():
            return Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
    for rule in field.validators:
        if isinstance(rule, validate.OneOf):
            return Literal[tuple(rule.choices)]
        if isinstance(rule, validate.Length):
            return Annotated[str, msgspec.Meta(min_length=rule.min, max_length=rule.max)]
    return str


def flatten(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Turn marshmallow's nested messages into {dotted field: [message]}."""
    if isinstance(messages, Mapping):
        errors: dict[str, list[str]] = {}
        for name, inner in messages.items():
            path = prefix if name == "_schema" else f"{prefix}.{name}" if prefix else str(name)
            errors.update(flatten(inner, path))
        return errors
    return {prefix or "body": [str(message) for message in messages]}
