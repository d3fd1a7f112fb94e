"""Accept what a door heard: map, serialise once, append, count. The only way into the log."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from segment.analytics.consumer import MAX_MSG_SIZE

from candu_source.errors import Reason
from candu_source.mapping import message_id, to_message
from candu_source.model import Admission, Connection, Event, Filtered, Heard, Input, Receipt, Reject
from candu_source.ports import Log, Observer

_encode = msgspec.json.Encoder().encode
# The library measures `json.dumps(message)`: ASCII with blanks. A byte of compact UTF-8 becomes six of those at the most (DEL).
_CERTAINLY_SMALL = MAX_MSG_SIZE // 6


def accept(connection: Connection, door: str, heard: Sequence[Input], log: Log, observer: Observer) -> Receipt:
    """Make one request's items durable and return the receipt; raise StoreBusy or StoreFull when that cannot be promised."""
    began = time.perf_counter()
    receipt = log.append(admit(connection, door, heard, datetime.now(UTC)))
    _tell(connection, door, receipt, time.perf_counter() - began, observer)
    if connection.rules.identity != "off" and (unproven := sum(isinstance(item, Heard) and item.unproven for item in heard)):
        observer.count("unproven_users", unproven, door=door)
    return receipt


def admit(connection: Connection, door: str, heard: Sequence[Input], now: datetime) -> Admission:
    """Sort one request's items into events, filtered and rejects; pure."""
    events: list[Event] = []
    filtered: list[Filtered] = []
    rejects: list[Reject] = []
    for item in heard:
        if isinstance(item, Reject):
            rejects.append(item)
            continue
        message = to_message(item, connection.rules, connection.id, now)
        if isinstance(message, Reason):
            filtered.append(Filtered(message_id(connection.id, item.id), item.name, message, item.raw))
            continue
        encoded = _encode(message)
        if too_large(message, len(encoded)):
            errors = {"message": [f"The Segment message would exceed {MAX_MSG_SIZE // 1024} KB; send less with this event."]}
            rejects.append(Reject(item.index, Reason.MESSAGE_TOO_LARGE, errors, item.raw))
            continue
        events.append(Event(message["messageId"], encoded, item.raw))
    return Admission(connection.id, door, tuple(events), tuple(filtered), tuple(rejects))


def too_large(message: dict[str, Any], encoded_bytes: int) -> bool:
    """Tell whether the official library would refuse this message for its size."""
    return encoded_bytes > _CERTAINLY_SMALL and len(json.dumps(message)) > int(MAX_MSG_SIZE)


def _tell(connection: Connection, door: str, receipt: Receipt, seconds: float, observer: Observer) -> None:
    counts = {
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicates,
        "filtered": receipt.filtered,
        "rejected": len(receipt.rejected),
    }
    for result, amount in counts.items():
        if amount:
            observer.count("events", amount, door=door, result=result)
    observer.time("accept_seconds", seconds, door=door)
    codes = sorted({reject.code for reject in receipt.rejected})
    observer.tell("event.accepted", connection=connection.name, door=door, **counts, codes=codes, ms=round(seconds * 1000, 2))
