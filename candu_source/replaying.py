"""Work through replays step by step, one request or one small page at a time, below live traffic. A use case above intake."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from candu_source.deliveries import Advance, Again, Batch, Bisect, Bury, Hold, Outcome, Stored, Target
from candu_source.errors import Reason, StoreError
from candu_source.jobs import Aside, Page, Replay, ReplayKind, Sending, State, Step, Turn
from candu_source.limits import BATCH_BYTES, BATCH_EVENTS, Pace
from candu_source.model import Admission, Reject
from candu_source.ports import Destination, Hear, Log, Observer, Replayable, Stop, Turns
from candu_source.pulse import pulse
from candu_source.rehearing import CHANGED, FILTERED, REFUSED, UNCHANGED, Verdict, admit_aside, judge, no_door, tally
from candu_source.retry import decide

_SHARE = 0.25
_IDLE_SECONDS = 0.5
# What came of inputs, beside the words of `rehearing`.
ACCEPTED, ASKED, TURNED_AWAY = "accepted", "asked", "turned_away"


@dataclass(frozen=True, slots=True)
class Replayer:
    """Take jobs in turn and do a step of each.

    A job sends at most `events_per_second` and has one request under way. `name` holds the leases: who starts again under its name goes
    on at once, others after the lease.
    """

    turns: Turns
    replayable: Replayable
    log: Log
    doors: Mapping[str, Hear]
    destination: Destination[Target]
    pace: Pace
    observer: Observer
    name: str
    events_per_second: float

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set, then give the jobs back."""
        pulse(self.step, stop, self.observer, name="replay", share=_SHARE, idle_seconds=_IDLE_SECONDS)
        try:
            self.turns.release(self.name)
        except StoreError as error:
            self.observer.tell("store.failed", worker=self.name, error=str(error))

    def step(self, only: int | None = None) -> bool:
        """Do one step of a job that may go on, or of the one named; tell whether there was one. Raises StoreError."""
        turn = self.turns.take(self.name, only)
        if turn is None:
            return False
        step = self._guarded(turn)
        if step.place >= turn.replay.until and step.state is State.RUNNING:
            step = replace(step, state=State.DONE)
        if self.turns.settle(turn, step):
            self._tell(turn, step)
        return True

    def _guarded(self, turn: Turn) -> Step:
        """Hold a job that breaks: it must not end the delivery that runs beside."""
        try:
            match turn.replay.kind:
                case ReplayKind.EVENTS:
                    return self._send(turn)
                case ReplayKind.DEAD:
                    return self._ask(turn.replay)
                case _:
                    return self._admit(turn)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            return Step(turn.replay.place, {}, turn.replay.most, State.HELD, f"{Reason.INTERNAL}: {type(error).__name__}")

    def _send(self, turn: Turn) -> Step:
        replay = turn.replay
        page = self.replayable.events(replay)
        verdicts = [
            judge(event, turn.connection, self.doors.get(event.door, no_door), replay.wanted, replay.namespace) for event in page.items
        ]
        most = max(1, min(replay.most, int(self.events_per_second)))
        before, read_to = first_request(verdicts, most, page.read_to)
        counts = tally(replay.place, before, read_to)
        batch = Batch(tuple(Stored(each.event.ref, each.call, each.event.accepted_at) for each in before if each.call), replay=True)
        if not batch.events:
            return self._paced(replay, Step(read_to, counts, replay.most), 0)
        if wait := self.pace.take(turn.target, time.monotonic()):
            return Step(replay.place, {}, replay.most, failures=replay.failures, refusals=replay.refusals, due_at=time.time() + wait)
        sending = self._deliver(turn, batch)
        return self._paced(replay, after(replay, sending, counts, read_to), len(batch.events))

    def _deliver(self, turn: Turn, batch: Batch) -> Sending:
        replay, started_at, began = turn.replay, time.time(), time.perf_counter()
        try:
            outcome = self.destination.deliver(turn.target, batch, replay.failures)
        except Exception as error:  # noqa: BLE001 - what a far end provokes is its outcome
            outcome = Outcome(Reason.NETWORK, detail=f"the destination broke: {type(error).__name__}")
        chance = random.random()  # noqa: S311 - jitter
        decision = decide(outcome, batch, failures=replay.failures, refusals=replay.refusals, now=time.time(), chance=chance)
        return Sending([event.ref for event in batch.events], outcome, decision, started_at, time.perf_counter() - began)

    def _admit(self, turn: Turn) -> Step:
        """Let rejects or filtered events through their doors again; what is still refused or filtered stays where it is."""
        replay, counts = turn.replay, Counter[str]()
        page: Page[Aside] = self.replayable.aside(replay)
        taken: list[Admission] = []
        gone: list[int] = []
        refused: dict[int, Reject] = {}
        for item in page.items:
            admission = admit_aside(item, turn.connection, self.doors.get(item.door, no_door))
            what = leaves(admission)
            counts[what] += 1
            if admission.rejects:
                refused[item.id] = admission.rejects[0]
            elif what == ACCEPTED or replay.kind is ReplayKind.REJECTS:
                taken.append(admission)
                gone.append(item.id)
        for together in joined(taken):
            self.log.append(together)
        step = Step(page.read_to, counts, replay.most)
        if replay.kind is ReplayKind.REJECTS:
            step = replace(step, gone=gone, refused=refused)
        return self._paced(replay, step, len(page.items))

    def _ask(self, replay: Replay) -> Step:
        page = self.replayable.dead(replay)
        step = Step(page.read_to, {ASKED: len(page.items)}, replay.most, asked=page.items)
        return self._paced(replay, step, len(page.items))

    def _paced(self, replay: Replay, step: Step, inputs: int) -> Step:
        """Let the job rest for as long as so many inputs take at its rate, or longer where it was told to wait."""
        return replace(step, due_at=max(step.due_at, time.time() + inputs / self.events_per_second)) if inputs else step

    def _tell(self, turn: Turn, step: Step) -> None:
        replay, sending = turn.replay, step.sending
        for what, inputs in step.counts.items():
            self.observer.count("replayed", inputs, kind=replay.kind, result=what.partition(":")[0])
        met: dict[str, Any] = {}
        if sending is not None:
            decision = type(sending.decision).__name__.lower()
            met = {
                "events": len(sending.refs),
                "outcome": sending.outcome.code,
                "decision": decision,
                "ms": round(sending.seconds * 1000, 1),
            }
        self.observer.tell(
            "replay.stepped",
            connection=turn.connection.name,
            replay=replay.id,
            kind=replay.kind,
            state=step.state,
            detail=step.detail,
            counts=step.counts,
            **met,
        )


