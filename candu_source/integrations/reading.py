"""Read an integration from TOML or JSON: one schema, every problem named by its field."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from candu_source.errors import UsageError
from candu_source.integrations.tile import BODY_BYTES, Info, Integration, MappedField, Parameter, Payload, State

# A file that a person writes; templates are bounded one by one.
_FILE_BYTES = 512 * 2**10
_LOGO_BYTES = 256 * 2**10
_PNG = b"\x89PNG\r\n\x1a\n"
# What templates can name without brackets.
_NAME = validate.Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z", error="Use letters, digits and _, a letter first: templates name it.")
# RFC 9110, 5.6.2: a header's name is a token.
_HEADER = validate.Regexp(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z", error="Not the name of a header.")
_TEXT = validate.Length(1, 20_000)


class _Schema(Schema):
    class Meta:
        unknown = RAISE


class _Info(_Schema):
    display_name = fields.String(required=True, validate=validate.Length(1, 100))
    category = fields.String(required=True, validate=validate.Length(1, 100))
    summary = fields.String(required=True, validate=validate.Length(1, 300))
    description = fields.String(required=True, validate=_TEXT)
    logo = fields.String()


class _Parameter(_Schema):
    name = fields.String(required=True, validate=_NAME)
    display_name = fields.String(required=True, validate=validate.Length(1, 200))
    secret = fields.Boolean(load_default=False)
    default = fields.String(load_default="", validate=validate.Length(0, 2_000))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Parameter:
        return Parameter(**data)


class _Mapping(_Schema):
    name = fields.String(required=True, validate=_NAME)
    required = fields.Boolean(load_default=False)
    default = fields.String(load_default="")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> MappedField:
        return MappedField(**data)


class _Payload(_Schema):
    method = fields.String(load_default="POST", validate=validate.OneOf(["PUT", "POST", "PATCH"]))
    url = fields.String(required=True, validate=validate.Length(1, 2_000))
    headers = fields.Dict(keys=fields.String(validate=_HEADER), values=fields.String(), load_default=dict)
    body = fields.String(required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Payload:
        return Payload(**data)


class _Limits(_Schema):
    requests_per_minute = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    body_bytes = fields.Integer(strict=True, load_default=BODY_BYTES, validate=validate.Range(1, 10**6))


class _Integration(_Schema):
    state = fields.Enum(State, by_value=True, load_default=State.DRAFT)
    connection = fields.Nested(_Info, required=True)
    parameters = fields.List(fields.Nested(_Parameter), load_default=list)
    mappings = fields.List(fields.Nested(_Mapping), load_default=list)
    events = fields.Nested(_Payload)
    users = fields.Nested(_Payload)
    property_selection = fields.Boolean(load_default=True)
    limits = fields.Nested(_Limits, load_default=lambda: {"requests_per_minute": 0, "body_bytes": BODY_BYTES})


def read_file(file: Path) -> Integration:
    """Read an integration's file; its logo is a PNG beside it. Raises UsageError naming the field that is off."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    loaded = _loaded(raw, str(file))
    logo = loaded["connection"].get("logo")
    return _made(loaded, None if logo is None else _logo(file.parent, logo))


def read(raw: bytes, name: str, logo: bytes | None = None) -> Integration:
    """Read an integration from the bytes of a TOML or JSON file, of which its logo is no part; raise UsageError naming the field."""
    if logo is not None:
        _insist_png(logo, "it")
    return _made(_loaded(raw, name), logo)


def _loaded(raw: bytes, name: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = _Integration().load(_parse(raw, name))
    except ValidationError as error:
        raise UsageError(
            f"{name}: {'; '.join(_said({'file': error.messages} if isinstance(error.messages, list) else error.messages))}"
        ) from None
    for kind in ("parameters", "mappings"):
        _insist_once(name, kind, [each.name for each in loaded[kind]])
    return loaded


def _made(loaded: Mapping[str, Any], logo: bytes | None) -> Integration:
    return Integration(
        info=Info(**{**loaded["connection"], "logo": logo}),
        parameters=tuple(loaded["parameters"]),
        mappings=tuple(loaded["mappings"]),
        events=loaded.get("events"),
        users=loaded.get("users"),
        property_selection=loaded["property_selection"],
        state=loaded["state"],
        **loaded["limits"],
    )


def _parse(raw: bytes, name: str) -> Any:
    if len(raw) > _FILE_BYTES:
        raise UsageError(f"{name} has {len(raw):,} bytes; an integration's file has at most {_FILE_BYTES:,}")
    try:
        # No TOML begins with a brace.
        return json.loads(raw) if raw.lstrip().startswith(b"{") else tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} does not read: {error}") from None


def _logo(directory: Path, name: str) -> bytes:
    if Path(name).name != name:
        raise UsageError(f"connection.logo: {name!r} is not the name of a file beside the integration's")
    try:
        with (directory / name).open("rb") as file:
            raw = file.read(_LOGO_BYTES + 1)
    except OSError as error:
        raise UsageError(f"connection.logo: {name} cannot be read: {error.strerror}") from None
    _insist_png(raw, name)
    return raw


def _insist_png(raw: bytes, name: str) -> None:
    if not raw.startswith(_PNG):
        raise UsageError(f"connection.logo: {name} is not a PNG")
    if len(raw) > _LOGO_BYTES:
        raise UsageError(f"connection.logo: {name} has more than {_LOGO_BYTES:,} bytes")


def _insist_once(file: str, kind: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{file}: {kind}: {', '.join(twice)} is declared twice")


def _said(messages: Mapping[Any, Any], path: str = "") -> Iterator[str]:
    for field, inner in messages.items():
        here = f"{path}.{field}" if path else str(field)
        if isinstance(inner, Mapping):
            yield from _said(inner, here)
        else:
            yield f"{here}: {' '.join(inner)}"
