"""Commands about connections: one customer's source each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from candu_source.addresses import addresses, script
from candu_source.cli import code, tokens
from candu_source.cli.rules import given, setting_options
from candu_source.cli.show import actor, clock, emit, emit_one, json_option, opened
from candu_source.deliveries import Tally
from candu_source.draft import changed, identity_secret, said, write_key
from candu_source.errors import UsageError
from candu_source.model import Connection, Content
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store

_IDENTITY_SECRET = click.option(
    "--identity-secret",
    "secret",
    metavar="SECRET",
    help='Proves user ids from browsers; - reads it from standard input, "" takes it away.',
)


@click.group()
def connections() -> None:
    """Make, list and change connections."""


@connections.command()
@click.argument("name")
@click.option("--write-key", "key", required=True, metavar="KEY", help="Segment source's write key; - reads it from standard input.")
@setting_options
@_IDENTITY_SECRET
@json_option
@click.pass_obj
def add(settings: Settings, /, name: str, key: str, secret: str | None, as_json: bool, **options: Any) -> None:
    """Make a connection and print its tokens and addresses; the server's token is shown this once."""
    blank = Connection("", "")
    draft = changed(blank, {"name": name, **given(blank, options)})
    sealed, proof = write_key(_read(key)), identity_secret(_read(secret or ""))
    with opened(settings) as store:
        made, token = store.connections.add(draft, sealed, by=actor())
        if proof:
            store.connections.set_identity_secret(made, proof, by=actor())
    emit_one(addresses(settings, made, token), as_json=as_json)


@connections.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List connections with where their events are."""
    with opened(settings) as store:
        rows = [_row(connection, store) for connection in store.connections.all()]
    empty = "No connection yet. `candu-source connections add NAME --write-key KEY` makes one."
    emit(rows, as_json=as_json, empty=empty, hidden=("id", "schema"))


@connections.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show one connection: its settings and where its events are."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        row, lanes = _row(connection, store), store.connections.lanes(connection.id)
        syncs = {each.name: "on" if each.enabled else "off" for each in store.streams.all(connection.id)}
    rules, known = connection.rules, said(connection)
    proof = "" if connection.identity_secret or rules.identity == "off" else " (no secret is set)"
    details = {
        **row,
        "segment": connection.host,
        "lanes": {destination: "on" if is_on else "off" for destination, is_on in lanes.items()},
        "syncs": syncs,
        **{field: value for field, value in known.items() if field not in ("name", "segment_host", "paused")},
        "portal": f"table of {len(rules.portal.table)}" if rules.portal.mode == "lookup" else known["portal"],
        "identity": rules.identity + proof,
        "public_token": connection.public_token,
        "script": script(settings, connection),
        "created_at": clock(connection.created_at),
    }
    emit_one(details, as_json=as_json)


@connections.command("set")
@click.argument("name")
@click.option("--name", "nickname", metavar="NAME", help="Another nickname; the warehouse schema follows it.")
@click.option("--write-key", "key", metavar="KEY", help="Another write key; held lanes go on. - reads it from standard input.")
@setting_options
@_IDENTITY_SECRET
@click.pass_obj
def set_(settings: Settings, /, name: str, nickname: str | None, key: str | None, secret: str | None, **options: Any) -> None:
    """Change a connection; doors and workers follow within a second."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        renamed = {} if nickname is None else {"name": nickname}
        draft = changed(connection, {**renamed, **given(connection, options)})
        sealed = None if key is None else write_key(_read(key))
        proof = None if secret is None else identity_secret(_read(secret))
        saved = store.connections.save(draft, by=actor())
        if options["portal"]:
            store.contents.tell(saved, [Content(each, portal_id=portal) for each, portal in saved.rules.portal.table.items()], by=actor())
        if sealed is not None:
            store.connections.set_write_key(saved, sealed, by=actor())
        if secret is not None:
            store.connections.set_identity_secret(saved, proof, by=actor())
    click.echo(f"{saved.name}: changed.")


@connections.command()
@click.argument("name")
@click.pass_obj
def pause(settings: Settings, name: str) -> None:
    """Stop delivering; events keep accumulating, nothing is dropped."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.save(replace(connection, paused=True), by=actor())
        room = connection.room(store.connections.waiting(connection.id))
    left = "" if room is None else f" There is room for {room} more."
    click.echo(f"{connection.name}: paused. Its doors stay open; `connections resume {connection.name}` delivers what gathers.{left}")


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


@connections.command()
@click.argument("name")
@click.argument("destination", default=SEGMENT_LANE)
@click.option("--on/--off", "is_on", required=True, help="Deliver there, or let its events wait.")
@click.pass_obj
def lane(settings: Settings, name: str, destination: str, is_on: bool) -> None:
    """Turn the lane to one destination on or off; while it is off its events wait."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        store.connections.set_lane(connection, destination, is_on, by=actor())
    click.echo(f"{connection.name} › {destination}: {'on' if is_on else 'off; its events wait'}.")


@connections.command()
@click.argument("name")
@click.option("--confirm", metavar="NAME", help="The nickname once more, for scripts; asked for when left out.")
@click.option(
    "--export",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="First write all that it has to a new file, as lines of JSON, secrets aside.",
)
@click.pass_obj
def delete(settings: Settings, name: str, confirm: str | None, file: Path | None) -> None:
    """Delete a connection and everything that it has; only the audit remembers it."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        waiting = store.connections.waiting(connection.id)
        asked = f"{waiting} events wait, and will be delivered no more. Type {connection.name} to delete it"
        if (confirm if confirm is not None else click.prompt(asked)) != connection.name:
            raise UsageError(f"that is not its nickname: {connection.name} is as it was")
        if file:
            click.echo(f"{_write_new(file, store.export.lines(connection))} lines in {file}")
        store.connections.delete(connection, by=actor())
        while store.departures.purge():
            pass
    click.echo(f"{connection.name}: deleted.")


def _write_new(file: Path, lines: Iterable[bytes]) -> int:
    """Write a file that was not there before, for its owner's eyes, and return the number of lines; raise UsageError."""
    count = 0
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for count, line in enumerate(lines, 1):  # noqa: B007 - counted to the end
                out.write(line)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise UsageError(f"--export {file}: {error.strerror}; nothing was deleted") from None
    return count


def _row(connection: Connection, store: Store) -> dict[str, Any]:
    tally = next(each for each in store.ledger.tallies(connection.id) if each.destination == SEGMENT_LANE)
    counts = {name: getattr(tally, name) for name in ("accepted", "delivered", "pending", "dead", "filtered")}
    return {
        "id": connection.id,
        "name": connection.name,
        "schema": connection.slug,
        "environment": connection.environment or None,
        "region": connection.region.value,
        "state": _state(connection, tally, is_on=store.connections.lanes(connection.id)[SEGMENT_LANE]),
        **counts,
        "quota_left": connection.room(store.connections.waiting(connection.id)),
    }


def _state(connection: Connection, tally: Tally, *, is_on: bool) -> str:
    if connection.paused:
        return "paused"
    if not is_on:
        return "off"
    return f"held: {tally.held}" if tally.held else "delivering"


def _read(text: str) -> str:
    """Return what an option holds, - meaning a line of standard input."""
    return sys.stdin.readline() if text == "-" else text


for command in (*tokens.COMMANDS, *code.COMMANDS):
    connections.add_command(command)
