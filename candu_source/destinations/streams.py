"""Deliver the events of syncs one by one: what each met is said by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from candu_source.deliveries import Batch, Outcome, Stored, StreamTarget
from candu_source.destinations.masking import Masked
from candu_source.destinations.posting import Posted, Poster
from candu_source.destinations.writing import TemplateWriter, Writer, candu_writer
from candu_source.errors import CanduSourceError, Reason, StoreError, UsageError
from candu_source.integrations.choices import Choices
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.rendering import Compiled, Rendered, compile_payload
from candu_source.integrations.tile import Integration, Kind
from candu_source.limits import Pace
from candu_source.retry import FAILURES_THAT_BACK_OFF, fails, in_a_row, pause_within_attempt
from candu_source.streams import CANDU_API, TO_CANDU

# What a batch sends is settled together; so long it may take until then.
_BATCH_SECONDS = 8.0
# Rests shorter than this cost more than they save.
_LEAST_REST_SECONDS = 0.25
_MINUTE = 60


class Prepared(NamedTuple):
    """Hold an integration with its templates, compiled."""

    integration: Integration
    payloads: Mapping[Kind, Compiled]


@dataclass(slots=True)
class StreamDestination:
    """Implement ports.Destination for syncs. `find` returns the integration of a name, the same object while it is the same.

    `clock` (monotonic) and `sleep` are those of the pauses within an attempt.
    """

    poster: Poster
    find: Callable[[str], Integration]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _paces: dict[tuple[str, str, int], Pace] = field(default_factory=dict)

    def deliver(self, target: StreamTarget, batch: Batch, tries: int) -> Outcome:
        """Send the events of a batch one after the other until too many in a row fail, time is up, or the integration's rate is reached.

        `tries` are the events in a row that failed before. Every event that was tried has its Outcome in `each`.
        """
        try:
            writer = self.writer(target)
        except StoreError:
            raise  # nothing is off with the sync: its lane tries again
        except (CanduSourceError, TemplateError, KeyError, ValueError) as error:
            return Outcome(Reason.SYNC_INCOMPLETE, detail=str(error))
        return self._send(target, writer, batch.events, tries)

    def writer(self, target: StreamTarget) -> Writer:
        """Return what writes the requests of a sync. For one that is off, raise UsageError, TemplateError, KeyError or ValueError."""
        stream = target.stream
        if stream.integration == CANDU_API:
            return candu_writer(target)
        prepared = self._prepare(stream.integration)
        parameters = target.parameters
        if empty := next((each.name for each in prepared.integration.parameters if not parameters.get(each.name)), None):
            raise UsageError(f"parameters.{empty} is empty; the integration asks for it")
        choices, to_candu = Choices.read(stream.choices), stream.integration in TO_CANDU
        return TemplateWriter(prepared.integration, prepared.payloads, choices, parameters, to_candu=to_candu)

    def once(self, target: StreamTarget, event: Stored) -> tuple[Rendered | Outcome, Posted | None]:
        """Send one event, for a person who tests: without a second try, counted nowhere. Raises as `writer` does."""
        post, masked = next(iter(self.writer(target).steps([event]))).post, Masked(target.secrets.values())
        if isinstance(post, Outcome):
            return _masked(post, masked), None
        return post, self.poster.post(post, masked)

    def _send(self, target: StreamTarget, writer: Writer, events: Sequence[Stored], failures: int) -> Outcome:
        met: list[Outcome] = []
        masked = Masked(target.secrets.values())
        left_out = 0
        began, rest, steps = self.clock(), 0.0, writer.steps(events)
        while (step := next(steps, None)) is not None:
            if isinstance(step.post, Rendered) and (rest := self._rest(target, writer)):
                break
            outcome = self._attempt(step.post, masked) if isinstance(step.post, Rendered) else _masked(step.post, masked)
            some = events[len(met) : len(met) + step.events]
            if outcome.code is Reason.CONTENT_REFUSED and len(some) > 1:
                # One of them may be what is refused: they go by themselves, as those do that were tried before.
                steps = chain(writer.steps([event._replace(tries=event.tries + 1) for event in some]), steps)
                continue
            if outcome.code is Reason.ACCEPTED and step.left_out:
                left_out += step.left_out
                outcome = _masked(replace(outcome, detail=f"not sent as it stands: {step.told}"), masked)
            met += [outcome] * len(some)
            for event in some:
                failures = in_a_row(failures, outcome.code, event.tries)
            if _waits(outcome) or failures >= FAILURES_THAT_BACK_OFF or self.clock() - began > _BATCH_SECONDS:
                break
        return replace(_told(met, rest), left_out=left_out)

    def _attempt(self, request: Rendered, masked: Masked) -> Outcome:
        """Try a request, and within a few seconds again where that is all that it may take and nobody says to wait for longer."""
        began, tried = self.clock(), 1
        while True:
            outcome = self.poster.post(request, masked).outcome
            pause = pause_within_attempt(outcome.status, tried, self.clock() - began, random.random())  # noqa: S311 - jitter
            if pause is None or (outcome.retry_after or 0.0) > pause:
                return outcome
            self.sleep(pause)
            tried += 1

    def _prepare(self, name: str) -> Prepared:
        integration = self.find(name)
        prepared = self._prepared.get(name)
        if prepared is None or prepared.integration is not integration:
            payloads = {kind: compile_payload(payload) for kind, payload in integration.payloads.items()}
            prepared = self._prepared[name] = Prepared(integration, payloads)
        return prepared

    def _rest(self, target: StreamTarget, writer: Writer) -> float:
        """Return the seconds until the integration's rate lets a request through; 0 when it does now, and has been counted."""
        if not isinstance(writer, TemplateWriter) or not (most := writer.integration.requests_per_minute):
            return 0.0
        key, now = (target.stream.connection, target.stream.name, most), self.clock()
        pace = self._paces.setdefault(key, Pace(rate=most / _MINUTE, key_rate=most / _MINUTE, now=now))
        wait = pace.take(key, now)
        return max(_LEAST_REST_SECONDS, wait) if wait else 0.0


def _masked(outcome: Outcome, masked: Masked) -> Outcome:
    """Take secrets out of what is said of an event: it may tell an address that has one in it."""
    return replace(outcome, detail=masked.sample(outcome.detail.encode("utf-8", "replace")))


def _waits(outcome: Outcome) -> bool:
    """Tell whether the far end says when it wants to hear more."""
    return outcome.retry_after is not None and fails(outcome.code)


def _told(met: Sequence[Outcome], rest: float) -> Outcome:
    """Return what a batch met: the first thing that went wrong stands for it, and it ends where the far end says to wait."""
    worst = next((each for each in met if fails(each.code)), None)
    wrong = worst or next((each for each in met if each.code in (Reason.CONTENT_REFUSED, Reason.DISCARDED)), None)
    wait = rest or (met[-1].retry_after if met and _waits(met[-1]) else None)
    if wrong is None:
        return Outcome(Reason.ACCEPTED, retry_after=wait, each=tuple(met))
    return Outcome(wrong.code, wrong.status, wrong.detail, wait, tuple(met))
