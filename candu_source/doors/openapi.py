"""Describe the doors in OpenAPI 3.1, generated from the very schemas that read requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from candu_source import __version__
from candu_source.doors.amplitude_schemas import AmplitudeItem
from candu_source.doors.bodies import ConfirmedBody, ContentBody, PartialBody, ProblemBody, ReadbackCall, ReceiptBody, SuccessBody
from candu_source.doors.rest_schemas import GroupCall, IdentifyCall, TrackCall
from candu_source.doors.schemas import BrowserEvent, CanduWebhook, InteractionCall, Whole

_PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "400": "The JSON breaks, the sentence says where; or its gzip does not unpack. The bytes are kept as a reject, save at readback.",
        "401": "The token is unknown. Nothing is stored.",
        "403": "Pages of this origin, or this address, may not send here; the sentence names the setting. Nothing is stored.",
        "413": "The body is over the limit, the sentence names it; or it holds more than 10 000 items. Nothing is stored.",
        "415": "Another content type, or an encoding other than gzip. Nothing is stored.",
        "422": "Nothing could be accepted; `rejected` names each field. Kept as rejects.",
        "429": "Too many requests in a minute. Nothing is stored; send again after Retry-After seconds.",
        "503": "Disk or quota is low, as many events wait as may, or no commit within the deadline. Send again after Retry-After seconds.",
    }
)
_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_READ = ("400", "401", "413", "415", "422", "429", "503")
_BEARER_OR_BASIC: Sequence[Mapping[str, Any]] = ({"bearer": []}, {"basic": []})
# A checkout has them beside the package; an installed package describes its doors without examples.
_SAMPLES = Path(__file__).parents[2] / "samples"
# Samples of what the doors refuse.
_REFUSED = frozenset({"refused", "slack-format"})


@dataclass(frozen=True, slots=True)
class _Door:
    """Say what is particular to one door's POST; `samples` is its folder of examples."""

    summary: str
    body: Mapping[str, Any]
    problems: Sequence[str]
    samples: str
    security: Sequence[Mapping[str, Any]] = ()
    media: Sequence[str] = ("application/json",)
    answers: Sequence[tuple[str, str]] = (("202", "Receipt"),)  # status of what is durable, and the schema of its body


class _Page(NamedTuple):
    """Say what an address that is read answers, beside 200, and what stands in that."""

    summary: str
    media: str
    others: Mapping[str, Any] = MappingProxyType({})
    security: Sequence[Mapping[str, Any]] = ()
    body: Mapping[str, Any] = MappingProxyType({})


def _one_or_list(schema: type[Schema], *, batch: bool = False) -> dict[str, Any]:
    many = {"type": "array", "items": schema}
    envelope = {"type": "object", "required": ["batch"], "properties": {"batch": many}}
    return {"oneOf": [schema, many, *([envelope] if batch else [])]}


_AMPLITUDE = "Take events and users of Amplitude's Webhook destination"
_CALLS = (IdentifyCall, TrackCall, GroupCall)
_DOORS: Mapping[str, _Door] = MappingProxyType(
    {
        "/v1/webhook/{token}": _Door(
            "Take Candu's outgoing webhook, Default format", _one_or_list(CanduWebhook), (*_READ, "403"), "webhook"
        ),
        "/v1/interactions": _Door(
            "Take tutorial views and interactions directly",
            _one_or_list(InteractionCall, batch=True),
            _READ,
            "interactions",
            security=_BEARER_OR_BASIC,
        ),
        "/v1/browser/{token}": _Door(
            "Take what the collector script heard in a page",
            _one_or_list(BrowserEvent, batch=True),
            (*_READ, "403"),
            "browser",
            media=("application/json", "text/plain"),
        ),
        "/api/eventWebhook": _Door(
            "Take identify, track and group calls of Candu's REST API",
            {"oneOf": [*_CALLS, {"type": "array", "items": {"oneOf": list(_CALLS)}}]},
            _READ,
            "rest",
            security=_BEARER_OR_BASIC,
            answers=(("200", "Success"), ("202", "Partial")),
        ),
        "/v1/amplitude/{token}": _Door(_AMPLITUDE, _one_or_list(AmplitudeItem), _READ, "amplitude"),
        "/v1/amplitude": _Door(_AMPLITUDE, _one_or_list(AmplitudeItem), _READ, "amplitude", security=_BEARER_OR_BASIC),
        "/v1/readback/{token}": _Door(
            "Take what Segment's Webhooks destination sends back",
            _one_or_list(ReadbackCall),
            ("400", "401", "413", "415", "503"),
            "readback",
            answers=(("200", "Confirmed"),),
        ),
    }
)


