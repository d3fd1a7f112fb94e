"""Commands that read events back: events tail, events search, events show, ledger."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from candu_source.cli.show import choose, clock, connection_option, emit, emit_one, json_option, opened, readable
from candu_source.moments import moment
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.chunks import LoggedEvent
from candu_source.store.query import Hit, Query, Where
from candu_source.store.standing import State
from candu_source.store.trace import Life

_FOLLOW_SECONDS = 0.5


@click.group()
def events() -> None:
    """Read events back, complete and unsampled."""


@events.command()
@connection_option
@click.option("-n", "most", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--follow", "-f", is_flag=True, help="Go on as events arrive.")
@json_option
@click.pass_obj
def tail(settings: Settings, name: str | None, most: int, follow: bool, as_json: bool) -> None:
    """Print the latest events and where each stands."""
    with opened(settings) as store:
        connection = choose(store, name)
        found = store.trace.tail(connection.id, most=most)
        rows = [event_row(store, event) for event in found]
        if not follow:
            emit(rows, as_json=as_json, empty="No event yet. `connections rotate-token` prints an address to send one to.")
            return
        while True:
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False) if as_json else "  ".join(str(value) for value in row.values()))
            time.sleep(_FOLLOW_SECONDS)
            last = found[-1].seq if found else 0
            newer = store.trace.tail(connection.id, after=last, most=1000)
            found, rows = newer or found, [event_row(store, event) for event in newer]


def event_row(store: Store, event: LoggedEvent) -> dict[str, Any]:
    """Return one event for a table: what it is and where it stands."""
    message = json.loads(event.message)
    return {
        "seq": event.seq,
        "accepted_at": clock(event.accepted_at),
        "door": event.door,
        "type": message["type"],
        "name": message.get("event") or message.get("name"),
        "user": message["userId"] or message["anonymousId"],
        "state": state_words(store.trace.states(event), {}),
        "message_id": event.message_id,
    }


@events.command()
@connection_option
@click.option("--user", metavar="ID", help="User id or anonymous id.")
@click.option("--message-id", metavar="ID", help="Message id.")
@click.option("--event", metavar="NAME", help="Name of a track or screen as Segment gets it, else the call's type.")
@click.option("--property", "properties", metavar="[PATH=]VALUE", multiple=True, help="A property's value; repeatable.")
@click.option("--since", metavar="TIME", help="Accepted since then: ISO 8601, or 2h, 3d for so long ago.")
@click.option("--until", metavar="TIME", help="Accepted before then.")
@click.option(
    "--state", type=click.Choice([each.value for each in Where]), help="Where it stands; filtered events are found only so or by id."
)
@click.option("-n", "most", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many at the most.")
@json_option
@click.pass_obj
def search(
    settings: Settings,
    /,
    name: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
    most: int,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Find events, the newest first; all that is given must hold, in upper or lower case."""
    now = time.time()
    query = Query(
        **wanted,
        since=None if since is None else moment(since, now),
        until=None if until is None else moment(until, now),
        where=None if state is None else Where(state),
    )
    with opened(settings) as store:
        hits, behind = _search(store, choose(store, name).id, query, most)
    emit([hit_row(hit) for hit in hits], as_json=as_json, empty="No such event.")
    if behind:
        click.echo(f"{behind} new events cannot be found yet: the index is catching up.", err=True)


def _search(store: Store, connection: str, query: Query, most: int) -> tuple[list[Hit], int]:
    """Turn pages until there are enough hits, or no more."""
    hits: list[Hit] = []
    page = store.search.search(connection, query, most)
    hits += page.events
    while len(hits) < most and page.next is not None:
        page = store.search.search(connection, query, most - len(hits), page.next)
        hits += page.events
    return hits, page.behind


def hit_row(hit: Hit) -> dict[str, Any]:
    """Return one event that was found for a table."""
    return {
        "seq": hit.seq,
        "accepted_at": clock(hit.accepted_at),
        "door": hit.door,
        "type": hit.type,
        "name": hit.event,
        "user": hit.user,
        "state": state_words(hit.states, hit.confirmed),
        "message_id": hit.message_id,
    }


def state_words(states: Mapping[str, State], confirmed: Mapping[str, float]) -> str:
    """Say where an event stands: in a word where it stands alike on all lanes, else lane by lane."""
    said = {destination: _state_word(state, came_back=destination in confirmed) for destination, state in states.items()}
    if len({*said.values()}) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{destination}: {word}" for destination, word in said.items())


def _state_word(state: State, *, came_back: bool) -> str:
    word, reason = state
    said = f"{word} ({reason})" if reason else word
    return f"{said}, confirmed" if came_back else said


@events.command()
@click.argument("message_id")
@connection_option
@json_option
@click.pass_obj
def show(settings: Settings, message_id: str, name: str | None, as_json: bool) -> None:
    """Show the whole life of one event: door, raw bytes, message, every attempt."""
    with opened(settings) as store:
        life = store.trace.life(choose(store, name).id, message_id)
    story = _story(life)
    if as_json:
        emit_one(story, as_json=True)
        return
    emit_one({name: value for name, value in story.items() if name not in ("raw", "message", "attempts")}, as_json=False)
    for heading in ("raw", "message"):
        click.echo(f"\n{heading}\n{json.dumps(story[heading], indent=2, ensure_ascii=False)}")
    click.echo("\nattempts")
    emit(story["attempts"], as_json=False, empty="None yet.")


def _story(life: Life) -> dict[str, Any]:
    event = life.event
    return {
        "message_id": event.message_id,
        "seq": event.seq,
        "door": event.door,
        "accepted_at": clock(event.accepted_at),
        "state": {
            destination: {"state": state, "reason": reason, "confirmed_at": clock(life.confirmed.get(destination))}
            for destination, (state, reason) in life.states.items()
        },
        "raw": readable(event.raw),
        "message": readable(event.message),
        "attempts": [
            {
                "at": clock(each.started_at),
                "destination": each.destination,
                "batch": f"{each.first_seq}–{each.last_seq}",
                "outcome": each.outcome,
                "status": each.status,
                "decision": each.decision,
                "ms": round(each.seconds * 1000, 1),
                "replay": bool(each.replay),
                "detail": each.detail,
            }
            for each in life.tries
        ],
    }


@click.command()
@connection_option
@click.option("--check", is_flag=True, help="Check every count against the tries that were written down; exit 1 if one does not hold.")
@json_option
@click.pass_obj
def ledger(settings: Settings, name: str | None, check: bool, as_json: bool) -> None:
    """Prove that nothing vanished: accepted = delivered + dead + filtered + pending."""
    with opened(settings) as store:
        tallies = store.ledger.tallies(store.connections.named(name).id if name else None, check=check)
        rejects = {connection.name: store.shelves.reject_count(connection.id) for connection in store.connections.all()}
    rows: list[dict[str, Any]] = [
        {
            "connection": tally.connection,
            "destination": tally.destination,
            "accepted": tally.accepted,
            "delivered": tally.delivered,
            "dead": tally.dead,
            "filtered": tally.filtered,
            "pending": tally.pending,
            "rejects": rejects[tally.connection][1],
            "held": tally.held,
            "holds": tally.holds,
            "faults": list(tally.faults),
        }
        for tally in tallies
    ]
    emit(rows, as_json=as_json, empty="No connection yet, nothing to prove.", hidden=("faults",))
    if not as_json:
        for row in rows:
            for fault in row["faults"]:
                click.echo(f"{row['connection']} › {row['destination']}: {fault}", err=True)
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


COMMANDS = (events, ledger)
