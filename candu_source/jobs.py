"""Hold what replays speak of as frozen values: the job, a turn at it, what it reads, and what a step of it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from candu_source.deliveries import Decision, Outcome, Target
from candu_source.model import Connection, Reject


class ReplayKind(StrEnum):
    """Say what a replay works through."""

    EVENTS = "events"
    REJECTS = "rejects"
    FILTERED = "filtered"
    DEAD = "dead"


class State(StrEnum):
    """Say where a replay stands; held and cancelled ones can be resumed."""

    RUNNING = "running"
    HELD = "held"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say which inputs to send again; None for any.

    `since` (included) and `until` (not) are seconds since the epoch: when it was accepted, refused last or died. `event` is a name as
    Candu or Segment knows it, `user` a user id or anonymous id, `reason` a reason code, `message` a dead letter's message id, `ids` are
    ids of rejects. Which of them a replay takes depends on its kind (`FILTERS`).
    """

    since: float | None = None
    until: float | None = None
    event: str | None = None
    user: str | None = None
    reason: str | None = None
    message: str | None = None
    ids: tuple[int, ...] | None = None


FILTERS: Mapping[ReplayKind, frozenset[str]] = {
    ReplayKind.EVENTS: frozenset({"since", "until", "event", "user"}),
    ReplayKind.REJECTS: frozenset({"since", "until", "reason", "ids"}),
    ReplayKind.FILTERED: frozenset({"since", "until", "reason", "event"}),
    ReplayKind.DEAD: frozenset({"since", "until", "reason", "message"}),
}


@dataclass(frozen=True, slots=True)
class Replay:
    """Describe one job; `id` is 0 while it is not started.

    It works through the inputs beyond `place` up to `until`, `looked_at` of `total` inputs by now; `counts` says what came of them.
    `most` is the number of events that the next request may hold.
    """

    id: int
    connection: str
    kind: ReplayKind
    destination: str
    wanted: Wanted
    namespace: str | None
    total: int
    place: int
    until: int
    most: int
    state: State = State.RUNNING
    detail: str = ""
    looked_at: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0
    refusals: int = 0
    due_at: float = 0.0
    who: str = ""
    created_at: float = 0.0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold a job taken under a lease, with what it needs; `lease` belongs to the store."""

    replay: Replay
    connection: Connection
    target: Target
    lease: object = None


class Past(NamedTuple):
    """Hold one event of the log; `ref` is its place there, `waiting` marks a dead letter that is on its way out already."""

    ref: int
    message_id: str
    accepted_at: float
    door: str
    message: bytes
    raw: bytes
    waiting: bool


class Aside(NamedTuple):
    """Hold one reject or filtered event; `message_id` is None for a reject, which has none."""

    id: int
    door: str
    received_at: float
    message_id: str | None
    raw: bytes


Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """Hold the next inputs of a job; nothing more of it stands up to `read_to`."""

    items: Sequence[Item]
    read_to: int


class Sending(NamedTuple):
    """Hold one request that a replay made: the places of its events, what it met and meant, when it began, and its seconds."""

    refs: Sequence[int]
    outcome: Outcome
    decision: Decision
    started_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """Report one step: how far the job is now, what came of the inputs in between, and when it goes on.

    `sending` is the request that was made, `gone` are ids of rejects that were accepted and leave their shelf, `refused` says of
    others why they are refused today, `asked` are places of dead
    letters that the lane is to send again.
    """

    place: int
    counts: Mapping[str, int]
    most: int
    state: State = State.RUNNING
    detail: str = ""
    failures: int = 0
    refusals: int = 0
    due_at: float = 0.0
    sending: Sending | None = None
    gone: Sequence[int] = ()
    refused: Mapping[int, Reject] = field(default_factory=dict)
    asked: Sequence[int] = ()
