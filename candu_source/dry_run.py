"""Foretell what a replay of events would send, page by page, and how that differs from what was sent; nothing is sent or written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from candu_source.diffing import difference
from candu_source.jobs import Replay
from candu_source.model import Connection
from candu_source.ports import Hear, Replayable
from candu_source.rehearing import CHANGED, NOT_WANTED, UNCHANGED, Verdict, judge, no_door, tally

# So many differing fields are told apart, and so many events shown of each; hostile events may have a field of their own each.
MOST_FIELDS = 200
SAMPLES = 3
OTHER_FIELDS = "…"


class Sample(NamedTuple):
    """Show one event that differs at a field; old is None where the field is added, new where it is removed."""

    message_id: str
    old: Any
    new: Any


@dataclass(slots=True)
class Difference:
    """Gather how often one field is added, changed or removed, with samples."""

    path: str
    kind: str
    events: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class DryRun:
    """Work through a drafted replay of events.

    `counts` says what would come of the events, `differences` how the calls differ from what was sent, field by field (message ids in
    a namespace apart), `samples` names events by what would come of them. Each call, as it would go out, is handed to `call`.
    """

    replay: Replay
    connection: Connection
    doors: Mapping[str, Hear]
    replayable: Replayable
    call: Callable[[bytes], object] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    differences: dict[tuple[str, str], Difference] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def step(self) -> bool:
        """Look at one page and tell whether there is more."""
        replay = self.replay
        page = self.replayable.events(replay)
        verdicts = [
            judge(event, self.connection, self.doors.get(event.door, no_door), replay.wanted, replay.namespace) for event in page.items
        ]
        self.counts += tally(replay.place, verdicts, page.read_to)
        for verdict in verdicts:
            self._look(verdict)
        self.replay = replace(replay, place=page.read_to, looked_at=replay.looked_at + page.read_to - replay.place)
        return page.read_to < replay.until

    @property
    def calls(self) -> int:
        """Return how many calls would be sent."""
        return self.counts[CHANGED] + self.counts[UNCHANGED]

    def _look(self, verdict: Verdict) -> None:
        event = verdict.event
        if verdict.call is not None and self.call is not None:
            self.call(verdict.call)
        if verdict.what in (UNCHANGED, NOT_WANTED):
            return
        shown = self.samples.setdefault(verdict.what, [])
        if len(shown) < SAMPLES:
            shown.append(event.message_id)
        if verdict.message is not None:
            for change in difference(json.loads(event.message), json.loads(verdict.message)):
                self._count(change.path, change.kind, Sample(event.message_id, change.old, change.new))

    def _count(self, path: str, kind: str, sample: Sample) -> None:
        name = path if (path, kind) in self.differences or len(self.differences) < MOST_FIELDS else OTHER_FIELDS
        found = self.differences.setdefault((name, kind), Difference(name, kind))
        found.events += 1
        if len(found.samples) < SAMPLES:
            found.samples.append(sample)