def first_request(verdicts: Sequence[Verdict], most: int, read_to: int) -> tuple[Sequence[Verdict], int]:
    """Return the verdicts up to the end of the first request that they fill, and the place that is reached with it.

    A request holds at most `most` calls, and no more bytes than Segment takes; the comma between two calls counts.
    """
    calls = size = 0
    for place, verdict in enumerate(verdicts):
        if verdict.call is None:
            continue
        size += len(verdict.call) + 1
        if calls and (calls == min(most, BATCH_EVENTS) or size > BATCH_BYTES):
            return verdicts[:place], verdict.event.ref - 1
        calls += 1
    return verdicts, read_to


def after(replay: Replay, sending: Sending, counts: Counter[str], read_to: int) -> Step:
    """Return where a job stands after a request: pure.

    What is refused is closed in on by requests of half the size, and those that get through double it again, so that a job that is
    taken up by another process needs to know no more than that size. An event that is refused alone was delivered once: it is counted,
    and is no dead letter.
    """
    stay = Step(replay.place, {}, replay.most, failures=replay.failures, refusals=replay.refusals, sending=sending)
    match sending.decision:
        case Advance():
            return Step(read_to, counts, min(BATCH_EVENTS, replay.most * 2), sending=sending)
        case Bury(reason):
            turned = counts - _sent_as(counts) + Counter({f"{TURNED_AWAY}:{reason}": 1})
            return Step(read_to, turned, replay.most, detail=sending.outcome.detail, refusals=replay.refusals + 1, sending=sending)
        case Bisect():
            return replace(stay, most=max(1, len(sending.refs) // 2))
        case Again(at):
            return replace(stay, failures=replay.failures + 1, due_at=at, detail=_met(sending))
        case Hold(reason):
            return replace(stay, state=State.HELD, detail=f"{reason}: {sending.outcome.detail}".rstrip(": "))


def _sent_as(counts: Counter[str]) -> Counter[str]:
    """Return the one event that a request held, as it was counted."""
    return Counter({what: 1 for what in counts if what in (CHANGED, UNCHANGED)})


def _met(sending: Sending) -> str:
    return f"{sending.outcome.code}: {sending.outcome.detail}".rstrip(": ")


def leaves(admission: Admission) -> str:
    """Say what becomes of a reject or a filtered event today."""
    if admission.rejects:
        return f"{REFUSED}:{admission.rejects[0].code}"
    return ACCEPTED if admission.events else f"{FILTERED}:{admission.filtered[0].reason}"


def joined(admissions: Iterable[Admission]) -> Iterator[Admission]:
    """Put what goes through the same door into one admission, to be committed together."""
    for door, some in groupby(sorted(admissions, key=lambda each: each.door), key=lambda each: each.door):
        parts = list(some)
        events = tuple(event for part in parts for event in part.events)
        filtered = tuple(item for part in parts for item in part.filtered)
        yield Admission(parts[0].connection_id, door, events, filtered)
