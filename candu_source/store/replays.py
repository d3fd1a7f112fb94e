"""Draft, start, list, cancel and resume replays; who did it stands in the audit."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import msgspec

from candu_source.deliveries import LaneKind
from candu_source.errors import NotFound, UsageError
from candu_source.jobs import FILTERS, Replay, ReplayKind, State, Wanted
from candu_source.limits import BATCH_EVENTS
from candu_source.model import Connection
from candu_source.store.audit import Changes, write_audit
from candu_source.store.chunks import find_seq
from candu_source.store.connections import SEGMENT_LANE
from candu_source.store.sqlite import Database

# An event that waits longer than this means that the live lane is behind, and replays wait for it.
BEHIND_SECONDS = 2.0
_NAMESPACE_BYTES = 4
_read_wanted = msgspec.json.Decoder(Wanted).decode


class SqlReplays:
    """Keep the jobs; every call names its connection."""

    def __init__(self, database: Database, *, lease_seconds: float) -> None:
        self._database = database
        self._sql = database.sql
        self._lease_seconds = lease_seconds
        self._spans: Mapping[ReplayKind, Callable[[Replay], Replay]] = {
            ReplayKind.EVENTS: self._span_events,
            ReplayKind.REJECTS: lambda draft: self._span_aside(draft, "count_rejects"),
            ReplayKind.FILTERED: lambda draft: self._span_aside(draft, "count_filtered"),
            ReplayKind.DEAD: self._span_dead,
        }

    def draft(
        self, connection: Connection, kind: ReplayKind, wanted: Wanted, *, destination: str = SEGMENT_LANE, as_new: bool = False
    ) -> Replay:
        """Return a job that is not started, its `total` counted: events of the log in that time, else the inputs that match.

        Events that the lane has not ended yet are not among them: they go out by today's mapping anyway. `as_new` mints a namespace for
        message ids. Raises UsageError for a filter that this kind does not take, a time that ends before it begins, an unknown lane,
        that of a warehouse, and for events on a sync's.
        """
        _insist(kind, wanted, as_new=as_new)
        lane = self._database.row("live_lane", {"connection": connection.id, "destination": destination})
        if lane is None:
            raise UsageError(f"{connection.name} has no lane {destination!r}; `ledger` shows its lanes")
        if lane[-1] == LaneKind.WAREHOUSE:
            raise UsageError(f"{destination} is a warehouse; `warehouse backfill --warehouse {destination}` loads it again")
        if lane[-1] == LaneKind.STREAM and kind is ReplayKind.EVENTS:
            raise UsageError(f"{destination} is a sync: it sends events as they come, once; its dead letters can be sent again")
        namespace = secrets.token_hex(_NAMESPACE_BYTES) if as_new else None
        empty = Replay(0, connection.id, kind, destination, wanted, namespace, total=0, place=0, until=0, most=BATCH_EVENTS)
        return self._spans[kind](empty)

    def start(self, connection: Connection, draft: Replay, *, by: str, worker: str | None = None) -> Replay:
        """Start a drafted job and return it; `worker` holds it from the beginning. Raises UsageError when there is nothing to send."""
        if not draft.total:
            raise UsageError(f"nothing of {connection.name} matches; there is nothing to send again")
        row = {**asdict(draft), "wanted": msgspec.json.encode(draft.wanted).decode(), "who": by, "worker": worker}
        with self._database.write() as db:
            made = db.execute(self._sql["add_replay"], {**row, "seconds": self._lease_seconds}).lastrowid
            assert made is not None
            changes: dict[str, tuple[Any, Any]] = {
                "replay": (None, made),
                "kind": (None, draft.kind),
                "destination": (None, draft.destination),
                "inputs": (None, draft.total),
                **{name: (None, value) for name, value in asdict(draft.wanted).items() if value is not None},
            }
            if draft.namespace:
                changes["namespace"] = (None, draft.namespace)
            self._audit(db, by, "replay.started", connection, changes)
        return self.get(connection.id, made)

    def get(self, connection: str, identifier: int) -> Replay:
        """Find one job; raise NotFound."""
        row = self._database.row("replay", {"connection": connection, "id": identifier})
        if row is None:
            raise NotFound(f"there is no replay {identifier} on this connection; `replay list` shows them")
        return _read(row)

    def all(self, connection: str, most: int = 50) -> list[Replay]:
        """List jobs, latest first."""
        return [_read(row) for row in self._database.rows("replays", {"connection": connection, "most": most})]

    def cancel(self, connection: Connection, identifier: int, *, by: str) -> Replay:
        """Stop a job where it is; a request that is under way is still counted. Raises NotFound and UsageError."""
        return self._turn(connection, identifier, State.CANCELLED, "replay.cancelled", by, before=(State.RUNNING, State.HELD))

    def resume(self, connection: Connection, identifier: int, *, by: str) -> Replay:
        """Let a held or cancelled job go on where it stopped. Raises NotFound and UsageError."""
        return self._turn(connection, identifier, State.RUNNING, "replay.resumed", by, before=(State.HELD, State.CANCELLED))

    def waits(self, replay: Replay) -> str | None:
        """Say what a running job of events waits for, None for nothing: live events go first."""
        if replay.kind is not ReplayKind.EVENTS:
            return None
        lane = {"connection": replay.connection, "destination": replay.destination}
        return _waits(self._database.row("live_lane", lane))

    def _turn(self, connection: Connection, identifier: int, to: State, action: str, by: str, *, before: tuple[State, ...]) -> Replay:
        found = self.get(connection.id, identifier)
        if found.state not in before:
            raise UsageError(f"replay {identifier} is {found.state}; only one that is {' or '.join(before)} can be {action[7:]}")
        with self._database.write() as db:
            change = {"connection": connection.id, "id": identifier, "before": found.state, "state": to}
            if db.execute(self._sql["turn_replay"], change).rowcount:
                self._audit(db, by, action, connection, {"replay": (identifier, identifier), "state": (found.state, to)})
        return self.get(connection.id, identifier)

    def _audit(self, db: sqlite3.Connection, by: str, action: str, connection: Connection, changes: Changes) -> None:
        write_audit(db, self._sql, by, action, connection.name, changes, connection=connection.id)

    def _span_events(self, draft: Replay) -> Replay:
        lane = {"connection": draft.connection, "destination": draft.destination}
        after, until = self._database.row("delivered_span", lane)
        if draft.wanted.until is not None:
            until = self._last_before(draft.connection, draft.wanted.until, after, until)
        if draft.wanted.since is not None:
            after = self._last_before(draft.connection, draft.wanted.since, after, until)
        return replace(draft, place=after, until=max(after, until), total=max(0, until - after))

    def _last_before(self, connection: str, moment: float, low: int, high: int) -> int:
        """Return the last seq that was accepted before a moment, by bisection: times grow with seqs, save where a clock jumped back."""
        while low < high:
            middle = (low + high) // 2 + 1
            row = self._database.row("chunk_at", {"connection": connection, "seq": middle})
            if row is None or row[0] < moment:
                low = min(high, row[1]) if row else middle
            else:
                high = min(middle - 1, row[1] - row[2])
        return low

    def _span_aside(self, draft: Replay, count: str) -> Replay:
        total, last = self._database.row(count, {"connection": draft.connection, **filters(draft)})
        if draft.wanted.ids is not None and total < len(set(draft.wanted.ids)):
            raise NotFound("not all of these rejects are on this connection; `rejects list` shows them")
        return replace(draft, total=total, until=last)

    def _span_dead(self, draft: Replay) -> Replay:
        seq = None
        if draft.wanted.message is not None:
            with self._database.read() as db:
                seq = find_seq(db, self._sql, draft.connection, draft.wanted.message)
            if seq is None:
                return draft
        wanted = {"connection": draft.connection, "destination": draft.destination, "seq": seq, **filters(draft)}
        total, last = self._database.row("count_dead", wanted)
        return replace(draft, total=total, until=last, place=0 if seq is None else seq - 1)


def filters(replay: Replay) -> dict[str, Any]:
    """Return what the statements bind of a job's filters."""
    wanted = replay.wanted
    ids = None if wanted.ids is None else json.dumps(wanted.ids)
    return {"since": wanted.since, "until": wanted.until, "event": wanted.event, "reason": wanted.reason, "ids": ids}


