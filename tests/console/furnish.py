"""Give a connection something on every page, some of it hostile, in the way that it would come by: through its doors."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from candu_source import intake
from candu_source.app import build_limits, sync_warehouse
from candu_source.channels import ChannelKind
from candu_source.deliveries import Advance, Again, Bury, Delivery, Outcome, Settlement
from candu_source.doors import DOORS
from candu_source.errors import Reason
from candu_source.indexing import Indexing
from candu_source.jobs import ReplayKind, Wanted
from candu_source.model import Connection, Content, Secret, TokenUse
from candu_source.sentinel import Sentinel
from candu_source.store import Store
from candu_source.streaming import Streaming
from candu_source.warehouses import Remark, Sync, Warehouse
from candu_source.watch import Watch
from tests.console.site import Site

HOSTILE = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("http://evil.example")'
_USERS = ("user-1842", "user-7", HOSTILE, FORMULA, "Ünïcode 界", None)


def furnish(site: Site, name: str = "Candu_Prod", events: int = 120, mark: str = "") -> Connection:
    """Make a connection with events in every state, aside, noticed, replayed and audited; `mark` stands in all that it has."""
    store, chance = site.store, random.Random(events)
    connection = site.connection(name)
    connection = store.connections.save(replace(connection, environment=f"production{mark}"), by=f"owner{mark}")
    _hear(site, connection, "webhook", list(_views(events, chance, mark)))
    _deliver(store, connection)
    _hear(site, connection, "webhook", list(_oddities(mark)))
    properties = {"tutorialId": 1, "segmentId": f"Everyone{mark}", "versionId": "1"}
    late = {"type": "tutorial.view", "userId": f"late{mark}", "messageId": f"late{mark}", "properties": properties}
    _hear(site, connection, "interactions", [late])
    store.contents.tell(connection, [Content(f"c-1{mark}", f"welcome{mark}", HOSTILE + mark, 7)], by=f"owner{mark}")
    store.tokens.add(connection, TokenUse.READBACK, by=f"owner{mark}", label=f"segment{mark}")
    store.channels.add(ChannelKind.WEBHOOK, f"https://hooks.example.com/{mark or 'x'}/secret", connection, by=f"owner{mark}")
    job = store.replays.draft(connection, ReplayKind.EVENTS, Wanted(event=f"nothing{mark}"))
    store.replays.cancel(connection, store.replays.start(connection, job, by=f"owner{mark}").id, by=f"owner{mark}")
    _house(site, connection, mark)
    _stream(site, connection, mark)
    return connection


def settle_down(site: Site) -> None:
    """Let everything that runs beside the worker look at what there is: index, shapes, notices."""
    store = site.store
    indexing = Indexing(store.index, site.telltale)
    watch = Watch(store.shapes, store.connections, store.contents, site.telltale)
    while indexing.step():
        continue
    while watch.step():
        continue
    Sentinel(store.notices, build_limits(site.settings), site.telltale, began=0.0).look(time.time())


def _house(site: Site, connection: Connection, mark: str) -> None:
    """Load everything into a DuckDB file that all connections share, after some syncs that brought little."""
    store, file = site.store, site.settings.store_path().with_name("warehouse.duckdb")
    draft = Warehouse(connection.id, "warehouse", f"duckdb:///{file}", connection.slug)
    warehouse = store.warehouses.add(connection, draft, Secret(f"duckdb:///{file}"), by=f"owner{mark}")
    said = [Remark("screens", f"surprise{mark}", "cannot become an integer; left empty", 3, HOSTILE + mark)]
    for hours in range(9, 0, -1):
        at = time.time() - hours * 3600
        error = "the warehouse did not answer; the next sync tries again" if hours == 5 else ""
        store.warehouses.ended(warehouse, Sync(at, 0.4, 20 * hours, 25 * hours, said if hours == 2 else (), error), now=at)
    assert not sync_warehouse(site.settings, store, warehouse, site.telltale).error


def _stream(site: Site, connection: Connection, mark: str) -> None:
    """Set up a sync, that is off, with choices of every kind."""
    choices = {
        "events": True,
        "event_types": [f"tutorial.view{mark}", HOSTILE],
        "conditions": [f'event.plan is "pro{mark}", "team"', "user.seats greater 3"],
        "properties": ["event.plan", f"user.{mark or 'email'}"],
    }
    given = {"apiKey": f"key{mark}", "endpoint": f"https://candu{mark}.example.com"}
    Streaming(site.store.streams, site.store.integrations).add(connection, "candu", "candu", choices, given, by=f"owner{mark}")


def _hear(site: Site, connection: Connection, door: str, items: list[dict[str, Any]]) -> None:
    heard = DOORS[door](json.dumps(items).encode(), connection)
    intake.accept(connection, door, heard, site.store.log, site.telltale)


def _views(events: int, chance: random.Random, mark: str) -> Iterator[dict[str, Any]]:
    for number in range(events):
        user = _USERS[number % len(_USERS)]
        yield _webhook(
            f"{mark}{number}",
            "candu.sdk.content" if number // len(_USERS) % 3 else "candu.sdk.content.interaction",
            user and user + mark,
            {
                "documentId": chance.randrange(1, 40),
                "segmentId": f"Everyone{mark}",
                "versionId": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
                "contentId": f"c-{number % 5}{mark}",
                "eventName": FORMULA + mark,
            },
            1 + number % 11,
        )


def _oddities(mark: str) -> Iterator[dict[str, Any]]:
    for number in range(6):
        yield _webhook(f"odd{mark}{number}", f"candu.sdk.{HOSTILE}{mark}", "user-1", {"documentId": 1})
        yield _webhook(f"no{mark}{number}", "candu.sdk.content", f"user{mark}", {"documentId": "twelve" + mark, "segmentId": number})
    yield _webhook(f"own{mark}", f"My own event{mark}", "user-1", {"plan": HOSTILE + mark})
    yield _webhook(f"new{mark}", "candu.sdk.content", "user-1", {"documentId": 3, f"surprise{mark}": [1, 2]})


def _webhook(identifier: str, name: str, user: str | None, properties: dict[str, Any], day: int = 1) -> dict[str, Any]:
    payload = {
        "id": identifier,
        "anonymousId": f"anonymous-{identifier}",
        "userId": user,
        "type": "Track",
        "eventName": name,
        "sentAt": f"2026-05-{day:02}T12:00:00.000Z",
        "receivedAt": f"2026-05-{day:02}T12:00:00.000Z",
        "context": {"page": {"url": "https://app.example.com/"}, "userAgent": "Mozilla/5.0"},
        "properties": properties,
    }
    return {"payload": {key: value for key, value in payload.items() if value is not None}}


def _deliver(store: Store, connection: Connection) -> None:
    """Deliver three quarters, bury some, confirm most, and leave the lane to retry."""
    (delivery,) = store.lanes.claim("test", 1)
    events = delivery.batches[0].events
    part = len(events) // 10
    for some, decision, outcome in (
        (events[: 7 * part], Advance(), Outcome(Reason.ACCEPTED, 200)),
        (events[7 * part : 8 * part], Bury(Reason.CONTENT_REFUSED), Outcome(Reason.CONTENT_REFUSED, 400, f"invalid: {HOSTILE}")),
        (events[8 * part :], Again(time.time() + 30), Outcome(Reason.SERVER_ERROR, 503, "later")),
    ):
        store.lanes.settle([_settlement(delivery, some, decision, outcome)])
    store.lanes.release("test")
    ids = [event.message_id for event in store.trace.tail(connection.id, most=len(events))]
    store.confirmations.confirm(connection.id, ids[: 6 * part], time.time())


def _settlement(delivery: Delivery, events: Any, decision: Any, outcome: Outcome) -> Settlement:
    return Settlement(delivery, replace(delivery.batches[0], events=events), outcome, decision, time.time() - 0.2, 0.2)
