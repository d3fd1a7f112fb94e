"""Append to the log: gapless seqs, one copy per message id, all of a group in one transaction."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from candu_source.errors import NotFound
from candu_source.model import Admission, Receipt
from candu_source.store.sql import Statements

# Python lets other threads in around every call into SQLite; a busy one may keep the committer waiting for 5 ms each time.
_ROWS_AT_ONCE = 64
_DIGEST_BYTES = 16  # 128 bits: no two ids of any real log share them


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
    head, filters = found
    accepted = _insert_fresh(db, sql, connection, head, admissions, now)
    if accepted is None:
        accepted = _insert_unknown(db, sql, connection, head, admissions, now)
    if any(accepted):
        db.execute(sql["move_head"], {"connection": connection, "head": head + sum(accepted)})
        if filters:
            ids = json.dumps([event.message_id for admission in admissions for event in admission.events])
            db.execute(sql["take_filtered_of"], {"connection": connection, "ids": ids})
    filtered = [_keep_filtered(db, sql, connection, admission, now) if admission.filtered else 0 for admission in admissions]
    if any(admission.rejects for admission in admissions):
        db.executemany(sql["add_reject"], _reject_rows(connection, admissions, now))
    return [_receipt(*each) for each in zip(admissions, accepted, filtered, strict=True)]


def _insert_fresh(
    db: sqlite3.Connection, sql: Statements, connection: str, head: int, admissions: Sequence[Admission], now: float
) -> list[int] | None:
    """Write events as if none had come before, which is how it mostly is; write nothing and return None when one had."""
    places = itertools.count(head + 1)
    rows = [
        (connection, next(places), digest(connection, event.message_id), event.message_id, now, admission.door, event.message, event.raw)
        for admission in admissions
        for event in admission.events
    ]
    db.execute("SAVEPOINT fresh")
    try:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            db.execute(sql.times("append", len(some)), list(itertools.chain.from_iterable(some)))
    except sqlite3.IntegrityError:
        db.execute("ROLLBACK TO fresh")
        return None
    return [len(admission.events) for admission in admissions]


def _insert_unknown(
    db: sqlite3.Connection, sql: Statements, connection: str, head: int, admissions: Sequence[Admission], now: float
) -> list[int]:
    """Write each event unless the log has it; return how many of each admission were new."""
    accepted = []
    for admission in admissions:
        before = head
        for event in admission.events:
            key = digest(connection, event.message_id)
            if not db.execute(sql["is_logged"], (key,)).fetchone():
                head += 1
                db.execute(sql["append"], (connection, head, key, event.message_id, now, admission.door, event.message, event.raw))
        accepted.append(head - before)
    return accepted


def _keep_filtered(db: sqlite3.Connection, sql: Statements, connection: str, admission: Admission, now: float) -> int:
    """Keep each filtered event unless it is there already, filtered or not; return how many were new."""
    kept = 0
    for item in admission.filtered:
        if not db.execute(sql["is_logged"], (digest(connection, item.message_id),)).fetchone():
            row = (connection, item.message_id, item.name, item.reason, admission.door, now, item.raw)
            kept += db.execute(sql["add_filtered"], row).rowcount
    return kept


def _receipt(admission: Admission, accepted: int, filtered: int) -> Receipt:
    duplicates = len(admission.events) - accepted + len(admission.filtered) - filtered
    return Receipt(accepted, duplicates, filtered, admission.rejects)


def digest(connection: str, message_id: str) -> bytes:
    """Return what stands for a connection's message id in the unique index: a quarter of its bytes, and as unique."""
    return hashlib.blake2b(f"{connection} {message_id}".encode(), digest_size=_DIGEST_BYTES).digest()


def _reject_rows(connection: str, admissions: Iterable[Admission], now: float) -> Iterable[tuple[object, ...]]:
    for admission in admissions:
        for reject in admission.rejects:
            same = hashlib.sha256(admission.door.encode() + b"\0" + reject.raw).digest()
            yield connection, same, admission.door, reject.code, json.dumps(reject.errors), now, now, reject.raw
