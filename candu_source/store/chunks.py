"""Pack the events of a commit into chunks, the rows of the log, and read them back one by one."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from candu_source.deliveries import Stored
from candu_source.model import Event
from candu_source.store.sql import Statements
from candu_source.terms import placed_terms

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Reading a chunk to get at a few of its events must be no burden.
CHUNK_EVENTS = 1_024
_CHUNK_BYTES = 512 * 2**10
DIGEST_BYTES = 16  # 128 bits: no two ids of any real log share them
# Events resemble each other: together they take a tenth of their room, and less time than the room would. One alone gains little.
_COMPRESSED_FROM_BYTES = 2_048
_LEVEL = 1
_FRAME = b"\x28\xb5\x2f\xfd"  # what a Zstandard frame begins with (RFC 8878, 3.1.1) and a MessagePack array does not

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class Keyed(msgspec.Struct, frozen=True, gc=False):
    """Pair an event with its digest."""

    digest: bytes
    event: Event


class Chunk(NamedTuple):
    """Hold the events that one door brought for one connection, as a row of the log does."""

    connection: str
    events: int
    door: str
    digests: bytes
    messages: bytes
    raws: bytes


class LoggedEvent(NamedTuple):
    """Hold one event of the log."""

    connection: str
    seq: int
    message_id: str
    accepted_at: float
    door: str
    message: bytes
    raw: bytes

    def stored(self, tries: int = 0) -> Stored:
        """Return it on its way out, with what it came as; `tries` count those before."""
        return Stored(self.seq, self.message, self.accepted_at, tries, self.door, self.raw)


class _Named(msgspec.Struct):
    message_id: str = msgspec.field(name="messageId")


_named = msgspec.json.Decoder(_Named).decode


def digest(connection: str, message_id: str) -> bytes:
    """Return what stands for a connection's message id in the unique index: a quarter of its bytes, and as unique."""
    hasher = _begun(connection).copy()
    hasher.update(message_id.encode())
    return hasher.digest()


@lru_cache(maxsize=4_096)
def _begun(connection: str) -> hashlib.blake2b:
    return hashlib.blake2b(f"{connection} ".encode(), digest_size=DIGEST_BYTES)


def pack(connection: str, door: str, events: Sequence[Keyed]) -> Iterator[Chunk]:
    """Yield chunks of events, none larger than is good to read at once."""
    for some in _cut(events):
        digests = b"".join([each.digest for each in some])
        yield Chunk(
            connection,
            len(some),
            door,
            digests,
            pack_bytes(each.event.message for each in some),
            pack_bytes(each.event.raw for each in some),
        )


def pack_bytes(items: Iterable[bytes]) -> bytes:
    """Return the column of a chunk that holds these items."""
    plain = _pack(list(items))
    return plain if len(plain) < _COMPRESSED_FROM_BYTES else zstd.compress(plain, _LEVEL)


def unpack_bytes(column: bytes) -> list[bytes]:
    """Return the items that a column of a chunk holds."""
    return _unpack(zstd.decompress(column) if column.startswith(_FRAME) else column)


def chunk_terms(connection: str, first_place: int, messages: bytes) -> str:
    """Return {place: terms} of a chunk's events as JSON: what the index holds of them, if it has read so far."""
    found = enumerate(unpack_bytes(messages), first_place)
    return json.dumps({place: terms for place, message in found if (terms := placed_terms(connection, place, message))})


def _cut(events: Sequence[Keyed]) -> Iterator[Sequence[Keyed]]:
    start = size = 0
    for place, each in enumerate(events):
        size += len(each.event.message) + len(each.event.raw)
        if place > start and (size > _CHUNK_BYTES or place - start == CHUNK_EVENTS):
            yield events[start:place]
            start, size = place, len(each.event.message) + len(each.event.raw)
    if events:
        yield events[start:]


def stored(rows: Iterable[Any], after: int, before: int) -> Iterator[Stored]:
    """Yield the events between two seqs, both exclusive, of rows (last_seq, events, messages, accepted_at)."""
    for last, count, messages, accepted_at in rows:
        for seq, message in enumerate(unpack_bytes(messages), last - count + 1):
            if after < seq < before:
                yield Stored(seq, message, accepted_at)


def logged(row: Any) -> list[LoggedEvent]:
    """Return the events of a row (connection, last_seq, events, accepted_at, door, messages, raws)."""
    connection, last, count, accepted_at, door, messages, raws = row
    return [
        LoggedEvent(connection, seq, _named(message).message_id, accepted_at, door, message, raw)
        for seq, message, raw in zip(range(last - count + 1, last + 1), unpack_bytes(messages), unpack_bytes(raws), strict=True)
    ]


def logged_at(db: sqlite3.Connection, sql: Statements, connection: str, seqs: Iterable[int]) -> Iterator[LoggedEvent]:
    """Yield the events of some seqs, in that order, those left out that the log no longer has; neighbours are read together."""
    here: dict[int, LoggedEvent] = {}
    for seq in seqs:
        if seq not in here:
            row = db.execute(sql["chunk"], {"connection": connection, "seq": seq}).fetchone()
            here = {event.seq: event for event in logged(row)} if row else {}
        if seq in here:
            yield here[seq]


def find_seq(db: sqlite3.Connection, sql: Statements, connection: str, message_id: str) -> int | None:
    """Return the seq of an event, or None when the log does not have it."""
    key = digest(connection, message_id)
    row = db.execute(sql["chunk_of_id"], {"connection": connection, "digest": key}).fetchone()
    if row is None:
        return None
    last, count, digests = row
    keys = [digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES)]
    return int(last - count + 1 + keys.index(key))
