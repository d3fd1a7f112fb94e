"""Commands about the tokens of a connection's doors."""

from __future__ import annotations

from dataclasses import replace

import click

from candu_source.addresses import addresses, for_pages, readback_url
from candu_source.cli.show import actor, clock, emit, emit_one, json_option, opened
from candu_source.errors import UsageError
from candu_source.model import TokenUse
from candu_source.settings import Settings

_HOUR = 3600.0
_LABEL_CHARACTERS = 100
_GRACE = click.option("--grace-hours", default=0.0, show_default=True, type=click.FloatRange(min=0), help="How long old ones still work.")


@click.command("rotate-token")
@click.argument("name")
@_GRACE
@click.option("--public", "pages", is_flag=True, help="The public token of web pages instead.")
@json_option
@click.pass_obj
def rotate_token(settings: Settings, name: str, grace_hours: float, pages: bool, as_json: bool) -> None:
    """Make a new token and let the old ones run out; the new one is shown this once."""
    use = TokenUse.BROWSER if pages else TokenUse.SERVER
    with opened(settings) as store:
        connection = store.connections.named(name)
        token = store.tokens.rotate(connection, use, by=actor(), grace_seconds=grace_hours * _HOUR)
    told = for_pages(settings, replace(connection, public_token=token.reveal())) if pages else addresses(settings, connection, token)
    emit_one(told, as_json=as_json)


@click.group()
def tokens() -> None:
    """Tokens of a connection's doors: several may be in force at once."""


@tokens.command("list")
@click.argument("name")
@json_option
@click.pass_obj
def list_(settings: Settings, name: str, as_json: bool) -> None:
    """List the tokens in force; of those that are shown once, the end."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        rows = [
            {
                "id": each.id,
                "use": each.use.value,
                "label": each.label,
                "token": each.shown,
                "created_at": clock(each.created_at),
                "expires_at": clock(each.expires_at),
            }
            for each in store.tokens.all(connection.id)
        ]
    emit(rows, as_json=as_json, empty=f"No token is in force: nobody can send. `connections tokens add {connection.name}` makes one.")


@tokens.command("add")
@click.argument("name")
@click.option("--use", type=click.Choice([use.value for use in TokenUse]), default=TokenUse.SERVER.value, show_default=True)
@click.option("--label", default="", help="Who has it, or what for.")
@json_option
@click.pass_obj
def add(settings: Settings, name: str, use: str, label: str, as_json: bool) -> None:
    """Make one more token, shown this once; those in force stay so."""
    if len(label) > _LABEL_CHARACTERS or not label.isprintable():
        raise UsageError(f"--label: write at most {_LABEL_CHARACTERS} printable characters")
    with opened(settings) as store:
        connection = store.connections.named(name)
        token = store.tokens.add(connection, TokenUse(use), by=actor(), label=label)
    match TokenUse(use):
        case TokenUse.SERVER:
            told = addresses(settings, connection, token)
        case TokenUse.BROWSER:
            told = for_pages(settings, replace(connection, public_token=token.reveal()))
        case TokenUse.READBACK:
            told = {"token": token.reveal(), "readback_url": readback_url(settings, token)}
    emit_one(told, as_json=as_json)


@tokens.command("expire")
@click.argument("name")
@click.argument("identifier", metavar="ID")
@_GRACE
@click.pass_obj
def expire(settings: Settings, name: str, identifier: str, grace_hours: float) -> None:
    """Let one token run out; `tokens list` shows the ids, of which the beginning is enough."""
    with opened(settings) as store:
        connection = store.connections.named(name)
        fitting = [each.id for each in store.tokens.all(connection.id) if identifier and each.id.startswith(identifier)]
        if len(fitting) > 1:
            raise UsageError(f"ID {identifier}: {len(fitting)} tokens begin so; write more of it")
        store.tokens.expire(connection, fitting[0] if fitting else identifier, grace_seconds=grace_hours * _HOUR, by=actor())
    click.echo(f"{connection.name}: that token ends {'now' if not grace_hours else f'in {grace_hours:g} h'}.")


COMMANDS = (rotate_token, tokens)
