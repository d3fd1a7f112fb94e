"""Lend replays out by lease, read what they work through, and settle what a step did. Implements ports.Turns and ports.Replayable."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from candu_source.deliveries import Advance, Target
from candu_source.errors import NotFound, Reason, SecretUnreadable
from candu_source.jobs import Aside, Page, Past, Replay, ReplayKind, Sending, State, Step, Turn
from candu_source.limits import BATCH_EVENTS
from candu_source.model import Connection, Region, Secret
from candu_source.store import chunks
from candu_source.store.audit import write_audit
from candu_source.store.connections import SqlConnections
from candu_source.store.lanes import attempts, forget_dead
from candu_source.store.replays import SqlReplays, filters
from candu_source.store.sqlite import Database

# What one page holds at the most: some MB in memory, however large the inputs are.
_PAGE_BYTES = 2**20
_PAGE_ASIDE = 200
# Ids that one statement walks, other connections' among them, and how many of such walks make a page.
_SPAN = 5_000
_SPANS = 20


class SqlTurns:
    """Take, settle and release jobs."""

    def __init__(
        self,
        database: Database,
        replays: SqlReplays,
        connections: SqlConnections,
        open_secret: Callable[[bytes], Secret],
        *,
        hosts: Mapping[Region, str],
        lease_seconds: float,
    ) -> None:
        self._database = database
        self._sql = database.sql
        self._replays = replays
        self._connections = connections
        self._open_secret = open_secret
        self._hosts = hosts
        self._lease_seconds = lease_seconds

    def take(self, worker: str, only: int | None = None) -> Turn | None:
        """Take the job that is due and was left alone longest, or the one named; None when there is none that may go on now.

        A job of events waits while its lane's own events do. A job whose write key does not decrypt is held on the spot.
        """
        for identifier, connection, epoch in self._database.rows("due_replays", {"worker": worker, "only": only}):
            try:
                turn = self._take(worker, connection, identifier, epoch)
            except NotFound:
                continue  # the connection was deleted just now
            if turn is not None:
                return turn
        return None

    def settle(self, turn: Turn, step: Step) -> bool:
        """Write down what a step did, all in one transaction; False, having written nothing, when the lease was lost."""
        replay = turn.replay
        job = {"connection": replay.connection, "id": replay.id, "epoch": turn.lease, "seconds": self._lease_seconds}
        row = {name: getattr(step, name) for name in ("place", "most", "state", "detail", "failures", "refusals", "due_at")}
        counts = Counter(replay.counts) + Counter(step.counts)
        with self._database.write() as db:
            more = {"counts": json.dumps(counts), "looked_at": sum(step.counts.values())}
            if db.execute(self._sql["settle_replay"], {**job, **row, **more}).rowcount != 1:
                return False
            if step.sending is not None:
                self._write_sending(db, replay, step.sending)
            db.executemany(self._sql["drop_reject"], [{"connection": replay.connection, "id": gone} for gone in step.gone])
            refused = [
                {"connection": replay.connection, "id": kept, "code": reject.code, "errors": json.dumps(reject.errors)}
                for kept, reject in step.refused.items()
            ]
            db.executemany(self._sql["explain_reject"], refused)
            lane = {"connection": replay.connection, "destination": replay.destination}
            db.executemany(self._sql["ask_dead"], [{**lane, "seq": seq} for seq in step.asked])
            if step.state is State.DONE:
                changes = {"replay": (replay.id, replay.id), "counts": (None, dict(counts))}
                name = turn.connection.name
                write_audit(db, self._sql, replay.who, "replay.finished", name, changes, connection=replay.connection)
        return True

    def release(self, worker: str) -> None:
        """Give back every job that this worker holds."""
        self._database.run("release_replays", {"worker": worker})

    def _take(self, worker: str, connection: str, identifier: int, epoch: int) -> Turn | None:
        replay = self._replays.get(connection, identifier)
        if self._replays.waits(replay) is not None:
            return None
        job = {"connection": connection, "id": identifier, "epoch": epoch}
        if self._database.run("lease_replay", {**job, "worker": worker, "seconds": self._lease_seconds}) != 1:
            return None
        lent = self._connections.named(connection)
        try:
            return Turn(replay, lent, self._target(lent), epoch + 1)
        except SecretUnreadable as error:
            held = Step(replay.place, {}, replay.most, State.HELD, f"{Reason.KEY_UNREADABLE}: {error}")
            self.settle(Turn(replay, lent, Target("", Secret("")), epoch + 1), held)
            return None

    def _target(self, connection: Connection) -> Target:
        """Return where a connection delivers to; raise SecretUnreadable, and NotFound when it is gone."""
        row = self._database.row("target", {"connection": connection.id})
        if row is None:
            raise NotFound(f"connection {connection.name} was deleted")
        region, host, sealed = row
        return Target(host or self._hosts[Region(region)], self._open_secret(sealed))

    def _write_sending(self, db: sqlite3.Connection, replay: Replay, sending: Sending) -> None:
        """Write the tries down beside those of the lane; a dead letter that got through is dead no more."""
        lane = {"connection": replay.connection, "destination": replay.destination}
        tried = attempts(lane, sending.refs, sending.outcome, sending.decision, sending.started_at, sending.seconds)
        db.executemany(self._sql["add_attempt"], [{**row, "replay": True, "settled": False} for row in tried])
        if isinstance(sending.decision, Advance):
            dead = db.execute(self._sql["dead_between"], {**lane, "first": sending.refs[0], "last": sending.refs[-1]}).fetchall()
            forget_dead(db, self._sql, lane, sorted({seq for (seq,) in dead} & set(sending.refs)))


class SqlReplayable:
    """Read what replays work through, a page at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def events(self, replay: Replay) -> Page[Past]:
        """Read the next events of the log, at most as many as one request may hold."""
        span = {"connection": replay.connection, "after": replay.place, "until": replay.until}
        with self._database.read() as db:
            found, whole = self._read_events(db, span)
            read_to = replay.until if whole else found[-1].seq
            lane = {**span, "destination": replay.destination, "until": read_to}
            waiting = {seq for (seq,) in db.execute(self._sql["dead_waiting"], lane)}
        return Page([Past(*event[1:], waiting=event.seq in waiting) for event in found], read_to)

    def aside(self, replay: Replay) -> Page[Aside]:
        """Read the next rejects or filtered events."""
        statement = self._sql["wanted_rejects" if replay.kind is ReplayKind.REJECTS else "wanted_filtered"]
        place = replay.place
        with self._database.read() as db:
            for _ in range(_SPANS):
                to = min(place + _SPAN, replay.until)
                wanted = {**filters(replay), "connection": replay.connection, "place": place, "to": to, "most": _PAGE_ASIDE}
                items, whole = _fill(Aside._make(row) for row in db.execute(statement, wanted))
                if items or to == replay.until:
                    whole = whole and len(items) < _PAGE_ASIDE
                    return Page(items, to if whole else items[-1].id)
                place = to
        return Page([], place)

    def dead(self, replay: Replay) -> Page[int]:
        """Read the seqs of the next dead letters."""
        lane = {"connection": replay.connection, "destination": replay.destination}
        wanted = {**filters(replay), **lane, "place": replay.place, "to": replay.until, "most": _PAGE_ASIDE}
        seqs = [seq for (seq,) in self._database.rows("wanted_dead", wanted)]
        return Page(seqs, seqs[-1] if len(seqs) == _PAGE_ASIDE else replay.until)

    def reject(self, connection: str, identifier: int) -> Aside:
        """Find one reject; raise NotFound."""
        row = self._database.row("reject_aside", {"connection": connection, "id": identifier})
        if row is None:
            raise NotFound(f"there is no reject {identifier} on this connection; `rejects list` shows them")
        return Aside._make(row)

    def mended(self, connection: Connection, identifier: int, *, by: str) -> None:
        """Forget a reject whose edited bytes were accepted, and say so in the audit."""
        with self._database.write() as db:
            db.execute(self._sql["drop_reject"], {"connection": connection.id, "id": identifier})
            changes = {"reject": (identifier, None)}
            write_audit(db, self._sql, by, "reject.mended", connection.name, changes, connection=connection.id)

    def _read_events(self, db: sqlite3.Connection, span: dict[str, Any]) -> tuple[list[chunks.LoggedEvent], bool]:
        """Return events of a stretch, and whether these are all of it."""
        found: list[chunks.LoggedEvent] = []
        size = 0
        for row in db.execute(self._sql["past_chunks"], span):
            if found and (size > _PAGE_BYTES or len(found) >= BATCH_EVENTS):
                return found, False
            events = [event for event in chunks.logged(row) if span["after"] < event.seq <= span["until"]]
            found += events
            size += sum(len(event.message) + len(event.raw) for event in events)
        return found, True


def _fill(items: Iterator[Aside]) -> tuple[list[Aside], bool]:
    """Return items up to the bytes of a page, and whether these are all."""
    filled: list[Aside] = []
    size = 0
    for item in items:
        filled.append(item)
        size += len(item.raw)
        if size > _PAGE_BYTES:
            return filled, False
    return filled, True
