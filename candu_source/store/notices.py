"""Keep notices: read the signals that they are judged by, open what is new, close what is healed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from candu_source import confirming
from candu_source.confirming import Evidence, Verdict
from candu_source.errors import NotFound
from candu_source.noticing import (
    DEAD_SECONDS,
    MOST_DEAD,
    UNCONFIRMED,
    ConnectionSigns,
    Found,
    HeldReplay,
    LaneSigns,
    Signals,
    WarehouseSigns,
)
from candu_source.silence import HOUR, LEARNED_SECONDS, NOTHING, Usual, usual
from candu_source.store.sqlite import Database

# A cause that is there is written down this often; a notice closes when its cause was not written down for so long. A cause that comes and
# goes within less than 40 s therefore stays one open notice.
_SEE_SECONDS, _HEAL_SECONDS = 20.0, 60.0
# Learning when a connection's events come takes some milliseconds: so many connections a reading.
_LEARN_MOST = 20
_EVERY = 2**62


class KeptNotice(NamedTuple):
    """Hold one notice; `connection` is an id, empty for the whole service; times since the epoch."""

    id: int
    connection: str
    connection_name: str
    cause: str
    subject: str
    urgency: int
    text: str
    opened_at: float
    seen_at: float
    closed_at: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what there is one open notice of."""
        return self.connection, self.cause, self.subject


class SqlNotices:
    """Read signals, reconcile what was found with what is open, list. Implements sentinel.Notices."""

    def __init__(
        self,
        database: Database,
        unreadable_keys: Callable[[], list[str]],
        evidence: Callable[..., Evidence],
        *,
        quiet_seconds: float,
        keep_seconds: float,
    ) -> None:
        self._database = database
        self._sql = database.sql
        self._evidence = evidence
        self._unreadable_keys = unreadable_keys
        self._quiet_seconds = quiet_seconds
        self._keep_seconds = keep_seconds
        # What was learned of connections that are quiet, by connection: the last event up to which, and what is usual.
        self._learned: dict[str, tuple[float, Usual]] = {}

    def signals(self, now: float, listening_since: float) -> Signals:
        """Read all signs, each by a seek or from a small table; raise StoreError.

        What was delivered before `listening_since` could not come back, and tells nothing against a lane.
        """
        rows = self._database.rows("lane_signs", {"dead_since": now - DEAD_SECONDS, "most_dead": MOST_DEAD})
        lanes = [LaneSigns._make((*row[:3], bool(row[3]), *row[4:])) for row in rows]
        return Signals(
            lanes=lanes,
            warehouses=[WarehouseSigns._make(row) for row in self._database.rows("warehouse_signs")],
            confirm=dict(self._verdicts(lanes, now, listening_since)),
            connections=list(self._connections(now)),
            replays=[HeldReplay._make(row) for row in self._database.rows("held_replays")],
            free_bytes=shutil.disk_usage(self._database.path.parent).free,
            used_bytes=self._database.used_bytes(),
        )

    def reconcile(self, found: Sequence[Found], now: float) -> None:
        """Open what is new, see what is still there, close what has not been seen for a minute; with posts to the channels, together."""
        there = {known.key: known for known in self.open()}
        keys = {each.key for each in found}
        new = [each for each in found if each.key not in there]
        seen = [each for each in found if each.key in there and _is_past(there[each.key].seen_at, _SEE_SECONDS, now)]
        healed = [known for key, known in there.items() if key not in keys and _is_past(known.seen_at, _HEAL_SECONDS, now)]
        if not (new or seen or healed):
            return
        with self._database.write() as db:
            for each in new:
                self._open(db, each, now)
            db.executemany(self._sql["see_notice"], [{**each._asdict(), "now": now} for each in seen])
            for known in healed:
                self._close(db, known, now)

    def _open(self, db: sqlite3.Connection, found: Found, now: float) -> None:
        opened = db.execute(self._sql["open_notice"], {**found._asdict(), "now": now}).fetchone()
        if opened:
            db.execute(self._sql["post_opened"], {"id": opened[0], "connection": found.connection, "now": now})

    def _close(self, db: sqlite3.Connection, known: KeptNotice, now: float) -> None:
        closing = {"id": known.id, "connection": known.connection, "seen_at": known.seen_at, "now": now}
        if db.execute(self._sql["close_notice"], closing).rowcount:
            db.execute(self._sql["post_closed"], closing)

    def forget(self, now: float) -> None:
        """Forget notices that have been closed for as long as rejects are kept."""
        wanted = {"cutoff": now - self._keep_seconds}
        if self._database.row("expired_notices", wanted):
            self._database.run("forget_notices", wanted)

    def open(self, connection: str | None = None) -> list[KeptNotice]:
        """List open notices, of one connection's id or all (those of the whole service included), the most urgent and oldest first."""
        rows = self._database.rows("notices", {"connection": connection, "closed": False, "most": _EVERY})
        return sorted(map(KeptNotice._make, rows), key=lambda notice: (notice.urgency, notice.opened_at, notice.id))

    def recent(self, connection: str | None, most: int) -> list[KeptNotice]:
        """List notices, open and closed, of one connection's id or all, latest first."""
        rows = self._database.rows("notices", {"connection": connection, "closed": True, "most": most})
        return [KeptNotice._make(row) for row in rows]

    def causes(self) -> dict[str, int]:
        """Count open notices by cause."""
        return dict(self._database.rows("open_causes"))

    def _verdicts(self, lanes: Sequence[LaneSigns], now: float, listening_since: float) -> Iterator[tuple[tuple[str, str], Verdict]]:
        """Judge readback; where a notice is open what was delivered earlier counts on, so that a restart does not close it."""
        noticed = {(each.connection, each.subject) for each in self.open() if each.cause in UNCONFIRMED.values()}
        for lane in lanes:
            place = lane.connection, lane.destination
            try:
                evidence = self._evidence(*place, now, listening_since=0.0 if place in noticed else listening_since)
            except NotFound:
                continue  # it was deleted just now
            yield place, confirming.judge(evidence, now)

    def _connections(self, now: float) -> Iterator[ConnectionSigns]:
        unreadable = set(self._unreadable_keys())
        rows = self._database.rows("connection_signs")
        self._learn({identifier: last for identifier, _, last, _ in rows if last is not None and now - last >= self._quiet_seconds})
        for identifier, name, last, changes in rows:
            _, known = self._learned.get(identifier, (last, NOTHING))
            yield ConnectionSigns(identifier, name, last, known, identifier not in unreadable, changes)

    def _learn(self, quiet: dict[str, float]) -> None:
        """Learn of connections that are quiet when their events usually come, of a few at a time; forget those that are quiet no more."""
        self._learned = {identifier: known for identifier, known in self._learned.items() if quiet.get(identifier) == known[0]}
        for identifier in islice((each for each in quiet if each not in self._learned), _LEARN_MOST):
            last = quiet[identifier]
            before = int(last // HOUR) * HOUR
            wanted = {"connection": identifier, "first": before - LEARNED_SECONDS, "before": before}
            self._learned[identifier] = last, usual(dict(self._database.rows("accepted_by_hour", wanted)), last)


def _is_past(since: float, seconds: float, now: float) -> bool:
    """Tell whether so much time has passed; of a clock that jumped back nobody knows, so it counts as passed."""
    return not 0 <= now - since < seconds
