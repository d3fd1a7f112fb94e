"""Prove that nothing vanished and nothing came twice: acknowledged ⊆ stored = delivered, and the ledger is exact."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import Any

from candu_source.store.chunks import unpack_bytes
from candu_source.twin import Twin
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until


def rows(service: Service, query: str, *values: object) -> list[Any]:
    """Read the store behind the service's back."""
    with contextlib.closing(sqlite3.connect(f"file:{service.store}?mode=ro", uri=True)) as db:
        return db.execute(query, values).fetchall()


def stored_ids(service: Service, door: Door) -> set[str]:
    """Return the message ids in a connection's log."""
    chunks = rows(service, "SELECT messages FROM log WHERE connection = ?", door.id)
    return {json.loads(message)["messageId"] for (messages,) in chunks for message in unpack_bytes(messages)}


def drain(service: Service) -> None:
    """Wait until nothing waits any more."""
    until(lambda: service.readiness().get("pending") == 0, "the lanes to drain")


def ledger_of(service: Service, door: Door) -> dict[str, Any]:
    """Return one connection's line of `ledger --check`, which must hold for every connection."""
    lines = [dict(line) for line in service.read("ledger", "--check")]
    return next(line for line in lines if line["connection"] == door.name)


def prove(service: Service, twin: Twin, door: Door, acknowledged: set[str], *, dead: int = 0) -> None:
    """Assert that each acknowledged event is stored at the twin once, save the dead ones, and that store, twin and ledger agree."""
    wanted = door.message_ids(acknowledged)
    drain(service)
    until(lambda: len(stored_ids(service, door)) == len(_arrived(twin, door)) + dead, "twin and store to hold as many events")
    arrived, stored = _arrived(twin, door), stored_ids(service, door)
    assert len(set(arrived)) == len(arrived)
    assert wanted <= stored, f"{len(wanted - stored)} acknowledged events are not in the store"
    assert set(arrived) <= stored
    line = ledger_of(service, door)
    counts = {name: line[name] for name in ("accepted", "delivered", "dead", "filtered", "pending", "holds")}
    expected = {"accepted": len(stored), "delivered": len(stored) - dead, "dead": dead, "filtered": 0, "pending": 0, "holds": True}
    assert counts == expected


def _arrived(twin: Twin, door: Door) -> list[str]:
    return [message_id for message_id in twin.ids() if message_id.startswith(f"candu:{door.id}:")]
