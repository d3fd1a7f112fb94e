"""Commands about notices: what needs a person, and the channels that tell them."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from candu_source.announcer import test_letter
from candu_source.causes import Urgency
from candu_source.channels import ChannelKind
from candu_source.cli.show import actor, clock, connection_option, emit, emit_one, json_option, opened, plain
from candu_source.sending import build_courier
from candu_source.settings import Settings
from candu_source.store.channels import KeptChannel
from candu_source.store.notices import KeptNotice

_MOST = 200


@click.group()
def notices() -> None:
    """What needs a person: opened by itself, closed by itself when it is healed."""


@notices.command("list")
@connection_option
@click.option("--all", "everything", is_flag=True, help=f"Closed ones, too; the latest {_MOST}.")
@json_option
@click.pass_obj
def list_notices(settings: Settings, name: str | None, everything: bool, as_json: bool) -> None:
    """List what is open, the most urgent first."""
    with opened(settings) as store:
        connection = store.connections.named(name).id if name else None
        found = store.notices.recent(connection, _MOST) if everything else store.notices.open(connection)
    if as_json or not found:
        emit([_notice(each) for each in found], as_json=as_json, empty="Nothing needs a person.")
        return
    click.echo("\n\n".join(map(_said, found)))


@click.group()
def channels() -> None:
    """Where notices are sent: a webhook, Slack, or mail."""


@channels.command()
@click.argument("kind", type=click.Choice([kind.value for kind in ChannelKind]))
@click.argument("address")
@click.option("--connection", "-c", "name", metavar="NAME", help="Notices of this connection only; else all, and those of the service.")
@json_option
@click.pass_obj
def add(settings: Settings, kind: str, address: str, name: str | None, as_json: bool) -> None:
    """Send notices to ADDRESS; - reads it from standard input, as an address may be a secret."""
    text = sys.stdin.readline() if address == "-" else address
    with opened(settings) as store:
        made = store.channels.add(ChannelKind(kind), text, store.connections.named(name) if name else None, by=actor())
    emit_one({**_channel(made), "next": f"channels test {made.id}"}, as_json=as_json)


@channels.command("list")
@json_option
@click.pass_obj
def list_channels(settings: Settings, as_json: bool) -> None:
    """List channels, with what waits for them and what their last try met."""
    with opened(settings) as store:
        rows = [_channel(each) for each in store.channels.all()]
    emit(rows, as_json=as_json, empty="No channel yet. `candu-source channels add webhook|slack|smtp ADDRESS` makes one.")


@channels.command()
@click.argument("identifier", type=int, metavar="ID")
@json_option
@click.pass_obj
def test(settings: Settings, identifier: int, as_json: bool) -> None:
    """Send a test notice now and tell what came back; exit 1 when it was not taken."""
    with opened(settings) as store:
        channel = store.channels.get(identifier)
        address = store.channels.address(channel)
    answer = build_courier(settings).send(ChannelKind(channel.kind), address, test_letter(time.time()))
    emit_one({"id": channel.id, "address": channel.shown, "taken": answer.ok, "answer": answer.detail}, as_json=as_json)
    sys.exit(0 if answer.ok else 1)


@channels.command()
@click.argument("identifier", type=int, metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, identifier: int, yes: bool) -> None:
    """Send nothing there any more; what waits for it is forgotten."""
    with opened(settings) as store:
        channel = store.channels.get(identifier)
        if not yes:
            click.confirm(f"Send no more notices to {channel.shown}?", abort=True)
        store.channels.remove(identifier, by=actor())
    click.echo(f"Channel {identifier} is gone.")


def _said(notice: KeptNotice) -> str:
    """Say one notice in lines that fit any terminal."""
    since = f"closed {clock(notice.closed_at)}" if notice.closed_at else f"open since {clock(notice.opened_at)}"
    head = f"{notice.id:>4}  {notice.cause}  {Urgency(notice.urgency).name.lower()}  {since}"
    return f"{plain(head)}\n      {plain(notice.text)}"


def _notice(notice: KeptNotice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "connection": notice.connection_name or None,
        "cause": notice.cause,
        "subject": notice.subject or None,
        "urgency": Urgency(notice.urgency).name.lower(),
        "text": notice.text,
        "opened_at": clock(notice.opened_at),
        "seen_at": clock(notice.seen_at),
        "closed_at": clock(notice.closed_at),
    }


def _channel(channel: KeptChannel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "kind": channel.kind,
        "address": channel.shown,
        "connection": channel.connection_name or None,
        "waiting": channel.waiting,
        "tried_at": clock(channel.tried_at),
        "error": channel.error or None,
    }


COMMANDS = (notices, channels)