def _problem(status: str) -> dict[str, Any]:
    wait = {"headers": _WAIT} if status in ("429", "503") else {}
    return {"description": _PROBLEMS[status], "content": {"application/problem+json": {"schema": "Problem"}}, **wait}


_STRANGER = {status: _problem(status) for status in ("401", "503")}
_UNCHANGED = {"304": {"description": "The script has not changed."}}
_NOT_READY = {"503": {"description": "Not ready, and why.", "content": {"application/json": {}}}}
_PAGES: Mapping[str, _Page] = MappingProxyType(
    {
        "/v1/webhook/{token}": _Page("Tell a person what this address is", "text/html", _STRANGER),
        "/v1/interactions": _Page("Tell a person what this address is", "text/html"),
        "/v1/browser/{token}": _Page("Tell a person what this address is", "text/html", _STRANGER),
        "/api/eventWebhook": _Page("Tell a person what this address is", "text/html"),
        "/api/contentMetadata": _Page(
            "List the contents that the connection has seen or been told, as Candu's REST API does",
            "application/json",
            _STRANGER,
            _BEARER_OR_BASIC,
            {"schema": {"type": "array", "items": "Content"}},
        ),
        "/v1/amplitude/{token}": _Page("Tell a person what this address is", "text/html", _STRANGER),
        "/v1/amplitude": _Page("Tell a person what this address is", "text/html"),
        "/v1/readback/{token}": _Page("Tell a person what this address is", "text/html", _STRANGER),
        "/v1/collector.js": _Page("Serve the collector script", "text/javascript", _UNCHANGED),
        "/v1/openapi.json": _Page("Serve this document", "application/json"),
        "/healthz": _Page("Tell whether the process is alive", "application/json"),
        "/readyz": _Page("Tell whether events can be taken, and which lanes are held", "application/json", _NOT_READY),
        "/metrics": _Page("Expose Prometheus metrics", "text/plain"),
    }
)
_BODIES: Mapping[str, type[Schema]] = MappingProxyType(
    {
        "Receipt": ReceiptBody,
        "Problem": ProblemBody,
        "Success": SuccessBody,
        "Partial": PartialBody,
        "Content": ContentBody,
        "Confirmed": ConfirmedBody,
    }
)


def document() -> dict[str, Any]:
    """Return the OpenAPI document as a JSON-able dict."""
    plugin = MarshmallowPlugin()
    spec = APISpec(title="candu-source", version=__version__, openapi_version="3.1.0", plugins=[plugin])
    assert plugin.converter is not None
    plugin.converter.field_mapping[Whole] = ("integer", "int64")
    for name, schema in _BODIES.items():
        spec.components.schema(name, schema=schema)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    for path in dict.fromkeys([*_DOORS, *_PAGES]):
        operations = {}
        if path in _DOORS:
            operations["post"] = _post(_DOORS[path])
        if path in _PAGES:
            operations["get"] = _get(_PAGES[path])
        token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
        spec.path(path, operations=operations, parameters=[token] if "{token}" in path else [])
    described: dict[str, Any] = spec.to_dict()
    return described


def _post(door: _Door) -> dict[str, Any]:
    durable = {status: {"description": "Durable.", "content": {"application/json": {"schema": schema}}} for status, schema in door.answers}
    content = {"schema": dict(door.body), "examples": _examples(door.samples)}
    return {
        "summary": door.summary,
        "requestBody": {"required": True, "content": dict.fromkeys(door.media, content)},
        "responses": {**durable, **{status: _problem(status) for status in sorted(door.problems)}},
        "security": [dict(each) for each in door.security],
    }


def _get(page: _Page) -> dict[str, Any]:
    found = {"description": "Found.", "content": {page.media: dict(page.body)}}
    return {"summary": page.summary, "responses": {"200": found, **page.others}, "security": [dict(each) for each in page.security]}


def _examples(samples: str) -> dict[str, Any]:
    files = [file for file in sorted(_SAMPLES.joinpath(samples).glob("*.json")) if file.stem not in _REFUSED]
    return {file.stem: {"value": json.loads(file.read_text("utf-8"))} for file in files}
