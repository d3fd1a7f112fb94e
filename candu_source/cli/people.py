"""Commands about who may look and change: people, and programs with API tokens."""

from __future__ import annotations

import sys

import click

from candu_source.cli.show import actor, clock, emit, emit_one, json_option, opened
from candu_source.model import Role, Secret
from candu_source.settings import Settings
from candu_source.store import Store

_role_option = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="Owners change, viewers look.",
)
_password_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")


@click.group()
def users() -> None:
    """People who may sign in to the console."""


@users.command()
@click.argument("name")
@_role_option
@click.option("--connection", "-c", "names", metavar="NAME", multiple=True, help="See this connection only; may be given several times.")
@_password_option
@click.pass_obj
def add(settings: Settings, name: str, role: str, names: tuple[str, ...], password_stdin: bool) -> None:
    """Let a person sign in; the password is asked for."""
    with opened(settings) as store:
        connections = [store.connections.named(each).id for each in names] or None
        made = store.people.add(name, _password(password_stdin), Role(role), connections=connections, by=actor())
    click.echo(f"{made.name}: {made.role}. Sign in at {settings.base_url()}/console/")


@users.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List people with what they may do and see."""
    with opened(settings) as store:
        names = {each.id: each.name for each in store.connections.all()}
        rows = [
            {
                "name": each.name,
                "role": each.role,
                "connections": "every one" if each.connections is None else sorted(names[one] for one in each.connections),
                "created_at": clock(each.created_at),
            }
            for each in store.people.all()
        ]
    emit(rows, as_json=as_json, empty="Nobody can sign in yet. `candu-source users add NAME --role owner` lets somebody.")


@users.command()
@click.argument("name")
@_password_option
@click.pass_obj
def password(settings: Settings, name: str, password_stdin: bool) -> None:
    """Change a password; the person is signed out everywhere."""
    with opened(settings) as store:
        store.people.named(name)
        store.people.set_password(name, _password(password_stdin), by=actor())
    click.echo(f"{name}: changed, and signed out everywhere.")


@users.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, name: str, yes: bool) -> None:
    """Let a person sign in no more, from this moment."""
    with opened(settings) as store:
        store.people.named(name)
        if not yes:
            click.confirm(f"Remove {name}?", abort=True)
        store.people.remove(name, by=actor())
    click.echo(f"{name}: removed.")


@click.group("api-tokens")
def api_tokens() -> None:
    """Tokens by which programs read and change what the console shows, under /v1/admin."""


@api_tokens.command("add")
@click.argument("name")
@_role_option
@click.option("--connection", "-c", metavar="NAME", help="For this connection only.")
@json_option
@click.pass_obj
def add_token(settings: Settings, name: str, role: str, connection: str | None, as_json: bool) -> None:
    """Make an API token; it is shown this once."""
    with opened(settings) as store:
        found = store.connections.named(connection).id if connection else None
        token = store.admin_tokens.add(name, Role(role), connection=found, by=actor())
    emit_one({"name": name, "role": role, "token": token.reveal(), "address": f"{settings.base_url()}/v1/admin/"}, as_json=as_json)


@api_tokens.command("list")
@json_option
@click.pass_obj
def list_tokens(settings: Settings, as_json: bool) -> None:
    """List API tokens; of each its end is shown."""
    with opened(settings) as store:
        rows = [
            {
                "name": each.name,
                "role": each.role,
                "connection": _name_of(store, each.connection),
                "token": each.shown,
                "created_at": clock(each.created_at),
            }
            for each in store.admin_tokens.all()
        ]
    emit(rows, as_json=as_json, empty="No API token yet. `candu-source api-tokens add NAME` makes one.")


@api_tokens.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove_token(settings: Settings, name: str, yes: bool) -> None:
    """Let a program in no more, from this moment."""
    with opened(settings) as store:
        if not yes:
            click.confirm(f"Remove the API token {name}?", abort=True)
        store.admin_tokens.remove(name, by=actor())
    click.echo(f"{name}: removed.")


def _name_of(store: Store, connection: str | None) -> str:
    return "every one" if connection is None else store.connections.named(connection).name


def _password(from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\n"))
    return Secret(click.prompt("Password", hide_input=True, confirmation_prompt="Once more"))


COMMANDS = (users, api_tokens)
