"""Render the request that an integration makes of an event or a user."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from candu_source.integrations.freemarker import Template, TemplateError, compile_template
from candu_source.integrations.tile import Payload

# What templates read from; FreeMarker's own words are not among them.
ROOTS = ("input", "parameters", "mappedProperties", "mappedFields")
# What Amplitude's webhooks carry (Amplitude, "Webhooks"), unless an integration says otherwise.
USUAL_HEADERS: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json", "User-Agent": "Amplitude/Webhook/1.0"})
_LINE_ENDS = frozenset("\r\n\0")
_TRAILING = re.compile(r",(?=\s*(?:[}\]]|\Z))")


@dataclass(frozen=True, slots=True)
class Given:
    """Hold what a template is rendered with: the event or user as Amplitude sends it, and what the sync makes of it."""

    input: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    mapped_properties: Mapping[str, str] = field(default_factory=dict)
    mapped_fields: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return it under the names that templates use."""
        values = (self.input, self.parameters, self.mapped_properties, self.mapped_fields)
        return {root: dict(value) for root, value in zip(ROOTS, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Rendered:
    """Hold one request as it would be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"method": self.method, "url": self.url, "headers": dict(self.headers), "body": self.body}

    def json_fault(self) -> str:
        """Return why the body is no JSON, with line and column, and what would mend it where that is known; empty when it is."""
        fault = _json_fault(self.body)
        if fault and (comma := _TRAILING.search(self.body)) and not _json_fault(_TRAILING.sub("", self.body)):
            line = self.body.count("\n", 0, comma.start()) + 1
            return f"{fault}. JSON has no comma before a closing bracket: take away the one at the end of line {line}"
        return fault


@dataclass(frozen=True, slots=True)
class Compiled:
    """Hold the templates of one payload, ready to render."""

    method: str
    url: Template
    headers: Mapping[str, Template]
    body: Template

    def used(self, root: str) -> frozenset[str]:
        """Return the names below a root that URL, headers or body use."""
        return frozenset().union(*(template.uses(root) for template in (self.url, *self.headers.values(), self.body)))

    def render(self, given: Given, *, now: int) -> Rendered:
        """Render the request, `now` in milliseconds since the epoch; raise TemplateError, for an address that is none, too."""
        data = given.data()
        url = _rendered("url", self.url, data, now).strip()
        headers = {name: _rendered(f"headers.{name}", value, data, now).strip() for name, value in self.headers.items()}
        _insist_sendable(url, headers)
        return Rendered(self.method, url, headers, _rendered("body", self.body, data, now))


def _rendered(part: str, template: Template, data: Mapping[str, Any], now: int) -> str:
    try:
        return template.render(data, now=now)
    except TemplateError as error:
        raise TemplateError(error.kind, error.line, error.column, f"{error.message} (in {part})", limit=error.limit) from None


def compile_payload(payload: Payload) -> Compiled:
    """Compile the templates of a payload, with the headers that Amplitude adds; raise TemplateError of the first that does not compile."""
    own = {name.lower() for name in payload.headers}
    headers = {name: value for name, value in USUAL_HEADERS.items() if name.lower() not in own} | dict(payload.headers)
    templates = {name: compile_template(value) for name, value in headers.items()}
    return Compiled(payload.method, compile_template(payload.url), templates, compile_template(payload.body))


def _insist_sendable(url: str, headers: Mapping[str, str]) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        fine = False
    if not fine:
        raise TemplateError("runtime", 1, 1, f"the URL renders as {url[:200]!r}, which is none; it begins with https:// and has a host")
    for name, value in headers.items():
        if _LINE_ENDS & set(value) or not value.isascii():
            raise TemplateError("runtime", 1, 1, f"the header {name} renders with a line end or a character that headers cannot hold")


def _json_fault(text: str) -> str:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
