"""Syncs of a connection's events and users to integrations: make, change, turn on and off, remove; looking has files of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from candu_source.cli import standing, summary, trying
from candu_source.cli.preview import pairs
from candu_source.cli.show import actor, choose, connection_option, opened, plain, typed_unseen
from candu_source.errors import UsageError
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.streaming import Streaming
from candu_source.streams import Stream

_sync = click.argument("sync", metavar="NAME")
_Command = Callable[..., Any]


def _choices_options(command: _Command) -> _Command:
    """Add what a sync sends, and its parameters."""
    for option in reversed(
        (
            click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; NAME=- asks for it."),
            click.option("--users/--no-users", default=None, help="Create and update users."),
            click.option("--events/--no-events", default=None, help="Send events."),
            click.option("--event-type", "event_types", multiple=True, metavar="NAME", help="Send events of this type only; repeatable."),
            click.option("--all-event-types", is_flag=True, help="Send events of every type, as at first."),
            click.option(
                "--where",
                "conditions",
                multiple=True,
                metavar="CONDITION",
                help="""Of events only those of which this holds, as 'event.plan is "pro"'; repeatable, "" for no condition.""",
            ),
            click.option(
                "--property", "properties", multiple=True, metavar="PROPERTY", help='Send this, as event.plan; repeatable, "" for none.'
            ),
            click.option("--all-properties", is_flag=True, help="Send every property."),
            click.option("--field", "-f", "fields", multiple=True, metavar="NAME=SOURCE", help="What fills a mapping, as userId=user_id."),
        )
    ):
        command = option(command)
    return command


@click.group()
def syncs() -> None:
    """Stream events and users to integrations, one by one, as they come."""


@syncs.command()
@_sync
@connection_option
@click.option("--integration", "-i", required=True, metavar="INTEGRATION", help="Where to: a name of `integrations list`.")
@_choices_options
@click.pass_obj
def add(settings: Settings, /, sync: str, name: str | None, integration: str, **said: Any) -> None:
    """Make a sync, turned off; what is not said is as the integration offers it.

    Example: candu-source syncs add candu -i candu-api -p apiKey=- --users --events
    """
    choices, parameters = _choices(said), _parameters(said["parameters"])
    with opened(settings) as store:
        connection = choose(store, name)
        setup = _setup(store)
        made = setup.add(connection, sync, integration, choices, parameters, by=actor())
        flaws = setup.in_the_way(connection, made)
    click.echo(f"{connection.name} › {made.name}: made, and off.")
    for flaw in flaws:
        click.echo(f"  {plain(str(flaw))}")
    click.echo(
        f"`candu-source syncs enable {made.name} -c {connection.name}` turns it on{' once that is put right' if flaws else ''}.", err=True
    )


@syncs.command("set")
@_sync
@connection_option
@_choices_options
@click.pass_obj
def set_(settings: Settings, /, sync: str, name: str | None, **said: Any) -> None:
    """Change what is named of a sync; lists are replaced as a whole. What waits is tried at once.

    Example: candu-source syncs set candu --event-type 'Upgraded plan' --where 'event.plan is "pro"'
    """
    choices, parameters = _choices(said), _parameters(said["parameters"])
    if not choices and not parameters:
        raise UsageError("say what to change; `candu-source syncs set --help` lists it")
    with opened(settings) as store:
        connection = choose(store, name)
        saved = _setup(store).change(connection, store.streams.named(connection, sync), choices, parameters, by=actor())
    click.echo(f"{connection.name} › {saved.name}: changed.")


@syncs.command()
@_sync
@connection_option
@click.pass_obj
def enable(settings: Settings, sync: str, name: str | None) -> None:
    """Turn a sync on: what comes from now on is sent, nothing from before. What is in the way is said, all of it."""
    with opened(settings) as store:
        connection = choose(store, name)
        saved = _setup(store).enable(connection, store.streams.named(connection, sync), by=actor())
    click.echo(f"{connection.name} › {saved.name}: on. What comes from now on is sent.")


@syncs.command()
@_sync
@connection_option
@click.pass_obj
def disable(settings: Settings, sync: str, name: str | None) -> None:
    """Turn a sync off: what comes meanwhile never is sent, what was parked waits."""
    with opened(settings) as store:
        connection = choose(store, name)
        saved = store.streams.disable(connection, store.streams.named(connection, sync), by=actor())
    click.echo(f"{connection.name} › {saved.name}: off. What comes meanwhile is not sent.")


@syncs.command()
@_sync
@connection_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, sync: str, name: str | None, yes: bool) -> None:
    """Forget a sync, with what waits for it and its dead letters."""
    with opened(settings) as store:
        connection = choose(store, name)
        found = store.streams.named(connection, sync)
        if not yes:
            click.confirm(f"Forget {connection.name} › {found.name}{_left(store, found)}?", abort=True)
        store.streams.remove(connection, found, by=actor())
    click.echo(f"{connection.name} › {found.name}: removed.")


def _setup(store: Store) -> Streaming:
    return Streaming(store.streams, store.integrations)


def _left(store: Store, stream: Stream) -> str:
    lane = next(lane for lane in store.stats.health(stream.connection).lanes if lane.destination == stream.name)
    return f", {lane.pending} events that wait and {lane.dead} dead letters" if lane.pending or lane.dead else ""


def _choices(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices that were said, as `Choices.read` takes them."""
    choices = {word: said[word] for word in ("users", "events") if said[word] is not None}
    choices |= {word: [each for each in said[word] if each] for word in ("event_types", "conditions", "properties") if said[word]}
    for word, flag in (("event_types", "all_event_types"), ("properties", "all_properties")):
        if said[flag] and word in choices:
            raise UsageError(f"--{flag.replace('_', '-')} goes without naming some")
        if said[flag]:
            choices[word] = "all"
    return choices | ({"fields": pairs(said["fields"])} if said["fields"] else {})


def _parameters(said: tuple[str, ...]) -> dict[str, str]:
    return {name: typed_unseen(name) if value == "-" else value for name, value in pairs(said).items()}


for command in (*standing.COMMANDS, *trying.COMMANDS, *summary.COMMANDS):
    syncs.add_command(command)

COMMANDS = (syncs,)
