"""Append to the log: gapless seqs, one copy per message id, all of a group in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from candu_source.errors import NotFound
from candu_source.model import Admission, Receipt
from candu_source.store.chunks import Chunk, Keyed, digest, pack
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database

# Python lets other threads in at every call into SQLite, and each may keep the log waiting for 5 ms: so many chunks in one call.
_CHUNKS_AT_ONCE = 64


def append_group(database: Database, group: Sequence[Admission]) -> Sequence[Receipt | NotFound]:
    """Commit every admission of `group` together; one result each, in order.

    A connection that no longer exists gives NotFound for its admissions and leaves the others alone.
    """
    now = time.time()
    events = [[Keyed(digest(each.connection_id, event.message_id), event) for event in each.events] for each in group]
    return _append_as_new(database, group, events, now) or _append_step_by_step(database, group, events, now)


def _append_as_new(database: Database, group: Sequence[Admission], events: Sequence[list[Keyed]], now: float) -> Sequence[Receipt]:
    """Write a group as if none of it had come before, in one statement; return nothing, having written nothing, when that cannot be."""
    chunks = _chunks(group, events)
    plain = not any(admission.filtered or admission.rejects for admission in group)
    if not plain or not 0 < len(chunks) <= _CHUNKS_AT_ONCE:
        return ()
    with database.statement() as db:
        try:
            _insert(db, database.sql, chunks, now)
        except sqlite3.IntegrityError:
            return ()
    return [Receipt(accepted=len(admission.events)) for admission in group]


def _append_step_by_step(
    database: Database, group: Sequence[Admission], events: Sequence[list[Keyed]], now: float
) -> list[Receipt | NotFound]:
    sql = database.sql
    with database.write() as db:
        there = {name for name in {each.connection_id for each in group} if db.execute(sql["connection_exists"], (name,)).fetchone()}
        seen = _known(db, sql, [each.digest for some in events for each in some])
        new = [_unseen(some, seen) if each.connection_id in there else [] for each, some in zip(group, events, strict=True)]
        chunks = _chunks(group, new)
        for start in range(0, len(chunks), _CHUNKS_AT_ONCE):
            _insert(db, sql, chunks[start : start + _CHUNKS_AT_ONCE], now)
        return [
            _finish(db, sql, each, len(kept), now)
            if each.connection_id in there
            else NotFound(f"connection {each.connection_id} was deleted")
            for each, kept in zip(group, new, strict=True)
        ]


def _known(db: sqlite3.Connection, sql: Statements, digests: Collection[bytes]) -> set[bytes]:
    """Return those of the digests that the log has."""
    wanted = {"events": len(digests), "digests": b"".join(digests)}
    return {key for (key,) in db.execute(sql["known"], wanted)}


def _unseen(events: Iterable[Keyed], seen: set[bytes]) -> list[Keyed]:
    """Return the events that were not seen before, each once; `seen` grows by them."""
    new = []
    for each in events:
        if each.digest not in seen:
            seen.add(each.digest)
            new.append(each)
    return new


def _chunks(group: Sequence[Admission], events: Iterable[list[Keyed]]) -> list[Chunk]:
    """Pack what one door brought for one connection together, whichever request it came with."""
    together: dict[tuple[str, str], list[Keyed]] = {}
    for admission, some in zip(group, events, strict=True):
        together.setdefault((admission.connection_id, admission.door), []).extend(some)
    return [chunk for (connection, door), some in together.items() for chunk in pack(connection, door, some)]


def _insert(db: sqlite3.Connection, sql: Statements, chunks: Sequence[Chunk], now: float) -> None:
    """Write chunks at the next seqs; raise IntegrityError, having written nothing, when one of their events is there already."""
    in_all, on = 0, Counter[str]()
    values: list[object] = [now]
    for chunk in chunks:
        in_all += chunk.events
        on[chunk.connection] += chunk.events
        values += in_all, on[chunk.connection], *chunk
    db.execute(sql.times("append", len(chunks)), values)


def _finish(db: sqlite3.Connection, sql: Statements, admission: Admission, accepted: int, now: float) -> Receipt:
    """Keep what goes aside and return the receipt."""
    filtered = _keep_filtered(db, sql, admission, now) if admission.filtered else 0
    if admission.rejects:
        db.executemany(sql["add_reject"], _reject_rows(admission, now))
    duplicates = len(admission.events) - accepted + len(admission.filtered) - filtered
    return Receipt(accepted, duplicates, filtered, admission.rejects)


def _keep_filtered(db: sqlite3.Connection, sql: Statements, admission: Admission, now: float) -> int:
    """Keep each filtered event unless it is there already, filtered or not; return how many were new."""
    connection = admission.connection_id
    keyed = [(digest(connection, item.message_id), item) for item in admission.filtered]
    logged = _known(db, sql, [key for key, _ in keyed])
    rows = [
        (connection, item.message_id, key, item.name, item.reason, admission.door, now, item.raw)
        for key, item in keyed
        if key not in logged
    ]
    return db.executemany(sql["add_filtered"], rows).rowcount


def _reject_rows(admission: Admission, now: float) -> Iterator[tuple[object, ...]]:
    for reject in admission.rejects:
        same = hashlib.sha256(admission.door.encode() + b"\0" + reject.raw).digest()
        yield admission.connection_id, same, admission.door, reject.code, json.dumps(reject.errors), now, now, reject.raw
