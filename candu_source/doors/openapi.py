"""Describe the doors in OpenAPI 3.1, generated from the very schemas that read requests."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from candu_source import __version__
from candu_source.doors.schemas import CanduWebhook, InteractionCall, Whole
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


_PROBLEMS = {
    "400": "The JSON breaks: the sentence says where, and the body is kept as a reject. Or its gzip does not unpack: nothing is kept.",
    "401": "The token is unknown. Nothing is stored.",
    "413": "The body is over the limit; the sentence names it.",
    "415": "Not application/json, or an encoding other than gzip.",
    "422": "Nothing could be accepted; `rejected` names each field. Kept as rejects.",
    "503": "Disk or quota is low, or no commit within the deadline. Send again after Retry-After seconds.",
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document as a JSON-able dict."""
    plugin = MarshmallowPlugin()
    spec = APISpec(title="candu-source", version=__version__, openapi_version="3.1.0", plugins=[plugin])
    assert plugin.converter is not None
    plugin.converter.field_mapping[Whole] = ("integer", "int64")
    for name, schema in (("Receipt", ReceiptBody), ("Problem", ProblemBody)):
        spec.components.schema(name, schema=schema)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    webhook = _operation("Take Candu's outgoing webhook, Default format", _one_or_list(CanduWebhook))
    spec.path("/v1/webhook/{token}", operations={"post": {**webhook, "parameters": [token], "security": []}})
    interactions = _operation("Take tutorial views and interactions directly", _one_or_list(InteractionCall, batch=True))
    spec.path("/v1/interactions", operations={"post": {**interactions, "security": [{"bearer": []}, {"basic": []}]}})
    described: dict[str, Any] = spec.to_dict()
    return described


def _one_or_list(schema: type[Schema], *, batch: bool = False) -> dict[str, Any]:
    many = {"type": "array", "items": schema}
    envelope = {"type": "object", "required": ["batch"], "properties": {"batch": many}}
    return {"oneOf": [schema, many, *([envelope] if batch else [])]}


def _operation(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    problems = {
        status: {"description": text, "content": {"application/problem+json": {"schema": "Problem"}}} for status, text in _PROBLEMS.items()
    }
    accepted = {"description": "Durable.", "content": {"application/json": {"schema": "Receipt"}}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"202": accepted, **problems},
    }
