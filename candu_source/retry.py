"""Decide what a try's outcome means for its lane: pure, `now` and chance are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from candu_source.deliveries import Advance, Again, Batch, Bisect, Bury, Decision, Filter, Hold, Outcome, Park, Singly, Verdict
from candu_source.errors import Reason

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
_DOUBLINGS = 9  # 1 s doubled nine times is beyond the longest wait
# So many single events refused with none accepted in between is not about their content.
REFUSALS_THAT_HOLD = 20
# The longest Retry-After believed: a day. A longer one is a mistake at the far end, and a person should see it.
LONGEST_RETRY_AFTER_SECONDS = 86_400.0

# Segment, analytics-python's consumer: retryable answers are 408, 410, 429, 460 and 5xx except 501, 505 and 511 (OAuth only).
_RETRYABLE_4XX = frozenset({408, 410, 429, 460})
_NOT_RETRYABLE_5XX = frozenset({501, 505, 511})
# Answers that are about what was sent: close in on the event that is refused.
_ABOUT_CONTENT = frozenset({400, 413, 422})

# Amplitude, "Event streaming": one attempt and nine more within four hours, whatever the error. The spacing is not published; 28 s
# doubled each time fills four hours, and so does a jitter that only shortens it.
STREAM_ATTEMPTS = 10
STREAM_FIRST_WAIT_SECONDS = 28.0
STREAM_JITTER = 0.1
TRIES_WITHIN_ATTEMPT, ATTEMPT_SECONDS = 3, 4.0
FIRST_PAUSE_SECONDS, PAUSE_JITTER = 0.1, 0.5
# So many events in a row that a sync does not get through are not about the events. The lane then tries again when one of them is due;
# another one at least every five minutes, as those may be what the far end stumbles over.
FAILURES_THAT_BACK_OFF = 5
LONGEST_BACK_OFF_SECONDS = 300.0
_PASSED_OVER = frozenset({Reason.NOT_SELECTED, Reason.UNSUPPORTED_CALL, Reason.ECHO})

_AGAIN = frozenset({Reason.NETWORK, Reason.TIMEOUT, Reason.THROTTLED, Reason.SERVER_ERROR})


def classify(status: int, message: str) -> Reason:
    """Name what an HTTP answer of Segment means; `message` is the answer's own text."""
    if 200 <= status < 300:  # noqa: PLR2004 - the 2xx class
        return Reason.ACCEPTED
    if status in (401, 403) or "write key" in message.lower():
        return Reason.KEY_REFUSED
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Reason.THROTTLED
    if status in _RETRYABLE_4XX or (500 <= status < 600 and status not in _NOT_RETRYABLE_5XX):  # noqa: PLR2004 - the 5xx class
        return Reason.SERVER_ERROR
    return Reason.CONTENT_REFUSED if status in _ABOUT_CONTENT else Reason.ENDPOINT_WRONG


def decide(
    outcome: Outcome, batch: Batch, *, failures: int, refusals: int, now: float, chance: float, give_up_after: float = 0.0
) -> Decision:
    """Return what to do after one try.

    `failures`: tries in a row that did not get through before this one. `refusals`: single events buried in a row.
    `chance`: 0 to 1, for full jitter. `give_up_after`: age in seconds at which failing events are buried; 0 for never.
    """
    if outcome.code is Reason.ACCEPTED:
        return Advance()
    if outcome.code is Reason.CONTENT_REFUSED:
        if len(batch.events) > 1:
            return Bisect()
        return Hold(Reason.REFUSES_EVERYTHING) if refusals >= REFUSALS_THAT_HOLD else Bury(Reason.CONTENT_REFUSED)
    if outcome.code not in _AGAIN:
        return Hold(outcome.code)
    if give_up_after and now - batch.events[-1].accepted_at > give_up_after:
        return Bury(Reason.EXPIRED)
    return Again(now + wait_seconds(failures, chance, outcome.retry_after))


