"""Read what a person, a form or a file says of a connection, field by field: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from candu_source.errors import UsageError
from candu_source.model import LARGEST_INTEGER, Connection, Kind, PortalRule, Region, Secret

_NAME_CHARACTERS = 100
_ENVIRONMENT_CHARACTERS = 40
_SWITCHES: Mapping[str, bool] = MappingProxyType({"on": True, "off": False, "true": True, "false": False})
_REGIONS: Mapping[str, Region] = MappingProxyType({region.value: region for region in Region})
_KINDS: Mapping[str, Kind] = MappingProxyType({kind.value: kind for kind in Kind})
# Takes the field's name and what was given for it; raises UsageError.
_Reader = Callable[[str, Any], Any]


def changed(connection: Connection, changes: Mapping[str, Any]) -> Connection:
    """Return the connection with `changes` put in, {a name of SETTINGS: what was given}; nothing else of it changes.

    Each value may be typed, as TOML and JSON have it, or text, as forms have it: numbers in digits, on or off, lists with blanks or
    commas between, tables as lines NAME=VALUE or a list of these. Raises UsageError that names the field and what to write.
    """
    for field in changes:
        if field not in SETTINGS:
            raise UsageError(f"{field}: not a setting of a connection; those are {', '.join(SETTINGS)}")
    own = {field: read(field, changes[field]) for field, read in _OF_CONNECTION.items() if field in changes}
    rules = {field: read(field, changes[field]) for field, read in _OF_RULES.items() if field in changes}
    if rules.get("portal") == PortalRule("lookup"):
        rules["portal"] = PortalRule("lookup", table=connection.rules.portal.table)
    return replace(connection, rules=replace(connection.rules, **rules), **own)


def said(connection: Connection) -> dict[str, Any]:
    """Return what `changed` makes this connection of, in plain values; a portal table is the contents' and is left out."""
    rules = connection.rules
    portal = {"omit": "omit", "constant": rules.portal.constant, "lookup": "lookup"}[rules.portal.mode]
    values: dict[str, Any] = {field: getattr(connection, field) for field in _OF_CONNECTION}
    values |= {field: getattr(rules, field) for field in _OF_RULES}
    return {
        **values,
        "region": connection.region.value,
        "segment_host": connection.segment_host or "",
        "classification": {name: kind.value for name, kind in rules.classification.items()},
        "portal": portal,
        "integrations": dict(rules.integrations),
        "allowed_origins": list(rules.allowed_origins),
        "allowed_addresses": list(rules.allowed_addresses),
    }


def differences(before: Connection, after: Connection) -> dict[str, tuple[Any, Any]]:
    """Return {field: (old, new)} of the settings that differ, in the words of `said`."""
    old, new = said(before), said(after)
    return {field: (old[field], new[field]) for field in SETTINGS if old[field] != new[field]}


