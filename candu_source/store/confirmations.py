"""Keep which events Segment sent back, and read the evidence of whether it stores what it accepts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from candu_source.confirming import SAMPLE_EVENTS, WINDOW_SECONDS, Evidence, Probed, Sent, excludes_webhooks, grace_seconds, usual_delay
from candu_source.errors import NotFound, Reason
from candu_source.store.chunks import digest
from candu_source.store.connections import SEGMENT_LANE
from candu_source.store.counts import Counted, add_counts
from candu_source.store.sqlite import Database

TOPIC = "readback"
# Batches that are younger than the grace are passed over: 50 requests a second for as long as it may last.
_BATCHES = 50 * 600


class Confirmed(NamedTuple):
    """Count the messages of one request: events confirmed now, those that were already, and those that are none of ours."""

    new: int
    known: int
    unmatched: int


class Returned(NamedTuple):
    """Hold what one request sent back: whose readback address it came to, the message ids in it, and when (epoch seconds)."""

    connection: str
    message_ids: Sequence[str]
    at: float


class SqlConfirmations:
    """Match what comes back with the log of its own connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def confirm(self, connection: str, message_ids: Sequence[str], at: float) -> Confirmed:
        """Write down that events were sent back at a time (epoch seconds); ids of other connections match nothing."""
        (confirmed,) = self.confirm_group([Returned(connection, message_ids, at)])
        return confirmed

    def confirm_group(self, group: Sequence[Returned]) -> list[Confirmed]:
        """Write down what several requests sent back, in one transaction; one result each, in order."""
        with self._database.read() as db:
            found = [self._seqs(db, each) for each in group]
        with self._database.write() as db:
            return [self._confirm(db, each, seqs) for each, seqs in zip(group, found, strict=True)]

    def evidence(self, connection: str, destination: str, now: float, *, listening_since: float = 0.0) -> Evidence:
        """Return what is known of a lane's confirmations, read in bounded work; raise NotFound.

        `listening_since` (epoch seconds) leaves out what was delivered before: while the doors were closed nothing could come back.
        """
        lane = {"connection": connection, "destination": destination}
        row = self._database.row("confirming_lane", lane)
        if row is None:
            raise NotFound(f"there is no lane {destination} of a connection {connection}")
        first, last, delay, target_since, regional, integrations, ready_since, probed_seq, *probe = row
        grace = grace_seconds(delay)
        since = max(listening_since, now - WINDOW_SECONDS, first or max(target_since, ready_since or 0.0))
        return Evidence(
            ready=ready_since is not None,
            grace=grace,
            sent=() if ready_since is None else tuple(self._sent(lane, probed_seq, since, now - grace)),
            first_confirmed_at=first,
            last_confirmed_at=last,
            probed=_probed(*probe) if probed_seq is not None else None,
            regional=bool(regional),
            excluded=excludes_webhooks(json.loads(integrations or "{}")),
        )

    def confirmed_at(self, connection: str, destination: str, seq: int) -> float | None:
        """Return when an event was sent back (epoch seconds), or None."""
        row = self._database.row("confirmation", {"connection": connection, "destination": destination, "seq": seq})
        return row[0] if row else None

    def _seqs(self, db: sqlite3.Connection, returned: Returned) -> list[int]:
        digests = {digest(returned.connection, each) for each in returned.message_ids}
        wanted = {"connection": returned.connection, "events": len(digests), "digests": b"".join(digests)}
        return [seq for (seq,) in db.execute(self._sql["seqs_of_ids"], wanted)] if digests else []

    def _confirm(self, db: sqlite3.Connection, returned: Returned, seqs: Sequence[int]) -> Confirmed:
        connection, at, lane = returned.connection, returned.at, {"connection": returned.connection, "destination": SEGMENT_LANE}
        known = db.execute(self._sql["confirming_lane"], lane).fetchone()
        if known is None:
            return Confirmed(0, 0, len(set(returned.message_ids)))  # the connection is gone
        new = db.executemany(self._sql["confirm"], [(connection, SEGMENT_LANE, seq, at) for seq in seqs]).rowcount if seqs else 0
        unmatched = len(set(returned.message_ids)) - len(seqs)
        if new:
            db.execute(self._sql["count_confirmed"], {**lane, "new": new})
            self._mark(db, lane, known, seqs, at)
        amounts = {"confirmed": new, "unmatched": unmatched}
        add_counts(db, self._sql, {Counted(connection, TOPIC, name, at): amount for name, amount in amounts.items() if amount})
        return Confirmed(new, len(seqs) - new, unmatched)

    def _mark(self, db: sqlite3.Connection, lane: dict[str, Any], known: Sequence[Any], seqs: Sequence[int], at: float) -> None:
        """Note what the confirmations prove: those of a probe that the region is wrong, those of an earlier key nothing."""
        _, _, usual, target_since, _, _, _, probed_seq, *_ = known
        db.executemany(self._sql["return_probe"], [{**lane, "seq": seq, "at": at} for seq in seqs if seq == probed_seq])
        latest = max((seq for seq in seqs if seq != probed_seq), default=None)
        if latest is None:
            return
        ended_at = self._ended_at(db, lane, latest, at)
        if ended_at >= target_since:
            delay = usual_delay(usual, max(0.0, at - ended_at))
            db.execute(self._sql["mark_confirmed"], {**lane, "at": at, "delay": delay})

    def _ended_at(self, db: sqlite3.Connection, lane: dict[str, Any], seq: int, at: float) -> float:
        """Return when Segment's answer for an event came; what is not settled yet was answered just now."""
        row = db.execute(self._sql["ending_attempt"], {**lane, "seq": seq}).fetchone()
        return float(row[0]) if row and row[1] >= seq else at

    def _sent(self, lane: dict[str, Any], probed_seq: int | None, since: float, before: float) -> Iterator[Sent]:
        """Yield the latest batches that were delivered in a time (epoch seconds), newest first, until they are a sample."""
        seen = 0
        with self._database.read() as db:
            for ended_at, events, first, last in db.execute(self._sql["delivered_batches"], {**lane, "most": _BATCHES}):
                if ended_at < since or seen >= SAMPLE_EVENTS:
                    return
                if ended_at <= before:
                    wanted = {**lane, "first": first, "last": last, "without": probed_seq}
                    yield Sent(ended_at, events, db.execute(self._sql["confirmed_between"], wanted).fetchone()[0])
                    seen += events


def _probed(at: float, outcome: str, returned_at: float | None) -> Probed:
    return Probed(at, outcome == Reason.ACCEPTED, returned_at)
