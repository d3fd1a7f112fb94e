"""Options that change a connection's rules, and what they mean."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import click

from candu_source.doors.items import LARGEST_INTEGER
from candu_source.errors import UsageError
from candu_source.model import Kind, PortalRule, Rules

_OnOff: Mapping[str, bool] = MappingProxyType({"on": True, "off": False})

_RULE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--classify", multiple=True, metavar="EVENT=view|interaction|filter", help="Say what a Candu event becomes; repeatable."),
    click.option(
        "--custom-events", type=click.Choice(["send", "filter"]), help="Custom events: send them under their own name, or filter."
    ),
    click.option("--anonymous", type=click.Choice(["send", "filter"]), help="Events without a userId."),
    click.option(
        "--portal",
        metavar="omit|NUMBER|lookup|FILE.csv",
        help="portalId: none, one for all, looked up in `contents list`, or that with a table contentId,portalId put into it.",
    ),
    click.option("--extra-properties", type=click.Choice(list(_OnOff)), help="Candu's own properties beside the seed's."),
    click.option(
        "--integration", multiple=True, metavar="NAME=on|off", help="Segment destinations to reach or skip; Candu=off by default."
    ),
    click.option(
        "--origin",
        multiple=True,
        metavar="ORIGIN",
        help='Pages that may send: https://app.example.com, https://*.example.com, *; "" for none.',
    ),
    click.option("--identity", type=click.Choice(["off", "warn", "require"]), help="Whether user ids from browsers need a proof."),
    click.option("--bots", type=click.Choice(["send", "filter"]), help="Browser events of known crawlers."),
    click.option(
        "--allow-address", multiple=True, metavar="NETWORK", help='Addresses that may post to the webhook, as 203.0.113.0/24; "" for all.'
    ),
)


def rule_options(command: Any) -> Any:
    """Give a command the options of rules."""
    for option in reversed(_RULE_OPTIONS):
        command = option(command)
    return command


def changed(rules: Rules, options: Mapping[str, Any]) -> Rules:
    """Return the rules with the options that were given put in; raise UsageError for one that is off."""
    changes: dict[str, Any] = {name: options[name] for name in ("custom_events", "anonymous", "identity", "bots") if options[name]}
    if options["origin"]:
        changes["allowed_origins"] = _added(rules.allowed_origins, options["origin"], _origin)
    if options["allow_address"]:
        changes["allowed_addresses"] = _added(rules.allowed_addresses, options["allow_address"], _network)
    if options["extra_properties"]:
        changes["extra_properties"] = _OnOff[options["extra_properties"]]
    if options["classify"]:
        changes["classification"] = {
            **rules.classification,
            **_pairs("--classify", options["classify"], {kind.value: kind for kind in Kind}),
        }
    if options["integration"]:
        changes["integrations"] = {**rules.integrations, **_pairs("--integration", options["integration"], _OnOff)}
    if options["portal"]:
        changes["portal"] = _portal(options["portal"])
    return replace(rules, **changes)


def _added(known: Iterable[str], texts: Iterable[str], read: Callable[[str], str]) -> tuple[str, ...]:
    """Return what is known with more added; an empty text takes away all that came before it."""
    values = dict.fromkeys(known)
    for text in texts:
        if text:
            values[read(text)] = None
        else:
            values.clear()
    return tuple(values)


def _origin(text: str) -> str:
    """Return an origin as browsers write it."""
    if text == "*":
        return text
    url = urlsplit(text.rstrip("/").lower())
    host = url.hostname or ""
    if url.scheme not in ("http", "https") or not host or url.path or url.query or url.username or "*" in host.removeprefix("*."):
        raise UsageError(f"--origin {text!r}: write https://app.example.com, https://*.example.com for its subdomains, or * for every page")
    return f"{url.scheme}://{url.netloc}"


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError:
        raise UsageError(f"--allow-address {text!r}: write an address or a network, as 203.0.113.7 or 203.0.113.0/24") from None


def _pairs(option: str, texts: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    pairs = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        if not name or value not in values:
            raise UsageError(f"{option} {text!r}: write NAME={'|'.join(values)}")
        pairs[name] = values[value]
    return pairs


def _portal(text: str) -> PortalRule:
    if text == "omit":
        return PortalRule()
    if text == "lookup":
        return PortalRule("lookup")
    if text.isascii() and text.isdigit():
        return PortalRule("constant", constant=_portal_number(text, "--portal"))
    try:
        with Path(text).open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--portal {text!r} is not omit, not lookup, not a number, and not a readable CSV file ({error})") from None
    if rows and rows[0] == ["contentId", "portalId"]:
        rows = rows[1:]
    table = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not row[0]:  # noqa: PLR2004 - contentId,portalId
            raise UsageError(f"{text}, row {number}: write contentId,portalId")
        table[row[0]] = _portal_number(row[1], f"{text}, row {number}")
    return PortalRule("lookup", table=table)


def _portal_number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_INTEGER:
        raise UsageError(f"{where}: {text!r} is not a portal's number")
    return int(text)
