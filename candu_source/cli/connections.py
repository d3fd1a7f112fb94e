"""Commands about connections: one customer's source each."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click

from candu_source.cli.rules import changed, rule_options
from candu_source.cli.show import actor, clock, emit, emit_one, json_option, opened
from candu_source.errors import UsageError
from candu_source.model import Connection, Region, Rules, Secret, TokenUse
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.contents import Content

_IDENTITY_SECRET = click.option(
    "--identity-secret", metavar="SECRET", help='Proves user ids from browsers; - reads it from standard input, "" takes it away.'
)


@click.group()
def connections() -> None:
    """Make, list and change connections."""


@connections.command()
@click.argument("name")
@click.option("--write-key", required=True, metavar="KEY", help="Segment source's write key; - reads it from standard input.")
@click.option("--region", type=click.Choice([region.value for region in Region]), default="us", show_default=True, help="Segment's region.")
@click.option("--segment-host", metavar="URL", help="Another Tracking API, for tests and proxies.")
@rule_options
@_IDENTITY_SECRET
@json_option
@click.pass_obj
def add(settings: Settings, /, name: str, write_key: str, region: str, segment_host: str | None, as_json: bool, **rules: Any) -> None:
    """Make a connection and print its tokens and addresses; the server's token is shown this once."""
    secret = _secret(rules.pop("identity_secret"))
    with opened(settings) as store:
        made, token = store.connections.add(
            Connection("", _name(name), region=Region(region), segment_host=_host(segment_host), rules=changed(Rules(), rules)),
            _key(write_key),
            by=actor(),
        )
        if secret:
            store.connections.set_identity_secret(made, secret, by=actor())
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
        "public_token": connection.public_token,
        "origins": list(rules.allowed_origins),
        "identity": rules.identity + ("" if connection.identity_secret or rules.identity == "off" else " (no secret is set)"),
        "bots": rules.bots,
        "allowed_addresses": list(rules.allowed_addresses),
        "script": _script(settings, connection),
        "created_at": clock(connection.created_at),
    }
    emit_one(details, as_json=as_json)


@connections.command("set")
@click.argument("name")
@click.option("--write-key", metavar="KEY", help="Another write key; held lanes go on. - reads it from standard input.")
@click.option("--region", type=click.Choice([region.value for region in Region]), help="Segment's region.")
@click.option("--segment-host", metavar="URL", help='Another Tracking API; "" for the region\'s own.')
@rule_options
@_IDENTITY_SECRET
@click.pass_obj
def set_(settings: Settings, /, name: str, write_key: str | None, region: str | None, segment_host: str | None, **rules: Any) -> None:
    """Change a connection; doors and workers follow within a second."""
    given = rules.pop("identity_secret")
    secret = _secret(given)
    with opened(settings) as store:
        connection = store.connections.named(name)
        host = connection.segment_host if segment_host is None else _host(segment_host)
        saved = replace(connection, region=Region(region or connection.region), segment_host=host, rules=changed(connection.rules, rules))
        store.connections.save(saved, by=actor())
        if rules["portal"]:
            store.contents.tell(saved.id, [Content(each, portal_id=portal) for each, portal in saved.rules.portal.table.items()])
        if write_key is not None:
            store.connections.set_write_key(saved, _key(write_key), by=actor())
        if given is not None:
            store.connections.set_identity_secret(saved, secret, by=actor())
    click.echo(f"{connection.name}: changed.")


@connections.command()
@click.argument("name")
@click.pass_obj
def pause(settings: Settings, name: str) -> None:
    """Stop delivering; events keep accumulating, nothing is dropped."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.save(replace(connection, paused=True), by=actor())
    click.echo(f"{connection.name}: paused. Its doors stay open; `connections resume {connection.name}` delivers what gathers.")


@connections.command()
@click.argument("name")
@click.pass_obj
def resume(settings: Settings, name: str) -> None:
    """Deliver again: end a pause, and let held or waiting lanes try at once."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.save(replace(connection, paused=False), by=actor())
        store.connections.unhold(connection, by=actor())
    click.echo(f"{connection.name}: delivering.")


@connections.command("rotate-token")
@click.argument("name")
@click.option("--grace-hours", default=0.0, show_default=True, type=click.FloatRange(min=0), help="How long the old tokens still work.")
@click.option("--public", is_flag=True, help="The public token of web pages instead; the old one ends at once.")
@json_option
@click.pass_obj
def rotate_token(settings: Settings, name: str, grace_hours: float, public: bool, as_json: bool) -> None:
    """Make a new token and let the old ones run out; the new one is shown this once."""
    if public and grace_hours:
        raise UsageError("--grace-hours is for the server's token: a public one ends at once")
    with opened(settings) as store:
        connection = store.connections.named(name)
        if public:
            token = store.tokens.rotate(connection, TokenUse.BROWSER, by=actor(), grace_seconds=0)
            emit_one(_public(settings, replace(connection, public_token=token.reveal())), as_json=as_json)
            return
        token = store.tokens.rotate(connection, TokenUse.SERVER, by=actor(), grace_seconds=grace_hours * 3600)
    emit_one(_addresses(settings, connection, token), as_json=as_json)


def _addresses(settings: Settings, connection: Connection, token: Secret) -> dict[str, Any]:
    base = settings.base_url()
    return {
        "id": connection.id,
        "name": connection.name,
        "token": token.reveal(),
        "webhook_url": f"{base}/v1/webhook/{token.reveal()}",
        "interactions_url": f"{base}/v1/interactions",
        **_public(settings, connection),
    }


def _public(settings: Settings, connection: Connection) -> dict[str, Any]:
    return {"public_token": connection.public_token, "script": _script(settings, connection)}


def _script(settings: Settings, connection: Connection) -> str:
    return f'<script async src="{settings.base_url()}/v1/collector.js" data-token="{connection.public_token}"></script>'


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


def _secret(text: str | None) -> Secret | None:
    """Return the identity secret that was given; None for none, or an empty one."""
    given = sys.stdin.readline().strip() if text == "-" else (text or "").strip()
    return Secret(given) if given else None


COMMANDS = (connections,)