def _insist(kind: ReplayKind, wanted: Wanted, *, as_new: bool) -> None:
    for name, value in asdict(wanted).items():
        if value is not None and name not in FILTERS[kind]:
            raise UsageError(f"a replay of {kind} cannot be narrowed by {name}; it takes {', '.join(sorted(FILTERS[kind]))}")
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise UsageError("until must be later than since")
    if as_new and kind is not ReplayKind.EVENTS:
        raise UsageError(f"only events can be sent under new message ids; {kind} keep theirs")


def _waits(lane: Any) -> str | None:
    if lane is None:
        return "the lane is gone"
    paused, off, held, failures, behind, _ = lane
    if paused:
        return "the connection is paused"
    if off:
        return "the lane is off"
    if held:
        return f"the lane is held: {held}"
    if failures:
        return "the lane's own events do not get through at the moment"
    return "live events go first, and some wait" if behind is not None and behind > BEHIND_SECONDS else None


def _read(row: Any) -> Replay:
    (identifier, connection, kind, destination, wanted, namespace, total, place, until, most, state, detail, looked_at, counts, *rest) = row
    return Replay(
        identifier,
        connection,
        ReplayKind(kind),
        destination,
        _read_wanted(wanted),
        namespace,
        total,
        place,
        until,
        most,
        State(state),
        detail,
        looked_at,
        json.loads(counts),
        *rest,
    )
