"""Show the whole river on one machine: service, twin and a connection on loopback, fed with the samples."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import click
import requests

from candu_source import processes
from candu_source.cli.demo_warehouse import Filled, add_warehouse, fill, told
from candu_source.cli.events import event_row
from candu_source.cli.sample_page import SAMPLES, sample_page
from candu_source.cli.show import actor, emit, json_option, plain
from candu_source.errors import CanduSourceError, UsageError
from candu_source.model import Connection, Region, Rules, Secret
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import PREFIX, Settings
from candu_source.store import SEGMENT_LANE, Store
from candu_source.twin import Twin
from candu_source.warehouses import Warehouse

_STORE, _WAREHOUSE = Path("var/demo.db"), Path("var/demo.warehouse.duckdb")
_PATIENCE_SECONDS = 60.0
_FOLLOW_SECONDS = 0.2
_TWIN_KEY = "twin-write-key"
_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "webhook": "/v1/webhook/{token}",
        "interactions": "/v1/interactions",
        "browser": "/v1/browser/{public}",
        "rest": "/api/eventWebhook",
    }
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Hold what the demo runs on; `twin` is None when it delivers to a real workspace."""

    settings: Settings
    store: Store
    connection: Connection
    token: Secret
    warehouse: Warehouse
    twin: Twin | None
    page: str

    @property
    def webhook_url(self) -> str:
        """Return the address that Candu would post to."""
        return self.address("webhook")

    @property
    def page_url(self) -> str:
        """Return the address of the sample page, which says where its events go."""
        return f"{self.page}/?{urlencode({'token': self.connection.public_token, 'endpoint': self.settings.base_url()})}"

    def address(self, door: str) -> str:
        """Return where a door's samples go."""
        return self.settings.base_url() + _PATHS[door].format(token=self.token.reveal(), public=self.connection.public_token)


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
    with _stage(settings, as_json) as stage:
        answers = _feed(stage, as_json)
        filled = fill(stage.settings, stage.store, stage.warehouse)
        report = _report(stage, answers, filled)
        _print(stage, report, filled, as_json)
        if once:
            sys.exit(0 if report["agree"] else 1)
        with contextlib.suppress(KeyboardInterrupt):
            _follow(stage, report["events"][-1]["seq"] if report["events"] else 0)


@contextlib.contextmanager
def _stage(settings: Settings, as_json: bool) -> Iterator[Stage]:
    key = settings.segment_write_key
    with contextlib.ExitStack() as undo:
        twin = None if key else undo.enter_context(Twin())
        page = undo.enter_context(sample_page())
        mine = replace(
            settings,
            store_url=f"sqlite:///{_STORE}",
            port=_free_port(settings),
            allow_private_addresses=settings.allow_private_addresses or twin is not None,
        )
        _STORE.parent.mkdir(exist_ok=True)
        log = undo.enter_context((_STORE.parent / "demo.log").open("wb"))
        store = build_store(mine, Telltale(undo.enter_context(open(os.devnull, "w", encoding="utf-8"))))
        undo.callback(store.close)
        connection, token = store.connections.add(
            Connection(
                "",
                _fresh_name(store),
                region=settings.segment_region,
                segment_host=twin.url if twin else None,
                rules=Rules(allowed_origins=(page,)),
            ),
            key or Secret(_TWIN_KEY),
            by=actor(),
        )
        warehouse = add_warehouse(store, connection, _WAREHOUSE.absolute())
        supervisor = processes.Supervisor(processes.children(_environment(mine), log), Telltale(), stop_seconds=5)
        thread = threading.Thread(target=supervisor.run, name="supervisor", daemon=True)
        thread.start()
        undo.callback(thread.join)
        undo.callback(supervisor.stopping.set)
        stage = Stage(mine, store, connection, token, warehouse, twin, page)
        _await_web(stage, thread)
        if not as_json:
            to = f"twin of Segment on {twin.url}" if twin else f"Segment ({Region(settings.segment_region).value})"
            click.echo(f"candu-source on {mine.base_url()} → {to}   (store {_STORE}, log {_STORE.parent / 'demo.log'})\n")
        yield stage


def _environment(settings: Settings) -> Mapping[str, str]:
    metrics = _STORE.with_name(_STORE.name + ".metrics").absolute()
    metrics.mkdir(exist_ok=True)
    processes.forget_metrics(metrics)
    ours = {
        PREFIX + "STORE_URL": settings.store_url,
        PREFIX + "PORT": str(settings.port),
        PREFIX + "ALLOW_PRIVATE_ADDRESSES": "yes" if settings.allow_private_addresses else "no",
        PREFIX + "WEB_PROCESSES": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    return {**os.environ, **ours}


def _free_port(settings: Settings) -> int:
    """Return the port of the settings, or any free one when it is taken."""
    with contextlib.suppress(UsageError):
        processes.require_free_port(settings)
        return settings.port
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        return int(probe.getsockname()[1])


def _fresh_name(store: Store) -> str:
    taken = {connection.name for connection in store.connections.all()}
    return next(name for number in range(1, len(taken) + 2) if (name := f"Candu_Demo_{number}") not in taken)


def _await_web(stage: Stage, supervisor: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and supervisor.is_alive():
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{stage.settings.base_url()}/readyz", timeout=5).ok:
                return
        time.sleep(_FOLLOW_SECONDS)
    raise CanduSourceError(f"the service did not start; the last lines of {_STORE.parent / 'demo.log'} say why")


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
    stored = set(stage.twin.ids(_TWIN_KEY)) if stage.twin else None
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
    click.echo(
        f"\nSend one yourself:\n  curl -H 'Content-Type: application/json' -d @samples/webhook/interaction.json {stage.webhook_url}"
        f"\nOr press a button on a page with the collector script:\n  {stage.page_url}\n"
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
