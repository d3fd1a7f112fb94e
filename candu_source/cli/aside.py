"""Commands about what went aside: dead letters, rejects, filtered events; each can be replayed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from candu_source.cli.foreground import carry_out
from candu_source.cli.show import choose, clock, connection_option, emit, emit_one, json_option, opened, readable
from candu_source.jobs import Replay, ReplayKind, Wanted
from candu_source.model import Connection
from candu_source.rehearing import REFUSED
from candu_source.replaying import ACCEPTED, ASKED
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store
from candu_source.store.shelves import KeptReject, errors_of

_most_option = click.option("-n", "most", default=50, show_default=True, type=click.IntRange(1), help="How many.")


@click.group()
def dead() -> None:
    """Dead letters: events a lane gave up on."""


@dead.command("list")
@connection_option
@_most_option
@json_option
@click.pass_obj
def list_dead(settings: Settings, name: str | None, most: int, as_json: bool) -> None:
    """List dead letters with their reasons, oldest first."""
    with opened(settings) as store:
        letters = store.shelves.dead(choose(store, name).id, most)
    rows = [
        {
            "message_id": letter.message_id,
            "destination": letter.destination,
            "reason": letter.reason,
            "detail": letter.detail,
            "died_at": clock(letter.died_at),
            "replaying": letter.replay_at is not None,
        }
        for letter in letters
    ]
    emit(rows, as_json=as_json, empty="No dead letters.")


@dead.command("replay")
@connection_option
@click.option("--lane", default=SEGMENT_LANE, show_default=True, help="Lane that gave up on them: segment, or a sync's name.")
@click.option("--reason", help="Only those that died for this reason.")
@click.option("--message", "message", metavar="ID", help="Only this event.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def replay_dead(settings: Settings, name: str | None, lane: str, reason: str | None, message: str | None, yes: bool) -> None:
    """Send the dead letters of a lane again, under the same message ids."""
    with opened(settings) as store:
        connection = choose(store, name)
        draft = store.replays.draft(connection, ReplayKind.DEAD, Wanted(reason=reason, message=message), destination=lane)
        if not (yes or reason or message):
            click.confirm(f"Send {draft.total} dead letters of {connection.name} › {lane} again?", abort=True)
        asked = _counts(settings, store, connection, draft, visible=True)[ASKED]
    click.echo(f"{asked} dead letters will be sent again by the worker; `ledger` shows them as pending until then.")


@click.group()
def rejects() -> None:
    """Rejects: inputs a door refused, with their raw bytes."""


@rejects.command("list")
@connection_option
@_most_option
@json_option
@click.pass_obj
def list_rejects(settings: Settings, name: str | None, most: int, as_json: bool) -> None:
    """List rejects with their reasons, latest first."""
    with opened(settings) as store:
        kept = store.shelves.rejects(choose(store, name).id, most)
    emit([_reject_row(reject) for reject in kept], as_json=as_json, empty="No rejects.", hidden=("first_at",))


def _reject_row(reject: KeptReject) -> dict[str, Any]:
    return {
        "id": reject.id,
        "door": reject.door,
        "code": reject.code,
        "times": reject.times,
        "errors": errors_of(reject),
        "first_at": clock(reject.first_at),
        "last_at": clock(reject.last_at),
    }


@rejects.command("show")
@click.argument("identifier", type=int, metavar="ID")
@connection_option
@json_option
@click.pass_obj
def show_reject(settings: Settings, identifier: int, name: str | None, as_json: bool) -> None:
    """Show one reject with its raw bytes."""
    with opened(settings) as store:
        kept = store.shelves.reject(choose(store, name).id, identifier)
    emit_one({**_reject_row(kept), "raw": readable(kept.raw)}, as_json=as_json)


@rejects.command("replay")
@click.argument("identifiers", type=int, metavar="[ID]...", nargs=-1)
@connection_option
@json_option
@click.pass_obj
def replay_rejects(settings: Settings, identifiers: tuple[int, ...], name: str | None, as_json: bool) -> None:
    """Send rejects through their doors again, by today's rules: those named, or all."""
    with opened(settings) as store:
        connection = choose(store, name)
        draft = store.replays.draft(connection, ReplayKind.REJECTS, Wanted(ids=identifiers or None))
        counts = _counts(settings, store, connection, draft, visible=not as_json)
    refused = sum(inputs for what, inputs in counts.items() if what.startswith(REFUSED))
    emit_one({"accepted": counts.total() - refused, "still_refused": refused}, as_json=as_json)


@click.group()
def filtered() -> None:
    """Filtered events: accepted, kept, sent nowhere for now."""


@filtered.command("list")
@connection_option
@json_option
@click.pass_obj
def list_filtered(settings: Settings, name: str | None, as_json: bool) -> None:
    """Count filtered events by name and reason, with the command that lets them through."""
    with opened(settings) as store:
        connection = choose(store, name)
        names = store.groups.filtered(connection.id)
    rows = [
        {
            "name": each.name,
            "reason": each.reason,
            "events": each.events,
            "first_at": clock(each.first_at),
            "last_at": clock(each.last_at),
            "let_through": _way_through(connection, each.name, each.reason),
        }
        for each in names
    ]
    emit(rows, as_json=as_json, empty="No filtered events.", hidden=("first_at", "last_at"))


def _way_through(connection: Connection, name: str, reason: str) -> str | None:
    ways = {
        "unknown_event": f"--classify {name}=interaction",
        "excluded_event": f"--classify {name}=view",
        "custom_event": "--custom-events send",
        "anonymous": "--anonymous send",
    }
    return f"connections set {connection.name} {ways[reason]}" if reason in ways else None


@filtered.command("replay")
@connection_option
@click.option("--name", "event", metavar="EVENT", help="Only events of this name.")
@json_option
@click.pass_obj
def replay_filtered(settings: Settings, name: str | None, event: str | None, as_json: bool) -> None:
    """Send filtered events through the mapping again, by today's rules."""
    with opened(settings) as store:
        connection = choose(store, name)
        draft = store.replays.draft(connection, ReplayKind.FILTERED, Wanted(event=event))
        counts = _counts(settings, store, connection, draft, visible=not as_json)
    emit_one({"accepted": counts[ACCEPTED], "still_filtered": counts.total() - counts[ACCEPTED]}, as_json=as_json)


def _counts(settings: Settings, store: Store, connection: Connection, draft: Replay, *, visible: bool) -> Counter[str]:
    """Work through a drafted replay and return what came of its inputs; nothing where there are none."""
    return Counter(carry_out(settings, store, connection, draft, visible=visible).counts if draft.total else {})


COMMANDS = (dead, rejects, filtered)
