"""Claim lanes by lease, settle what came of it: a lane is a cursor over the log plus its retry state."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from candu_source.deliveries import (
    Advance,
    Again,
    Bury,
    Decision,
    Delivery,
    Filter,
    Hold,
    LaneKind,
    Outcome,
    Park,
    Part,
    Settlement,
    Singly,
    StreamTarget,
    Target,
    Verdict,
)
from candu_source.errors import Reason, SecretUnreadable
from candu_source.model import Region, Secret
from candu_source.store.batches import Lane, read_batches
from candu_source.store.counts import count_settlement
from candu_source.store.sql import Statements
from candu_source.store.sqlite import Database
from candu_source.streams import Stream

# A healthy lane has up to four batches under way; one that failed sends a single one to see whether it is healed.
BATCHES_IN_FLIGHT = 4
_DETAIL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class _Lease:
    epoch: int


class SqlLanes:
    """Implement ports.Lanes on the shared SQL."""

    def __init__(
        self, database: Database, open_secret: Callable[[bytes], Secret], *, hosts: Mapping[Region, str], lease_seconds: float
    ) -> None:
        self._database = database
        self._sql = database.sql
        self._open_secret = open_secret
        self._hosts = hosts
        self._lease_seconds = lease_seconds

    def claim(self, worker: str, most: int, *, busy: Sequence[tuple[str, str]] = (), healthy_only: bool = False) -> list[Delivery]:
        """Take up to `most` due lanes, the longest-waiting first, none of `busy`, each with its next batches.

        A lane whose write key does not decrypt is held on the spot.
        """
        wanted = {"worker": worker, "most": most, "healthy_only": healthy_only, "busy": json.dumps(list(busy))}
        if not self._database.rows("due_lanes", wanted):
            return []
        with self._database.write() as db:
            lanes = db.execute(self._sql["due_lanes"], wanted).fetchall()
            turn = db.execute(self._sql["last_turn"]).fetchone()[0] + 1
            leased = [(lane, key) for place, lane in enumerate(lanes) if (key := self._lease(db, worker, lane, turn + place)) is not None]
        with self._database.read() as db:
            return [self._load(db, lane, key) for lane, key in leased]

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Write attempts, cursors, retry states, dead letters and counts in one transaction; False where the lease was lost."""
        with self._database.write() as db:
            return [self._settle(db, settlement) for settlement in settlements]

    def renew(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Prolong the leases; False where one was lost."""
        with self._database.write() as db:
            return [self._renew(db, delivery) for delivery in deliveries]

    def release(self, worker: str) -> None:
        """Give back every lane that this worker holds."""
        self._database.run("release_all", {"worker": worker})

    def _lease(self, db: sqlite3.Connection, worker: str, row: Any, turn: int) -> Secret | None:
        """Take a lane; return its write key, or a sync's secrets, in JSON."""
        lane = {"connection": row[0], "destination": row[1]}
        try:
            key = self._open_secret(row[-1])
        except SecretUnreadable as error:
            db.execute(self._sql["hold"], {**lane, "reason": Reason.KEY_UNREADABLE, "detail": str(error)})
            return None
        db.execute(self._sql["lease"], {**lane, "worker": worker, "seconds": self._lease_seconds, "turn": turn})
        return key

    def _load(self, db: sqlite3.Connection, row: Any, key: Secret) -> Delivery:
        connection, destination, cursor, failures, epoch, name, kind, region, host, *_ = row
        lane = Lane(connection, destination, LaneKind(kind), cursor)
        streams = lane.kind is LaneKind.STREAM
        return Delivery(
            connection_id=connection,
            connection_name=name,
            destination=destination,
            target=_stream_target(row, key) if streams else Target(host or self._hosts[Region(region)], key),
            failures=failures,
            batches=tuple(read_batches(db, self._sql, lane, 1 if failures else BATCHES_IN_FLIGHT)),
            lease=_Lease(epoch + 1),
            kind=lane.kind,
        )

    def _settle(self, db: sqlite3.Connection, settlement: Settlement) -> bool:
        delivery, replay = settlement.delivery, settlement.batch.replay
        if not self._renew(db, delivery):
            return False
        lane = {"connection": delivery.connection_id, "destination": delivery.destination}
        count_settlement(db, self._sql, settlement, time.time())
        for part in settlement.parts():
            self._write_attempts(db, lane, settlement, part)
            self._end(db, lane, part, replay=replay)
        match settlement.decision:
            case Advance() | Bury():
                self._advance(db, lane)
            case Again(at):
                db.execute(self._sql["wait"], {**lane, "failures": delivery.failures + 1, "due_at": at})
            case Hold(reason):
                db.execute(self._sql["hold"], {**lane, "reason": reason, "detail": settlement.outcome.detail[:_DETAIL_CHARACTERS]})
            case Singly(_, failures, at, sooner):
                self._advance(db, lane)
                db.execute(self._sql["pace"], {**lane, "failures": failures, "due_at": at, "sooner": sooner})
        return True

    def _end(self, db: sqlite3.Connection, lane: dict[str, Any], part: Part, *, replay: bool) -> None:
        """Set aside what is dead or parked, and forget what was and is not any more."""
        row = {**lane, "detail": part.outcome.detail[:_DETAIL_CHARACTERS], "now": time.time()}
        match part.decision:
            case Advance() | Filter() if replay:
                forget_dead(db, self._sql, lane, [event.ref for event in part.events])
            case Bury(reason):
                bury = self._sql["bury_again" if replay else "bury"]
                db.executemany(bury, [{**row, "seq": event.ref, "reason": reason} for event in part.events])
            case Park(at):
                row |= {"reason": part.outcome.code, "due_at": at}
                parked = [{**row, "seq": event.ref, "tries": event.tries + 1} for event in part.events]
                db.executemany(self._sql["park_again" if replay else "park"], parked)

    def _renew(self, db: sqlite3.Connection, delivery: Delivery) -> bool:
        assert isinstance(delivery.lease, _Lease)
        lane = {"connection": delivery.connection_id, "destination": delivery.destination, "epoch": delivery.lease.epoch}
        return db.execute(self._sql["renew"], {**lane, "seconds": self._lease_seconds}).rowcount == 1

    def _write_attempts(self, db: sqlite3.Connection, lane: dict[str, Any], settlement: Settlement, part: Part) -> None:
        replay = settlement.batch.replay
        ended = isinstance(part.decision, Advance | Bury | Filter | Park) and not replay
        seqs = [event.ref for event in part.events]
        tried = attempts(lane, seqs, part.outcome, part.decision, settlement.started_at, settlement.seconds)
        db.executemany(self._sql["add_attempt"], [{**row, "replay": replay, "settled": ended} for row in tried])

    def _advance(self, db: sqlite3.Connection, lane: dict[str, Any]) -> None:
        cursor = db.execute(self._sql["lane_cursor"], lane).fetchone()[0]
        for first, last in db.execute(self._sql["settled_beyond"], {**lane, "cursor": cursor}).fetchall():
            if first != cursor + 1:
                break
            cursor = last
        db.execute(self._sql["move_cursor"], {**lane, "cursor": cursor})


def _stream_target(row: Any, secrets: Secret) -> StreamTarget:
    connection, destination, *_, integration, choices, parameters, _ = row
    opened = {name: Secret(text) for name, text in json.loads(secrets.reveal()).items()}
    stream = Stream(connection, destination, integration, json.loads(choices), json.loads(parameters), tuple(opened), enabled=True)
    return StreamTarget(stream, opened)


def attempts(
    lane: dict[str, Any], seqs: Iterable[int], outcome: Outcome, decision: Decision | Verdict | Singly, started_at: float, seconds: float
) -> Iterator[dict[str, Any]]:
    """Yield the rows that one try leaves, one for each seq range in it."""
    for first, last in _runs(seqs):
        yield {
            **lane,
            "first_seq": first,
            "last_seq": last,
            "events": last - first + 1,
            "started_at": started_at,
            "seconds": seconds,
            "outcome": outcome.code,
            "status": outcome.status,
            "detail": outcome.detail[:_DETAIL_CHARACTERS],
            "decision": type(decision).__name__.lower(),
        }


def forget_dead(db: sqlite3.Connection, sql: Statements, lane: dict[str, Any], seqs: Sequence[int]) -> None:
    """Forget dead letters that were delivered after all, and what of the log was kept for them alone."""
    db.executemany(sql["raise_dead"], [(*lane.values(), seq) for seq in seqs])
    db.executemany(sql["drop_chunk"], [{**lane, "seq": seq} for seq in seqs])


def _runs(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ranges of seqs; one range, save for replays, which may have gaps between them."""
    runs: list[tuple[int, int]] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], seq
        else:
            runs.append((seq, seq))
    return runs
