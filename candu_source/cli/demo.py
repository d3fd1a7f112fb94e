"""Show the whole river on one machine: feed a service with the samples, and compare what came of them at every end."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import click
import requests

from candu_source.cli.demo_warehouse import Filled, fill, told
from candu_source.cli.events import event_row
from candu_source.cli.sample_page import SAMPLES
from candu_source.cli.show import console_address, emit, json_option, plain
from candu_source.cli.stage import TWIN_KEY, Stage, set_stage
from candu_source.errors import UsageError
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE

_PATIENCE_SECONDS = 60.0
_FOLLOW_SECONDS = 0.2


@click.command()
@click.option("--once", is_flag=True, help="Stop after the samples; exit 0 only if ledger, twin and warehouse agree.")
@json_option
@click.pass_obj
def demo(settings: Settings, once: bool, as_json: bool) -> None:
    """Watch real Candu payloads become Segment calls and rows of a warehouse, on this machine, with nothing to configure.

    With CANDU_SOURCE_SEGMENT_WRITE_KEY set they go to that Segment source instead of the twin.
    """
    if not SAMPLES.is_dir():
        raise UsageError(f"the demo feeds the files of samples/, and {SAMPLES} is not there; run it from a checkout")
    with set_stage(settings, as_json) as stage:
        answers = _feed(stage, as_json)
        filled = fill(stage.settings, stage.store, stage.warehouse)
        report = _report(stage, answers, filled)
        _print(stage, report, filled, as_json)
        if once:
            sys.exit(0 if report["agree"] else 1)
        _invite(stage)
        with contextlib.suppress(KeyboardInterrupt):
            _follow(stage, report["events"][-1]["seq"] if report["events"] else 0)


def _feed(stage: Stage, as_json: bool) -> list[dict[str, Any]]:
    """Post every sample to its door and wait until nothing is pending."""
    rows = []
    for file in sorted(SAMPLES.glob("*/*.json")):
        door = file.parent.name
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {stage.token.reveal()}", "Origin": stage.page}
        answer = requests.post(stage.address(door), data=file.read_bytes(), headers=headers, timeout=10)
        body = {"accepted": _size(file), **answer.json()} if answer.ok else answer.json()
        counts = {name: body.get(name, 0) for name in ("accepted", "duplicates", "filtered")}
        rows.append({"sample": f"{door}/{file.name}", "status": answer.status_code, **counts, "refused": len(body.get("rejected", []))})
    if not as_json:
        emit(rows, as_json=False, empty="")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while stage.store.connections.waiting(stage.connection.id) and time.monotonic() < deadline:
        time.sleep(_FOLLOW_SECONDS)
    return rows


def _size(file: Path) -> int:
    """Count the items of a sample: Candu's own API does not say how many it took."""
    items = json.loads(file.read_bytes())
    return len(items) if isinstance(items, list) else 1


def _report(stage: Stage, answers: list[dict[str, Any]], filled: Filled) -> dict[str, Any]:
    lanes = {tally.destination: tally for tally in stage.store.ledger.tallies(stage.connection.id, check=True)}
    tally, hold = lanes[SEGMENT_LANE], all(each.holds for each in lanes.values())
    logged = stage.store.trace.tail(stage.connection.id, most=1000)
    stored = set(stage.twin.ids(TWIN_KEY)) if stage.twin else None
    delivered = {event.message_id for event in logged if stage.store.trace.states(event)[SEGMENT_LANE][0] == "delivered"}
    ledger = {name: getattr(tally, name) for name in ("accepted", "delivered", "dead", "filtered", "pending")}
    same = stored in (None, delivered) and sorted(filled.ids) == sorted(delivered)
    return {
        "connection": stage.connection.name,
        "answers": answers,
        "events": [event_row(stage.store, event) for event in logged],
        "ledger": {**ledger, "holds": hold},
        "twin": None if stored is None else {"stored": len(stored)},
        "warehouse": {"tables": filled.tables, "answer": filled.answer, "error": filled.error},
        "agree": hold and not tally.pending and not tally.dead and same,
    }


def _print(stage: Stage, report: dict[str, Any], filled: Filled, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo()
    emit(report["events"], as_json=False, empty="", hidden=("seq", "accepted_at", "message_id"))
    ledger = report["ledger"]
    ends = " + ".join(f"{ledger[name]} {name}" for name in ("delivered", "dead", "filtered", "pending"))
    click.echo(f"\nLedger: {ledger['accepted']} accepted = {ends}")
    if report["twin"]:
        verdict = "the same messages" if report["agree"] else "NOT the same messages"
        click.echo(f"Twin:   {report['twin']['stored']} stored, {verdict} ({stage.twin.url if stage.twin else ''}/__twin/messages)")
    click.echo(told(filled))


def _invite(stage: Stage) -> None:
    """Say where more can be sent, and all of it looked at."""
    warehouse = f"{stage.settings.base_url()}/console/connections/{stage.connection.id}/warehouse"
    click.echo(
        f"\nSend one yourself:\n  curl -H 'Content-Type: application/json' -d @samples/webhook/interaction.json {stage.webhook_url}"
        f"\nOr press a button on a page with the collector script:\n  {stage.page_url}"
        f"\nLook at it in the console: {console_address(stage.settings, stage.store)}\nFirst questions, asked and drawn: {warehouse}\n"
    )


def _follow(stage: Stage, last: int) -> None:
    """Print each further event when it has ended, until Ctrl-C."""
    click.echo("Waiting for more; Ctrl-C stops everything.")
    while True:
        for event in stage.store.trace.tail(stage.connection.id, after=last, most=1000):
            row = event_row(stage.store, event)
            if row["state"] == "pending":
                break
            click.echo("  ".join(plain(str(row[name])) for name in ("accepted_at", "door", "type", "name", "user", "state")))
            last = event.seq
        time.sleep(_FOLLOW_SECONDS)


COMMANDS = (demo,)
