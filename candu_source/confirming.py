"""Judge from what Segment sent back whether it stores what it accepts: pure, `now` an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

# An event that was not sent back after so many seconds counts as evidence: webhooks come back within a few seconds, and what is
# lost has to be noticed within a minute. Where they take longer, twice that is waited, up to ten minutes.
GRACE_SECONDS = 30.0
LONGEST_GRACE_SECONDS = 600.0
# How slow they usually are is followed by a step up for each that is slower and a smaller one down for each that is not: the two
# are in balance where one of twenty is slower, so that few late ones change nothing.
_SLOWER, _FASTER = 1.5, 0.98
# Of a lane's tries about so many events are looked at, none older than this.
SAMPLE_EVENTS = 200
WINDOW_SECONDS = 6 * 3600.0
# Segment, "Webhooks": what our door does not take is sent again for up to 4 hours. Until then few events in a row may be late by
# chance, so fewer events need more time: (seconds that all of them have waited, events).
_SILENT: Sequence[tuple[float, int]] = ((0.0, 10), (600.0, 3), (4.5 * 3600, 1))
# Segment, "Webhooks" and "Webhooks (Actions)": what the destination is called in an integrations object.
_WEBHOOKS = ("Webhooks", "Webhook", "Webhooks (Actions)")
# At the first events of a key there is no chance involved but that of a single late batch.
_NEVER: Sequence[tuple[float, int]] = ((0.0, 3), (600.0, 1))
# Of 200 events with each 50th late, 20 are late together once in a hundred million times.
FALLING_SHARE = 0.1
_FALLING_LEAST, _FALLING_OF = 10, 40
# So many events sent back without a gap prove that an earlier gap is over: where a tenth is dropped that happens once in 70 times.
_HEALED_EVENTS = 40


class State(StrEnum):
    """Say how an accepted event fares at Segment, as far as a lane's evidence goes."""

    NOT_SET_UP = "not_set_up"
    WAITING = "waiting"
    HEALTHY = "healthy"
    NEVER_CONFIRMED = "never_confirmed"
    SILENT = "silent"
    FALLING = "falling"


class Cause(StrEnum):
    """Name what may keep events from coming back."""

    EXCLUDED = "webhooks_excluded"
    WRONG_REGION = "wrong_region"
    UNKNOWN_KEY = "unknown_key"
    SOURCE_DISABLED = "source_disabled"
    DROPPED = "dropped"
    WEBHOOK_OFF = "webhook_off"
    PLAN_LIMIT = "plan_limit"


# What a person does about each cause.
ADVICE: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.EXCLUDED: "the connection's integrations object keeps events from Segment's Webhooks destination; allow it there",
        Cause.WRONG_REGION: "the write key belongs to Segment's other region; `candu-source connections set NAME --region us|eu`",
        Cause.UNKNOWN_KEY: "Segment does not know the write key; copy it anew with `candu-source connections set NAME --write-key -`",
        Cause.SOURCE_DISABLED: "the source is switched off in Segment; enable it in the source's settings there",
        Cause.DROPPED: "Segment drops a part; look for blocked events, filters and a tracking plan in the source's schema there",
        Cause.WEBHOOK_OFF: "the Webhooks destination in Segment is off, has no mapping for this call, or posts to another address",
        Cause.PLAN_LIMIT: "the workspace is over the limits of its plan; see its usage page in Segment",
    }
)


class Sent(NamedTuple):
    """Hold one delivered batch: when its answer came (epoch seconds), its events, and how many of them were sent back."""

    ended_at: float
    events: int
    confirmed: int


class Probed(NamedTuple):
    """Hold what came of asking the other region: when, whether it answered 2xx, and when the event was sent back."""

    at: float
    accepted: bool
    returned_at: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold what is known of one lane's confirmations.

    `sent` are its latest delivered batches, newest first, each at least `grace` seconds old and delivered while events could come
    back; `ready` says that there is a readback address, `regional` that a region was chosen (not a host of its own), `excluded`
    that the connection's own integrations object keeps events from coming back. Times are epoch seconds.
    """

    ready: bool
    grace: float = GRACE_SECONDS
    sent: Sequence[Sent] = ()
    first_confirmed_at: float | None = None
    last_confirmed_at: float | None = None
    probed: Probed | None = None
    regional: bool = False
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say how a lane fares and why, the likeliest cause first; `share` of the events sent back lately, 0 to 1, where it counts."""

    state: State
    causes: tuple[Cause, ...] = ()
    share: float | None = None

    @property
    def cause(self) -> Cause | None:
        """Return the likeliest cause, None where nothing is wrong."""
        return self.causes[0] if self.causes else None


