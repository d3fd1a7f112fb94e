"""Append to the log: gapless seqs, one copy per message id, all of a group in one transaction."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from candu_source.errors import NotFound
from candu_source.model import Admission, Event, Receipt
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database

# Events of one statement at most. Python lets other threads in at every call into SQLite, and each may keep the log waiting for 5 ms.
_ROWS_AT_ONCE = 1_024
_PADDING = (None,) * 6
_DIGEST_BYTES = 16  # 128 bits: no two ids of any real log share them


def append_group(database: Database, group: Sequence[Admission]) -> Sequence[Receipt | NotFound]:
    """Commit every admission of `group` together; one result each, in order.

    A connection that no longer exists gives NotFound for its admissions and leaves the others alone.
    """
    now = time.time()
    return _append_by_one_statement(database, group, now) or _append_step_by_step(database, group, now)


def _append_by_one_statement(database: Database, group: Sequence[Admission], now: float) -> Sequence[Receipt]:
    """Write a group that holds only events, all new and all of one connection; return nothing, having written nothing, for any other."""
    events = _events(group)
    plain = not any(admission.filtered or admission.rejects for admission in group)
    if not plain or not 0 < len(events) <= _ROWS_AT_ONCE or len({admission.connection_id for admission in group}) > 1:
        return ()
    with database.statement() as db:
        if not _insert_new(db, database.sql, group[0].connection_id, events, now):
            return ()
    return [Receipt(accepted=len(admission.events)) for admission in group]


def _append_step_by_step(database: Database, group: Sequence[Admission], now: float) -> list[Receipt | NotFound]:
    by_connection: dict[str, list[int]] = {}
    for position, admission in enumerate(group):
        by_connection.setdefault(admission.connection_id, []).append(position)
    results: dict[int, Receipt | NotFound] = {}
    with database.write() as db:
        for connection, positions in by_connection.items():
            admissions = [group[position] for position in positions]
            results.update(zip(positions, _append(db, database.sql, connection, admissions, now), strict=True))
    return [results[position] for position in range(len(group))]


def _append(
    db: sqlite3.Connection, sql: Statements, connection: str, admissions: Sequence[Admission], now: float
) -> Sequence[Receipt | NotFound]:
    if not db.execute(sql["connection_exists"], (connection,)).fetchone():
        return [NotFound(f"connection {connection} was deleted")] * len(admissions)
    new = iter(_insert(db, sql, connection, _events(admissions), now))
    accepted = [sum(itertools.islice(new, len(admission.events))) for admission in admissions]
    filtered = [_keep_filtered(db, sql, connection, admission, now) if admission.filtered else 0 for admission in admissions]
    if any(admission.rejects for admission in admissions):
        db.executemany(sql["add_reject"], _reject_rows(connection, admissions, now))
    return [_receipt(*each) for each in zip(admissions, accepted, filtered, strict=True)]


def _events(admissions: Iterable[Admission]) -> list[tuple[str, Event]]:
    """Return the events with their doors."""
    return [(admission.door, event) for admission in admissions for event in admission.events]


def _insert(db: sqlite3.Connection, sql: Statements, connection: str, events: Sequence[tuple[str, Event]], now: float) -> list[bool]:
    """Write each event unless the log has it; tell which were new."""
    new: list[bool] = []
    for start in range(0, len(events), _ROWS_AT_ONCE):
        some = events[start : start + _ROWS_AT_ONCE]
        if _insert_new(db, sql, connection, some, now):
            new += [True] * len(some)
        else:
            new += [_insert_one(db, sql, connection, door, event, now) for door, event in some]
    return new


def _insert_new(db: sqlite3.Connection, sql: Statements, connection: str, events: Sequence[tuple[str, Event]], now: float) -> bool:
    """Write events as if none had come before, which is how it mostly is; False, having written nothing, when that cannot be."""
    rows: list[tuple[object, ...]] = [
        (order, digest(connection, event.message_id), event.message_id, door, event.message, event.raw)
        for order, (door, event) in enumerate(events, start=1)
    ]
    size = 1 << (len(rows) - 1).bit_length()  # a statement for each power of two, each prepared once
    rows += [_PADDING] * (size - len(rows))
    try:
        db.execute(sql.times("append", size), (connection, now, *itertools.chain.from_iterable(rows)))
    except sqlite3.IntegrityError:
        return False
    return True


def _insert_one(db: sqlite3.Connection, sql: Statements, connection: str, door: str, event: Event, now: float) -> bool:
    """Write one event unless the log has it; tell whether it was new."""
    row = (connection, digest(connection, event.message_id), event.message_id, now, door, event.message, event.raw)
    return db.execute(sql["append_one"], row).rowcount == 1


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