def fails(met: Reason) -> bool:
    """Tell whether this is about the far end of a sync: neither about the event, nor about one that never was sent."""
    return met not in _PASSED_OVER and met not in (Reason.ACCEPTED, Reason.CONTENT_REFUSED, Reason.DISCARDED)


def in_a_row(failures: int, met: Reason, tries: int) -> int:
    """Return how many events in a row a sync did not get through, after one that met this and was tried so often before.

    They are different events: one that fails again and again counts once.
    """
    if fails(met):
        return failures if tries else failures + 1
    return 0 if met in (Reason.ACCEPTED, Reason.CONTENT_REFUSED) else failures


def decide_singly(outcome: Outcome, batch: Batch, *, failures: int, now: float, chance: float) -> Singly:
    """Return what to do for each event that a sync tried; `failures` counts the events in a row before these that did not get through."""
    each = outcome.each or ()
    for met, event in zip(each, batch.events, strict=False):
        failures = in_a_row(failures, met.code, event.tries)
    verdicts = tuple(_verdict(met, event.tries, now, chance) for met, event in zip(each, batch.events, strict=False))
    if outcome.retry_after is not None:
        return Singly(verdicts, failures, now + outcome.retry_after)
    if failures >= FAILURES_THAT_BACK_OFF:
        return Singly(verdicts, failures, now + LONGEST_BACK_OFF_SECONDS, sooner=True)
    return Singly(verdicts, failures)


def _verdict(met: Outcome, tries: int, now: float, chance: float) -> Verdict:
    """Decide for one event of a sync that was tried so often before."""
    if met.code is Reason.ACCEPTED:
        return Advance()
    if met.code in _PASSED_OVER:
        return Filter(met.code)
    if met.code is Reason.DISCARDED:
        return Bury(Reason.DISCARDED)
    return Bury(Reason.EXPIRED) if tries + 1 >= STREAM_ATTEMPTS else Park(now + stream_wait_seconds(tries, chance))


def pause_within_attempt(status: int | None, tried: int, elapsed: float, chance: float) -> float | None:
    """Return the seconds to wait before a request of the same attempt, None when there is no other.

    Amplitude, "Event streaming": up to three tries on 429 and 5xx, 100 ms doubling with 50 % jitter, none begun after four seconds.
    """
    if status is None or not (status == 429 or 500 <= status < 600) or tried >= TRIES_WITHIN_ATTEMPT:  # noqa: PLR2004 - the 5xx class
        return None
    pause = FIRST_PAUSE_SECONDS * (1 << (tried - 1)) * (1 + PAUSE_JITTER * (2 * chance - 1))
    return pause if elapsed + pause <= ATTEMPT_SECONDS else None


def stream_wait_seconds(tries: int, chance: float) -> float:
    """Return how long an event of a sync is parked that was tried so often before: 28 s × 2^tries, up to a tenth less."""
    return STREAM_FIRST_WAIT_SECONDS * (1 << tries) * (1 - STREAM_JITTER * chance)


def wait_seconds(failures: int, chance: float, retry_after: float | None) -> float:
    """Return how long to wait: what the far end asked for, to the second, else exponential with full jitter."""
    if retry_after is not None:
        return retry_after
    return chance * min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (1 << min(failures, _DOUBLINGS)))


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Read Retry-After, seconds or HTTP date; None when absent or unreadable.

    The official library's `parse_retry_after` stops at 300 s; a longer wait that was asked for is kept here.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, at - now), LONGEST_RETRY_AFTER_SECONDS)


RETRY_RULES: Mapping[str, str] = MappingProxyType(
    {
        "2xx": "accepted: the lane goes on",
        "400, 413, 422": "bisected until the refused event is alone and dead",
        "401, 403, an answer that speaks of the write key": "the lane is held",
        "408, 410, 429, 460, 5xx (not 501, 505, 511), network errors": "tried again",
        "any other answer": "the lane is held: the address is wrong",
    }
)
