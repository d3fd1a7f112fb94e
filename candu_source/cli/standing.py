"""Where syncs stand: syncs list, show."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from candu_source.causes import held_advice
from candu_source.cli.preview import print_usages, usage_rows
from candu_source.cli.show import choose, clock, connection_option, emit, emit_one, json_option, opened, plain
from candu_source.errors import SecretUnreadable
from candu_source.integrations.choices import Choices
from candu_source.integrations.tile import Integration
from candu_source.model import Connection
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.audit import MASKED
from candu_source.store.setbacks import Setbacks
from candu_source.store.stats import LaneFunnel, LaneHealth
from candu_source.streaming import Streaming
from candu_source.streams import Stream


@click.command("list")
@connection_option
@json_option
@click.pass_obj
def list_(settings: Settings, name: str | None, as_json: bool) -> None:
    """List syncs with how each is and what became of its events."""
    with opened(settings) as store:
        connections = [choose(store, name)] if name else store.connections.all()
        rows = [row for connection in connections for row in _rows(store, connection)]
    emit(rows, as_json=as_json, empty="No sync yet. `candu-source syncs add NAME --integration candu-api` makes one.")


@click.command()
@click.argument("sync", metavar="NAME")
@connection_option
@json_option
@click.pass_obj
def show(settings: Settings, sync: str, name: str | None, as_json: bool) -> None:
    """Show one sync: what it sends, its parameters, what keeps it from being enabled, and what became of its events."""
    with opened(settings) as store:
        connection = choose(store, name)
        stream = store.streams.named(connection, sync)
        story = _story(store, connection, stream)
    if as_json:
        emit_one(story, as_json=True)
        return
    parts = {word: story.pop(word) for word in ("parameters", "in_the_way")}
    emit_one(story, as_json=False)
    click.echo()
    print_usages(parts["parameters"])
    for flaw in parts["in_the_way"]:
        click.echo(plain(f"in the way: {flaw}"))


def _rows(store: Store, connection: Connection) -> list[dict[str, Any]]:
    lanes = {lane.destination: lane for lane in store.stats.health(connection.id).lanes}
    return [
        {
            "connection": connection.name,
            "sync": stream.name,
            "integration": stream.integration,
            "state": _state(lanes[stream.name]),
            "delivered": lanes[stream.name].delivered,
            "filtered": lanes[stream.name].filtered,
            "dead": lanes[stream.name].dead,
            "pending": lanes[stream.name].pending,
        }
        for stream in store.streams.all(connection.id)
    ]


def _story(store: Store, connection: Connection, stream: Stream) -> dict[str, Any]:
    lane, funnel = _lane(store, connection, stream)
    return {
        "connection": connection.name,
        "sync": stream.name,
        "integration": stream.integration,
        "created_at": clock(stream.created_at),
        **Choices.read(stream.choices).data(),
        **_events(connection, lane, funnel, store.setbacks.of(connection.id, stream.name)),
        "parameters": _parameters(store.integrations.released(stream.integration), stream),
        "in_the_way": _in_the_way(store, connection, stream),
    }


def _events(connection: Connection, lane: LaneHealth, funnel: LaneFunnel, setbacks: Setbacks) -> dict[str, Any]:
    last = setbacks.last
    return {
        "state": _state(lane),
        "held_because": lane.held_detail or None,
        "advice": held_advice(lane.held, connection.name, lane.destination) if lane.held else None,
        "delivered": lane.delivered,
        "filtered": lane.filtered,
        "waiting": lane.waiting,
        "parked": setbacks.parked,
        "next_try": clock(setbacks.next_try),
        "dead": dict(funnel.dead),
        "last_error": f"{clock(last.at)} {last.reason}: {last.detail}" if last else None,
    }


def _parameters(integration: Integration, stream: Stream) -> list[dict[str, Any]]:
    """Return PARAMETERS, DECLARED and USED with the values; a secret one shows only whether it is filled in."""
    values: Mapping[str, str] = {**stream.parameters, **dict.fromkeys(stream.secrets, MASKED)}
    return [{**row, "value": values.get(row["parameter"]) or None} for row in usage_rows(integration)]


def _in_the_way(store: Store, connection: Connection, stream: Stream) -> list[str]:
    try:
        return [str(flaw) for flaw in Streaming(store.streams, store.integrations).in_the_way(connection, stream)]
    except SecretUnreadable as error:
        return [str(error)]


def _lane(store: Store, connection: Connection, stream: Stream) -> tuple[LaneHealth, LaneFunnel]:
    lanes = store.stats.health(connection.id).lanes
    place = next(place for place, lane in enumerate(lanes) if lane.destination == stream.name)
    return lanes[place], store.stats.funnel(connection.id).lanes[place]


def _state(lane: LaneHealth) -> str:
    if not lane.enabled:
        return "off"
    if lane.held:
        return f"held: {lane.held}"
    if lane.waiting_for == "paused":
        return "paused"
    return f"backing off until {clock(lane.due_at)}" if lane.due_at > time.time() else "delivering"


COMMANDS = (list_, show)
