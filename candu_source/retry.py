"""Decide what a try's outcome means for its lane: pure, `now` and chance are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from candu_source.deliveries import Advance, Again, Batch, Bisect, Bury, Decision, Hold, Outcome
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