def write_key(text: str) -> Secret:
    """Read a Segment source's write key; raise UsageError."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key or ":" in key:
        raise UsageError("write_key: a write key is one word without blanks or colons; copy it from the Segment source's settings")
    return Secret(key)


def identity_secret(text: str) -> Secret | None:
    """Read the secret that proves user ids from browsers; None when it is empty: that takes it away."""
    return Secret(text.strip()) if text.strip() else None


def _line(field: str, given: Any, *, most: int, least: int, example: str) -> str:
    """Read a text that fits a line."""
    text = given.strip() if isinstance(given, str) else None
    if text is None or not least <= len(text) <= most or not text.isprintable():
        raise UsageError(f"{field}: write {least} to {most} printable characters, such as {example}")
    return text


def _one_of(field: str, given: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(given, bool):
        given = "on" if given else "off"
    if not isinstance(given, str) or given.strip() not in values:
        raise UsageError(f"{field}: {given!r} is off; write {' or '.join(values)}")
    return values[given.strip()]


def _host(field: str, given: Any) -> str | None:
    text = str(given or "").strip()
    if not text:
        return None
    url = _web_address(text)
    if url is None or url.path.strip("/"):
        raise UsageError(f'{field}: write a base address without a path, as https://proxy.example.com, or "" for the region\'s own')
    return text.rstrip("/")


def _web_address(text: str) -> SplitResult | None:
    """Return the parts of an http(s) address without user and query; None when it is none."""
    try:
        url = urlsplit(text if text.isprintable() else "")  # urlsplit would pass over line feeds
        usable = url.scheme in ("http", "https") and url.hostname and not url.query and not url.username and url.port != 0
    except ValueError:
        return None
    return url if usable else None


def _whole(field: str, given: Any) -> int:
    if (number := _number(given)) is None:
        raise UsageError(f"{field}: {given!r} is off; write a whole number, 0 for no limit")
    return number


def _number(given: Any) -> int | None:
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_INTEGER)):
        return None
    return int(text) if int(text) <= LARGEST_INTEGER else None


def _portal(field: str, given: Any) -> PortalRule:
    """Read omit, lookup, one portal's number, or a table {content id: portal's number} to look up in."""
    if isinstance(given, Mapping):
        return PortalRule("lookup", table={str(content): _portal_number(field, portal) for content, portal in given.items()})
    match given:
        case "omit":
            return PortalRule()
        case "lookup":
            return PortalRule("lookup")
    return PortalRule("constant", constant=_portal_number(field, given))


def _portal_number(field: str, given: Any) -> int:
    if (number := _number(given)) is None:
        raise UsageError(f"{field}: {given!r} is not omit, not lookup, and not a portal's number")
    return number


def _table(field: str, given: Any, *, values: Mapping[str, Any], words: str) -> dict[str, Any]:
    """Read {name: word}, from a table or from texts NAME=WORD, of which the last counts."""
    pairs = given.items() if isinstance(given, Mapping) else (_pair(field, text, words) for text in _texts(field, given, by_line=True))
    table = {}
    for name, word in pairs:
        try:
            table[str(name)] = _one_of(field, word, values)
        except UsageError:
            raise UsageError(f"{field}: {f'{name}={word}'!r} is off; write NAME={words}") from None
    return table


def _pair(field: str, text: str, words: str) -> tuple[str, str]:
    name, _, word = text.rpartition("=")
    if not name.strip():
        raise UsageError(f"{field}: {text!r} is off; write NAME={words}")
    return name.strip(), word


def _texts(field: str, given: Any, *, by_line: bool = False) -> list[str]:
    """Read a list of texts, from a list or from one text."""
    texts = (given.splitlines() if by_line else given.replace(",", " ").split()) if isinstance(given, str) else given
    if not isinstance(texts, Iterable) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{field}: write a list of texts")
    return [text.strip() for text in texts if text.strip()]


def _each(field: str, given: Any, *, read: Callable[[str, str], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read(field, text) for text in _texts(field, given)))


def _origin(field: str, text: str) -> str:
    """Return an origin as browsers write it."""
    if text == "*":
        return text
    url = _web_address(text.rstrip("/").lower())
    if url is None or url.path or "*" in (url.hostname or "").removeprefix("*."):
        raise UsageError(f"{field}: {text!r} is off; write https://app.example.com, https://*.example.com for its subdomains, or * for all")
    return f"{url.scheme}://{url.netloc}"


def _network(field: str, text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise UsageError(f"{field}: {text!r} is off; write an address or a network, as 203.0.113.7 or 203.0.113.0/24") from None


def _words(*words: str) -> _Reader:
    return partial(_one_of, values={word: word for word in words})


_OF_CONNECTION: Mapping[str, _Reader] = MappingProxyType(
    {
        "name": partial(_line, most=_NAME_CHARACTERS, least=1, example="Candu_Prod"),
        "environment": partial(_line, most=_ENVIRONMENT_CHARACTERS, least=0, example="production"),
        "region": partial(_one_of, values=_REGIONS),
        "segment_host": _host,
        "paused": partial(_one_of, values=_SWITCHES),
        "requests_per_minute": _whole,
        "pending_most": _whole,
    }
)
_OF_RULES: Mapping[str, _Reader] = MappingProxyType(
    {
        "classification": partial(_table, values=_KINDS, words="|".join(_KINDS)),
        "custom_events": _words("filter", "send"),
        "anonymous": _words("send", "filter"),
        "extra_properties": partial(_one_of, values=_SWITCHES),
        "portal": _portal,
        "integrations": partial(_table, values=_SWITCHES, words="on|off"),
        "allowed_origins": partial(_each, read=_origin),
        "identity": _words("off", "warn", "require"),
        "bots": _words("filter", "send"),
        "allowed_addresses": partial(_each, read=_network),
    }
)
# What may be said of a connection, in the order in which it is told.
SETTINGS: tuple[str, ...] = (*_OF_CONNECTION, *_OF_RULES)
