"""Commands about connections: one customer's source each."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import click

from candu_source.cli.show import clock, emit, emit_one, json_option, opened
from candu_source.doors.items import LARGEST_INTEGER
from candu_source.errors import UsageError
from candu_source.model import Connection, Kind, PortalRule, Region, Rules, Secret
from candu_source.settings import Settings
from candu_source.store import Store

_OnOff: Mapping[str, bool] = MappingProxyType({"on": True, "off": False})

_RULE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--classify", multiple=True, metavar="EVENT=view|interaction|filter", help="Say what a Candu event becomes; repeatable."),
    click.option(
        "--custom-events", type=click.Choice(["send", "filter"]), help="Custom events: send them under their own name, or filter."
    ),
    click.option("--anonymous", type=click.Choice(["send", "filter"]), help="Events without a userId."),
    click.option("--portal", metavar="omit|NUMBER|FILE.csv", help="portalId: none, one for all, or a table contentId,portalId."),
    click.option("--extra-properties", type=click.Choice(list(_OnOff)), help="Candu's own properties beside the seed's."),
    click.option(
        "--integration", multiple=True, metavar="NAME=on|off", help="Segment destinations to reach or skip; Candu=off by default."
    ),
)


def _rule_options(command: Any) -> Any:
    for option in reversed(_RULE_OPTIONS):
        command = option(command)
    return command


@click.group()
def connections() -> None:
    """Make, list and change connections."""


@connections.command()
@click.argument("name")
@click.option("--write-key", required=True, metavar="KEY", help="Segment source's write key; - reads it from standard input.")
@click.option("--region", type=click.Choice([region.value for region in Region]), default="us", show_default=True, help="Segment's region.")
@click.option("--segment-host", metavar="URL", help="Another Tracking API, for tests and proxies.")
@_rule_options
@json_option
@click.pass_obj
def add(settings: Settings, /, name: str, write_key: str, region: str, segment_host: str | None, as_json: bool, **rules: Any) -> None:
    """Make a connection and print its token and addresses; the token is shown this once."""
    with opened(settings) as store:
        made, token = store.connections.add(
            _name(name), _key(write_key), region=Region(region), segment_host=_host(segment_host), rules=_changed(Rules(), rules)
        )
    emit_one(_addresses(settings, made, token), as_json=as_json)


@connections.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List connections with where their events are."""
    with opened(settings) as store:
        rows = [_row(connection, store) for connection in store.connections.all()]
    emit(rows, as_json=as_json, empty="No connection yet. `candu-source connections add NAME --write-key KEY` makes one.", hidden=("id",))


@connections.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show one connection: its settings and where its events are."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        row = _row(connection, store)
    rules = connection.rules
    portal = {"omit": "omit", "constant": rules.portal.constant, "lookup": f"table of {len(rules.portal.table)}"}[rules.portal.mode]
    details = {
        **row,
        "segment": connection.host,
        "classification": dict(rules.classification),
        "custom_events": rules.custom_events,
        "anonymous": rules.anonymous,
        "portal": portal,
        "extra_properties": rules.extra_properties,
        "integrations": dict(rules.integrations),
        "created_at": clock(connection.created_at),
    }
    emit_one(details, as_json=as_json)


@connections.command("set")
@click.argument("name")
@click.option("--write-key", metavar="KEY", help="Another write key; held lanes go on. - reads it from standard input.")
@click.option("--region", type=click.Choice([region.value for region in Region]), help="Segment's region.")
@click.option("--segment-host", metavar="URL", help='Another Tracking API; "" for the region\'s own.')
@_rule_options
@click.pass_obj
def set_(settings: Settings, /, name: str, write_key: str | None, region: str | None, segment_host: str | None, **rules: Any) -> None:
    """Change a connection; doors and workers follow within a second."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        host = connection.segment_host if segment_host is None else _host(segment_host)
        changed = replace(
            connection, region=Region(region or connection.region), segment_host=host, rules=_changed(connection.rules, rules)
        )
        store.connections.save(changed)
        if write_key is not None:
            store.connections.set_write_key(changed, _key(write_key))
    click.echo(f"{connection.name}: changed.")


@connections.command()
@click.argument("name")
@click.pass_obj
def pause(settings: Settings, name: str) -> None:
    """Stop delivering; events keep accumulating, nothing is dropped."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.save(replace(connection, paused=True))
    click.echo(f"{connection.name}: paused. Its doors stay open; `connections resume {connection.name}` delivers what gathers.")


@connections.command()
@click.argument("name")
@click.pass_obj
def resume(settings: Settings, name: str) -> None:
    """Deliver again: end a pause, and let held or waiting lanes try at once."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.save(replace(connection, paused=False))
        store.connections.unhold(connection)
    click.echo(f"{connection.name}: delivering.")


@connections.command("rotate-token")
@click.argument("name")
@click.option("--grace-hours", default=0.0, show_default=True, type=click.FloatRange(min=0), help="How long the old tokens still work.")
@json_option
@click.pass_obj
def rotate_token(settings: Settings, name: str, grace_hours: float, as_json: bool) -> None:
    """Make a new token and let the old ones run out; the new one is shown this once."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        token = store.connections.rotate_token(connection, grace_seconds=grace_hours * 3600)
    emit_one(_addresses(settings, connection, token), as_json=as_json)


def _addresses(settings: Settings, connection: Connection, token: Secret) -> dict[str, Any]:
    base = settings.base_url()
    return {
        "id": connection.id,
        "name": connection.name,
        "token": token.reveal(),
        "webhook_url": f"{base}/v1/webhook/{token.reveal()}",
        "interactions_url": f"{base}/v1/interactions",
    }


def _row(connection: Connection, store: Store) -> dict[str, Any]:
    (tally,) = store.ledger.tallies(connection.id)
    state = "paused" if connection.paused else f"held: {tally.held}" if tally.held else "delivering"
    counts = {name: getattr(tally, name) for name in ("accepted", "delivered", "pending", "dead", "filtered")}
    return {"id": connection.id, "name": connection.name, "region": connection.region.value, "state": state, **counts}


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100 or not text.isprintable():  # noqa: PLR2004 - a name fits a line
        raise UsageError("a connection's name is 1 to 100 printable characters, such as Candu_Prod")
    return text.strip()


def _key(text: str) -> Secret:
    key = sys.stdin.readline().strip() if text == "-" else text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key or ":" in key:
        raise UsageError("a write key is one word without blanks or colons; copy it from the Segment source's settings")
    return Secret(key)


def _host(text: str | None) -> str | None:
    if not text:
        return None
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.path.strip("/") or url.query:
        raise UsageError("--segment-host is a base address such as https://proxy.example.com, without a path")
    return text.rstrip("/")


def _changed(rules: Rules, options: Mapping[str, Any]) -> Rules:
    changes: dict[str, Any] = {name: options[name] for name in ("custom_events", "anonymous") if options[name]}
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
    if text.isascii() and text.isdigit():
        return PortalRule("constant", constant=_portal_number(text, "--portal"))
    try:
        with Path(text).open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--portal {text!r} is not omit, not a number, and not a readable CSV file ({error})") from None
    if rows and rows[0] == ["contentId", "portalId"]:
        rows = rows[1:]
    table = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2:  # noqa: PLR2004 - contentId,portalId
            raise UsageError(f"{text}, row {number}: write contentId,portalId")
        table[row[0]] = _portal_number(row[1], f"{text}, row {number}")
    return PortalRule("lookup", table=table)


def _portal_number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_INTEGER:
        raise UsageError(f"{where}: {text!r} is not a portal's number")
    return int(text)


COMMANDS = (connections,)