def judge(evidence: Evidence, now: float) -> Verdict:
    """Return how the lane fares."""
    if not evidence.ready:
        return Verdict(State.NOT_SET_UP)
    if evidence.first_confirmed_at is None:
        never = _long_enough(evidence, _NEVER, now)
        return Verdict(State.NEVER_CONFIRMED, causes_of_nothing(evidence, now), 0.0) if never else Verdict(State.WAITING)
    share = _share(evidence.sent)
    if _is_quiet(evidence, now) and _long_enough(evidence, _SILENT, now):
        return Verdict(State.SILENT, _first(evidence, Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT), share)
    if _is_falling(evidence.sent):
        return Verdict(State.FALLING, _first(evidence, Cause.DROPPED, Cause.PLAN_LIMIT, Cause.WEBHOOK_OFF), share)
    return Verdict(State.HEALTHY, share=share)


def causes_of_nothing(evidence: Evidence, now: float) -> tuple[Cause, ...]:
    """Return why nothing has come back with the key in force, the likeliest cause first."""
    probed = evidence.probed
    if probed and probed.returned_at is not None:
        return (Cause.WRONG_REGION,)
    in_vain = probed is not None and probed.accepted and now - probed.at >= evidence.grace
    region = (Cause.WRONG_REGION,) if evidence.regional and not in_vain else ()
    return _first(evidence, *region, Cause.UNKNOWN_KEY, Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT)


def explain(verdict: Verdict) -> str:
    """Return a verdict as a sentence or two: what happened, and what to do about the likeliest cause."""
    missing = f"{1 - (verdict.share or 0):.0%}"
    what = {
        State.NOT_SET_UP: "No readback address: what Segment accepts counts as delivered, and nobody knows whether it was stored.",
        State.WAITING: "Waiting for the first events to come back from Segment.",
        State.HEALTHY: "Segment sends back what it accepts.",
        State.NEVER_CONFIRMED: "Segment accepts events with this write key, and none has ever come back.",
        State.SILENT: "Segment accepts events, and they have stopped coming back.",
        State.FALLING: f"Segment accepts events, and {missing} of them do not come back.",
    }[verdict.state]
    return f"{what} Likely: {ADVICE[verdict.cause]}." if verdict.cause else what


def excludes_webhooks(integrations: Mapping[str, bool]) -> bool:
    """Tell whether a connection's integrations object keeps its events from Segment's Webhooks destination, by whichever name."""
    stated = [integrations[name] for name in _WEBHOOKS if name in integrations]
    return not any(stated) if stated else integrations.get("All") is False


def usual_delay(known: float, delay: float) -> float:
    """Return the delay that 19 of 20 events keep within, as known so far (0: not at all) and corrected by one more; all in seconds."""
    if known == 0.0:
        return delay
    return min(delay, known * _SLOWER) if delay > known else max(delay, known * _FASTER)


def grace_seconds(delay: float) -> float:
    """Return how long to wait for an event to come back, given the usual delay, in seconds."""
    return min(LONGEST_GRACE_SECONDS, max(GRACE_SECONDS, 2 * delay))


def _first(evidence: Evidence, *causes: Cause) -> tuple[Cause, ...]:
    return (Cause.EXCLUDED, *causes) if evidence.excluded else causes


def _is_quiet(evidence: Evidence, now: float) -> bool:
    return evidence.last_confirmed_at is None or now - evidence.last_confirmed_at >= evidence.grace


def _long_enough(evidence: Evidence, table: Iterable[tuple[float, int]], now: float) -> bool:
    """Tell whether enough events in a row, up to the latest, have waited for long enough."""
    waiting: list[Sent] = []
    for each in evidence.sent:
        if each.confirmed:
            break
        waiting.append(each)
    return any(
        sum(each.events for each in waiting if now - each.ended_at >= max(seconds, evidence.grace)) >= least for seconds, least in table
    )


def _is_falling(sent: Sequence[Sent]) -> bool:
    events, missing = _missing(sent)
    if events < _FALLING_OF or missing < max(_FALLING_LEAST, FALLING_SHARE * events):
        return False
    return _missing(_latest(sent, _HEALED_EVENTS))[1] > 0


def _latest(sent: Sequence[Sent], events: int) -> Sequence[Sent]:
    """Return the newest batches that hold so many events together."""
    seen = 0
    for place, each in enumerate(sent):
        seen += each.events
        if seen >= events:
            return sent[: place + 1]
    return sent


def _missing(sent: Iterable[Sent]) -> tuple[int, int]:
    """Return events, and those of them that did not come back."""
    counts = [(each.events, each.events - each.confirmed) for each in sent]
    return sum(events for events, _ in counts), sum(missing for _, missing in counts)


def _share(sent: Sequence[Sent]) -> float | None:
    events, missing = _missing(sent)
    return None if not events else (events - missing) / events
