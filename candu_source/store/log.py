"""Append to the log: gapless seqs, one copy per message id, all of a group in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from candu_source.errors import NotFound
from candu_source.model import Admission, Receipt
from candu_source.store.sql import Statements


def append_group(db: sqlite3.Connection, sql: Statements, group: Sequence[Admission]) -> list[Receipt | NotFound]:
    """Write every admission of `group` inside the caller's transaction; one result each, in order.

    A connection that no longer exists gives NotFound for its admissions and leaves the others alone.
    """
    results: list[Receipt | NotFound | None] = [None] * len(group)
    by_connection: dict[str, list[int]] = {}
    for position, admission in enumerate(group):
        by_connection.setdefault(admission.connection_id, []).append(position)
    now = time.time()
    for connection, positions in by_connection.items():
        receipts = _append(db, sql, connection, [group[position] for position in positions], now)
        for position, receipt in zip(positions, receipts, strict=True):
            results[position] = receipt
    return [result for result in results if result is not None]


def _append(
    db: sqlite3.Connection, sql: Statements, connection: str, admissions: Sequence[Admission], now: float
) -> Sequence[Receipt | NotFound]:
    found = db.execute(sql["head"], {"connection": connection}).fetchone()
    if found is None:
        return [NotFound(f"connection {connection} was deleted")] * len(admissions)
    head: int = found[0]
    ids = json.dumps(
        [event.message_id for admission in admissions for event in admission.events]
        + [item.message_id for admission in admissions for item in admission.filtered]
    )
    in_log = _known(db, sql["known_events"], connection, ids)
    in_filtered = _known(db, sql["known_filtered"], connection, ids)
    events: list[tuple[object, ...]] = []
    filtered: list[tuple[object, ...]] = []
    taken: list[tuple[str, str]] = []
    receipts = []
    for admission in admissions:
        before = len(events), len(filtered)
        for event in admission.events:
            if event.message_id in in_log:
                continue
            in_log.add(event.message_id)
            if event.message_id in in_filtered:
                taken.append((connection, event.message_id))
            head += 1
            events.append((connection, head, event.message_id, now, admission.door, event.message, event.raw))
        for item in admission.filtered:
            if item.message_id in in_log or item.message_id in in_filtered:
                continue
            in_filtered.add(item.message_id)
            filtered.append((connection, item.message_id, item.name, item.reason, admission.door, now, item.raw))
        receipts.append(_receipt(admission, len(events) - before[0], len(filtered) - before[1]))
    db.executemany(sql["append"], events)
    db.executemany(sql["add_filtered"], filtered)
    db.executemany(sql["take_filtered"], taken)
    db.executemany(sql["add_reject"], _reject_rows(connection, admissions, now))
    if events:
        db.execute(sql["move_head"], {"connection": connection, "head": head})
    return receipts


def _known(db: sqlite3.Connection, statement: str, connection: str, ids: str) -> set[str]:
    if ids == "[]":
        return set()
    return {row[0] for row in db.execute(statement, {"connection": connection, "ids": ids})}


def _receipt(admission: Admission, accepted: int, filtered: int) -> Receipt:
    duplicates = len(admission.events) - accepted + len(admission.filtered) - filtered
    return Receipt(accepted=accepted, duplicates=duplicates, filtered=filtered, rejected=admission.rejects)


def _reject_rows(connection: str, admissions: Iterable[Admission], now: float) -> Iterable[tuple[object, ...]]:
    for admission in admissions:
        for reject in admission.rejects:
            digest = hashlib.sha256(admission.door.encode() + b"\0" + reject.raw).digest()
            yield connection, digest, admission.door, reject.code, json.dumps(reject.errors), now, now, reject.raw
