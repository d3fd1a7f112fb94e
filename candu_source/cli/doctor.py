"""Look at everything that could be wrong and say what to do: doctor."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import click
import requests
from werkzeug.http import parse_date

from candu_source.causes import Urgency, held_advice
from candu_source.cli.show import emit, json_option, opened
from candu_source.destinations.egress import guard
from candu_source.errors import CanduSourceError, StoreError
from candu_source.settings import Settings
from candu_source.store import Store

# Segment computes timestamps from sentAt; a minute off is a minute wrong in every report.
_SKEW_SECONDS = 60
_OLD_SECONDS = 300
_REACH_SECONDS = 5


class Finding(NamedTuple):
    """Hold one thing looked at."""

    check: str
    ok: bool
    finding: str
    advice: str | None = None


@click.command()
@click.option("--offline", is_flag=True, help="Skip what needs the network.")
@json_option
@click.pass_obj
def doctor(settings: Settings, offline: bool, as_json: bool) -> None:
    """Look at store, disk, clock, keys, reachability and lanes; exit 1 when something needs a person."""
    try:
        with opened(settings) as store:
            findings = [*_store(store, settings), *_lanes(store), *_notices(store), *([] if offline else _reach(store, settings))]
    except CanduSourceError as error:
        findings = [Finding("store", False, str(error), "Mend this first; nothing else can be looked at.")]
    emit([finding._asdict() for finding in findings], as_json=as_json, empty="")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def _store(store: Store, settings: Settings) -> Iterator[Finding]:
    said = store.database.integrity()
    yield Finding("store", said == "ok", f"{settings.store_path()}: {said}", None if said == "ok" else "Restore it from a backup.")
    try:
        store.database.check_room()
        yield Finding("disk", True, f"{store.database.used_bytes() / 2**20:.1f} MB in use, room is left")
    except StoreError as error:
        yield Finding("disk", False, str(error), "Make room: doors answer 503 until then, deliveries go on.")
    unreadable = store.connections.unreadable_keys()
    advice = "Set CANDU_SOURCE_SECRET_KEY to the key they were stored with, or `connections set NAME --write-key KEY`."
    found = f"{len(unreadable)} write keys do not decrypt: {', '.join(unreadable)}" if unreadable else "every write key decrypts"
    yield Finding("keys", not unreadable, found, advice if unreadable else None)


def _lanes(store: Store) -> Iterator[Finding]:
    now = time.time()
    for tally in store.ledger.tallies(check=True):
        name = f"{tally.connection} › {tally.destination}"
        if not tally.holds:
            yield Finding("ledger", False, f"{name}: {'; '.join(tally.faults) or 'the sum is off'}", "Report this: it must not happen.")
        if tally.held:
            advice = held_advice(tally.held, tally.connection, tally.destination)
            yield Finding("lane", False, f"{name} is held: {tally.held}; {tally.pending} wait", advice)
        elif tally.oldest_pending and now - tally.oldest_pending > _OLD_SECONDS and tally.kind != "warehouse":
            waited = f"{name}: the oldest of {tally.pending} waits since {now - tally.oldest_pending:.0f} s"
            yield Finding("lane", False, waited, "Is a worker running? `events show` of the oldest tells its tries.")
        else:
            yield Finding("lane", True, f"{name}: {tally.delivered} delivered, {tally.pending} pending")


def _notices(store: Store) -> Iterator[Finding]:
    """List what the service itself noticed; only what needs a person now is a failure."""
    for notice in store.notices.open():
        yield Finding("notice", notice.urgency != Urgency.NOW, notice.text)


def _reach(store: Store, settings: Settings) -> Iterator[Finding]:
    """Ask each host once, without an event and without a key; its Date tells how our clock stands."""
    session = requests.Session()
    guard(session, senders=1, allow_private=settings.allow_private_addresses)
    for host in sorted({connection.host for connection in store.connections.all()}):
        try:
            answer = session.get(host, timeout=_REACH_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            yield Finding("reach", False, f"{host} does not answer ({type(error).__name__})", "Check DNS, firewall and HTTPS_PROXY.")
            continue
        yield Finding("reach", True, f"{host} answers")
        date = parse_date(answer.headers.get("Date"))
        skew = time.time() - date.timestamp() if date else 0.0
        if abs(skew) > _SKEW_SECONDS:
            yield Finding(
                "clock", False, f"this machine is {skew:+.0f} s from {host}", "Set the clock (NTP): timestamps are computed from it."
            )
        else:
            yield Finding("clock", True, f"within {_SKEW_SECONDS} s of {host}")


COMMANDS = (doctor,)
