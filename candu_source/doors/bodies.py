"""Describe the bodies that doors answer with, and that Segment sends back."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from candu_source.errors import Reason


class RejectedItem(Schema):
    """One item that was refused."""

    index = fields.Integer(required=True, metadata={"description": "Its place in the list, from 0."})
    code = fields.String(required=True, metadata={"enum": [reason.value for reason in Reason]})
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class ReceiptBody(Schema):
    """What became durable."""

    accepted = fields.Integer(required=True)
    duplicates = fields.Integer(required=True)
    filtered = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectedItem), required=True)


class SuccessBody(Schema):
    """All was accepted, in Candu's words."""

    success = fields.Boolean(required=True, metadata={"const": True})


class PartialBody(Schema):
    """Some of it was accepted."""

    success = fields.Boolean(required=True, metadata={"const": False})
    accepted = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectedItem), required=True)


class ContentBody(Schema):
    """One content that the connection knows."""

    name = fields.String(required=True)
    slug = fields.String(required=True)


class ReadbackCall(Schema):
    """A call as Segment's Webhooks destination sends it back; what else is in it is not looked at."""

    messageId = fields.String(required=True)  # noqa: N815 - Segment's word

    class Meta:
        """Take any other field."""

        unknown = INCLUDE


class ConfirmedBody(Schema):
    """What became of the calls that were sent back."""

    confirmed = fields.Integer(required=True, metadata={"description": "Events that are confirmed by this request."})
    known = fields.Integer(required=True, metadata={"description": "Events that were confirmed before."})
    unmatched = fields.Integer(required=True, metadata={"description": "Calls that are no event of this connection."})


class ProblemBody(Schema):
    """RFC 9457 problem; 422 also carries the receipt's counts and `rejected`."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    accepted = fields.Integer()
    duplicates = fields.Integer()
    filtered = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedItem))
