"""Remember what was sent: which calls were stored, which were dropped and why, and how requests were answered."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain, islice
from typing import Literal

import msgspec

from candu_source.twin.rules import Drop, Reading, judge, text
from candu_source.twin.times import corrected_timestamp, original_timestamp, show_time

KEEP = 100_000
"""Calls kept for inspection unless told otherwise: about 100 MB of typical calls."""

KEPT_DUPLICATES = 1_000
"""Duplicates kept for inspection; later ones are only counted."""

Status = Literal["stored", "dropped"]


class Kept(msgspec.Struct, frozen=True, gc=False):
    """Hold one call: its fate, and its bytes as received (the write key masked)."""

    seq: int
    reason: Drop | None
    source: str | None
    type: str | None
    message_id: str
    received_at: datetime
    sent_at: str | None
    original_timestamp: str | None
    raw: bytes

    @property
    def status(self) -> Status:
        """Say whether the call was stored."""
        return "stored" if self.reason is None else "dropped"

    def shown(self, message: object) -> dict[str, object]:
        """Return the call as the inspection answers show it, with `message` as its JSON object."""
        return {
            "seq": self.seq,
            "status": self.status,
            "reason": None if self.reason is None else self.reason.value,
            "source": self.source,
            "type": self.type,
            "messageId": self.message_id,
            "receivedAt": show_time(self.received_at),
            "sentAt": self.sent_at,
            "originalTimestamp": self.original_timestamp,
            "timestamp": show_time(corrected_timestamp(self.received_at, self.sent_at, self.original_timestamp)),
            "message": message,
        }


class Query(msgspec.Struct, frozen=True):
    """Choose among the calls kept; None means any. `since` is compared with receivedAt, `after` with seq."""

    status: Status | None = None
    type: str | None = None
    since: datetime | None = None
    source: str | None = None
    after: int = 0

    def matches(self, kept: Kept) -> bool:
        """Tell whether this call is asked for."""
        return (
            (self.status is None or kept.status == self.status)
            and (self.type is None or kept.type == self.type)
            and (self.since is None or kept.received_at >= self.since)
            and (self.source is None or kept.source == self.source)
        )


class Memory:
    """Hold the last `keep` calls whole, and every stored messageId and count exactly. Safe to share between threads.

    `on_stored` is told source, messageId and bytes of each call that is stored; it must not wait.
    """

    def __init__(self, keep: int = KEEP, on_stored: Callable[[str | None, str, bytes], None] = lambda *_: None) -> None:
        self.on_stored = on_stored
        self._changed = threading.Condition()
        self._kept: deque[Kept] = deque(maxlen=keep)
        self._seq = 0
        self._forget()

    def _forget(self) -> None:
        self._kept.clear()
        self._ids: dict[str, dict[str, None]] = {}  # source -> stored ids, in order of arrival
        self._dropped: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._stored = 0

    def clear(self) -> None:
        """Forget calls, ids and counts. `seq` goes on, so that a cursor stays a cursor."""
        with self._changed:
            self._forget()

    def count_answer(self, status: str) -> None:
        """Count a request that left nothing behind, by the status of its answer ("none" when there is none)."""
        with self._changed:
            self._answers[status] += 1
            self._changed.notify_all()

    def add(
        self,
        reading: Reading,
        source: str | None,
        refused: Drop | None,
        received_at: datetime,
        status: str,
        loses: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Judge and keep the calls of a request, and count its answer. `refused` drops them all, `loses` those of some messageIds."""
        with self._changed:
            ids = self._ids.setdefault(source, {}) if source and refused is None else {}
            for call, raw in reading.calls:
                message_id = text(call.message_id) or str(uuid.uuid4())
                reason = refused or judge(call)
                if reason is None and message_id in ids:
                    reason = Drop.DUPLICATE
                if reason is None and loses(message_id):
                    reason = Drop.LOST
                if reason is None:
                    ids[message_id] = None
                    self._stored += 1
                    self.on_stored(source, message_id, raw)
                else:
                    self._dropped[reason.value] += 1
                    if reason is Drop.DUPLICATE and self._dropped[reason.value] > KEPT_DUPLICATES:
                        continue
                self._seq += 1
                times = (received_at, reading.sent_at or text(call.sent_at), original_timestamp(call))
                self._kept.append(Kept(self._seq, reason, source, text(call.type), message_id, *times, raw))
            self._answers[status] += 1
            self._changed.notify_all()

    def find(self, query: Query, limit: int | None = None) -> tuple[list[Kept], int | None]:
        """Return the calls asked for, oldest first, and the `after` of the next page (None when this is the last)."""
        with self._changed:
            first = self._kept[0].seq if self._kept else 0
            seen = min(max(0, query.after - first + 1), len(self._kept))  # seq has no gaps
            newer = list(islice(self._kept, seen, None))
        found = list(islice(filter(query.matches, newer), None if limit is None else limit + 1))
        if limit is None or len(found) <= limit:
            return found, None
        return found[:limit], found[limit - 1].seq

    def ids(self, source: str | None = None) -> list[str]:
        """Return the messageIds stored for a source, or for all, in order of arrival within each."""
        with self._changed:
            chosen: Iterable[dict[str, None]] = self._ids.values() if source is None else [self._ids.get(source, {})]
            return list(chain.from_iterable(chosen))

    def stats(self) -> dict[str, object]:
        """Return the exact counts since the start or the last `clear`."""
        with self._changed:
            return {
                "requests": self._answers.total(),
                "stored": self._stored,
                "dropped": dict(self._dropped),
                "duplicates": self._dropped[Drop.DUPLICATE.value],
                "by_status": dict(self._answers),
                "by_source": {source: len(ids) for source, ids in self._ids.items() if ids},
            }

    def wait(self, stored: int, requests: int, timeout_seconds: float) -> bool:
        """Wait until at least that many calls are stored and requests seen; False when the time is up first."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._stored >= stored and self._answers.total() >= requests,
                timeout_seconds,
            )
