"""Connect a Segment workspace, and try a connection out."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from candu_source.addresses import addresses, readback_url
from candu_source.cli.connections import connections
from candu_source.cli.show import actor, emit_one, json_option, opened
from candu_source.confirming import ADVICE, explain, judge
from candu_source.connecting import connect as connect_workspace
from candu_source.destinations.public_api import PublicApi
from candu_source.draft import changed
from candu_source.errors import UsageError
from candu_source.model import Connection, Region, Secret, TokenUse
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store
from candu_source.tryout import Arrival, heard, send_test

_LOOK_SECONDS = 0.2
_WAIT = click.option("--wait", default=30.0, show_default=True, type=click.FloatRange(min=0), help="Seconds to wait for it.")


@click.command()
@click.argument("name")
@click.option("--region", type=click.Choice([region.value for region in Region]), default="us", show_default=True, help="The workspace's.")
@click.option("--token", metavar="TOKEN", help="Public API token, asked for when left out; - reads it from standard input. Not kept.")
@click.option("--environment", default="", help="A label: production, staging…")
@click.option("--use-existing", is_flag=True, help="Take the source of that name when the workspace has one.")
@click.option("--readback", is_flag=True, help="Make a readback address, too.")
@click.option("--test/--no-test", default=None, help="Send a test event afterwards; asked when left out.")
@json_option
@click.pass_obj
def connect(
    settings: Settings, /, name: str, token: str | None, use_existing: bool, readback: bool, test: bool | None, as_json: bool, **fields: Any
) -> None:
    """Make the Candu source in a Segment workspace, and the connection that delivers to it.

    With a write key at hand, `candu-source connections add NAME --write-key -` makes a connection without asking Segment.
    """
    draft = changed(Connection("", ""), {"name": name, **fields})
    api = PublicApi(settings.segment_apis()[draft.region], _token(token), allow_private=settings.allow_private_addresses)
    with opened(settings) as store:
        connected = connect_workspace(api, store.connections, draft, use_existing=use_existing, by=actor())
        told = addresses(settings, connected.connection, connected.token)
        told |= {"segment_source": connected.source.id, "source_made": connected.made}
        if readback:
            told["readback_url"] = readback_url(settings, store.tokens.add(connected.connection, TokenUse.READBACK, by=actor()))
        emit_one(told, as_json=as_json)
        wanted = click.confirm("Send a test event now?") if test is None and not as_json and sys.stdin.isatty() else test
        if wanted:
            _try_out(store, connected.connection, wait=30.0, as_json=as_json)


@connections.command()
@click.argument("name")
@_WAIT
@json_option
@click.pass_obj
def test(settings: Settings, name: str, wait: float, as_json: bool) -> None:
    """Send a test event and tell how far it comes; exit 0 when Segment accepted it, or stored it where it can tell."""
    with opened(settings) as store:
        _try_out(store, store.connections.named(name), wait=wait, as_json=as_json)


@connections.command()
@click.argument("name")
@json_option
@click.pass_obj
def health(settings: Settings, name: str, as_json: bool) -> None:
    """Tell whether Segment stores what it accepts, as far as it sends events back; exit 1 when it does not."""
    with opened(settings) as store:
        connection, now = store.connections.named(name), time.time()
        verdict = judge(store.confirmations.evidence(connection.id, SEGMENT_LANE, now), now)
    share = None if verdict.share is None else round(verdict.share, 4)
    emit_one({"state": verdict.state, "share": share, "causes": list(verdict.causes), "text": explain(verdict)}, as_json=as_json)
    sys.exit(1 if verdict.causes else 0)


def _token(given: str | None) -> Secret:
    text = click.prompt("Segment Public API token", hide_input=True) if given is None else sys.stdin.readline() if given == "-" else given
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("--token is one word without blanks; make one in Segment under Settings › Access Management › Tokens")
    return Secret(token)


def _try_out(store: Store, connection: Connection, *, wait: float, as_json: bool) -> None:
    """Send a test event, wait for it and print what became of it; exit 1 when nothing was heard of it."""
    sent = send_test(store.log, store.audit, Telltale(), connection, by=actor(), now=datetime.now(UTC))
    deadline = time.monotonic() + wait
    with Console(stderr=True).status(f"{sent} is on its way…"):
        arrival = _look(store, connection, sent)
        while not arrival.is_final and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            arrival = _look(store, connection, sent)
    causes = [{"cause": cause, "advice": ADVICE[cause]} for cause in arrival.causes]
    row = {"message_id": sent, "state": arrival.state, "detail": arrival.detail, "text": arrival.text, "causes": causes}
    emit_one(row, as_json=as_json)
    sys.exit(0 if arrival.is_heard_of else 1)


def _look(store: Store, connection: Connection, sent: str) -> Arrival:
    return heard(store.trace, store.confirmations, store.ledger, connection, SEGMENT_LANE, sent, time.time())


COMMANDS = (connect, connections)
