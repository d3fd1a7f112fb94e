"""Turn an integration's form into its file, and its file into what the form shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tomli_w

from candu_source.console.desk import Form
from candu_source.errors import UsageError
from candu_source.integrations.tile import Integration, Kind, Payload

_SECRET, _REQUIRED = "secret", "required"
_PARAMETER = ("parameter_name", "parameter_display_name", "parameter_secret", "parameter_default")
_MAPPING = ("mapping_name", "mapping_required", "mapping_default")


def written(form: Form) -> bytes:
    """Return the TOML file that a form describes; `reading.read` says what is off in it. Raises UsageError for lines with holes."""
    return _file(
        {
            "connection": {name: _text(form, name) for name in ("display_name", "category", "summary", "description")},
            "parameters": list(_parameters(form)),
            "mappings": list(_mappings(form)),
            "property_selection": form.flag("property_selection"),
            "limits": {
                "requests_per_minute": form.whole("requests_per_minute", 0),
                "body_bytes": form.whole("body_bytes", 0, most=10**9),
            },
            **{kind: _payload(form, kind) for kind in ("events", "users") if form.flag(kind)},
        }
    )


def rewritten(found: Integration) -> bytes:
    """Return an integration as a TOML file, without its comments."""
    info = found.info
    data: dict[str, Any] = {
        "connection": {
            "display_name": info.display_name,
            "category": info.category,
            "summary": info.summary,
            "description": info.description,
        },
        "parameters": [_plain(each._asdict(), "name", "display_name", "secret", "default") for each in found.parameters],
        "mappings": [each._asdict() for each in found.mappings],
        "property_selection": found.property_selection,
        "limits": {"requests_per_minute": found.requests_per_minute, "body_bytes": found.body_bytes},
    }
    return _file(data | {kind: laid_out(payload) for kind, payload in found.payloads.items()})


def laid_out(payload: Payload) -> dict[str, Any]:
    """Return a payload as plain data."""
    return {"method": payload.method, "url": payload.url, "headers": dict(payload.headers), "body": payload.body}


def tried_values(form: Form) -> dict[str, str]:
    """Return the values of parameters that a form tries the templates with."""
    return {name.strip(): value for name, value in _lines(form, ("parameter_name", "parameter_test")) if value}


def _parameters(form: Form) -> Iterator[dict[str, Any]]:
    for name, label, secret, default in _lines(form, _PARAMETER):
        yield {"name": name.strip(), "display_name": label.strip(), "secret": secret == _SECRET, "default": default.strip()}


def _mappings(form: Form) -> Iterator[dict[str, Any]]:
    for name, required, default in _lines(form, _MAPPING):
        yield {"name": name.strip(), "required": required == _REQUIRED, "default": default.strip()}


def _payload(form: Form, kind: Kind) -> dict[str, Any]:
    headers = {name.strip(): value.strip() for name, value in _lines(form, (f"{kind}_header", f"{kind}_header_value"))}
    return {
        "method": form.text(f"{kind}_method", "POST"),
        "url": form.text(f"{kind}_url"),
        "headers": headers,
        "body": _text(form, f"{kind}_body"),
    }


def _lines(form: Form, fields: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a table in a form; one whose first field is empty is none."""
    columns = [form.many(field) for field in fields]
    if len({len(column) for column in columns}) > 1:
        raise UsageError(f"{fields[0]}: each line has {', '.join(fields)}")
    yield from (line for line in zip(*columns, strict=True) if line[0].strip())


def _text(form: Form, name: str) -> str:
    """Return a text as it was typed, blanks and all; the file makes one of the two characters that end a browser's lines."""
    return next(iter(form.many(name)), "")


def _plain(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names}


def _file(data: dict[str, Any]) -> bytes:
    return tomli_w.dumps(data, multiline_strings=True).encode("utf-8", "replace")
