"""The retry table: what each answer means for a lane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.deliveries import Advance, Again, Batch, Bisect, Bury, Decision, Hold, Outcome, Stored
from candu_source.errors import Reason
from candu_source.retry import LONGEST_WAIT_SECONDS, REFUSALS_THAT_HOLD, classify, decide, retry_after_seconds, wait_seconds

NOW = 1_000_000.0
ONE = Batch((Stored(1, b"{}", NOW - 60),))
TWO = Batch((Stored(1, b"{}", NOW - 60), Stored(2, b"{}", NOW - 30)))


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (200, "", Reason.ACCEPTED),
        (202, "", Reason.ACCEPTED),
        (301, "", Reason.ENDPOINT_WRONG),
        (400, "bad", Reason.CONTENT_REFUSED),
        (400, "Invalid Write Key", Reason.KEY_REFUSED),
        (401, "", Reason.KEY_REFUSED),
        (403, "", Reason.KEY_REFUSED),
        (404, "", Reason.ENDPOINT_WRONG),
        (405, "", Reason.ENDPOINT_WRONG),
        (408, "", Reason.SERVER_ERROR),
        (410, "", Reason.SERVER_ERROR),
        (413, "", Reason.CONTENT_REFUSED),
        (422, "", Reason.CONTENT_REFUSED),
        (429, "", Reason.THROTTLED),
        (460, "", Reason.SERVER_ERROR),
        (500, "", Reason.SERVER_ERROR),
        (501, "", Reason.ENDPOINT_WRONG),
        (503, "", Reason.SERVER_ERROR),
        (505, "", Reason.ENDPOINT_WRONG),
        (511, "", Reason.ENDPOINT_WRONG),
        (599, "", Reason.SERVER_ERROR),
    ],
)
def test_each_status_has_a_meaning(status: int, message: str, reason: Reason) -> None:
    assert classify(status, message) is reason


@pytest.mark.parametrize(
    ("outcome", "batch", "changes", "decision"),
    [
        (Outcome(Reason.ACCEPTED), TWO, {}, Advance()),
        (Outcome(Reason.CONTENT_REFUSED), TWO, {}, Bisect()),
        (Outcome(Reason.CONTENT_REFUSED), ONE, {}, Bury(Reason.CONTENT_REFUSED)),
        (Outcome(Reason.CONTENT_REFUSED), ONE, {"refusals": REFUSALS_THAT_HOLD}, Hold(Reason.REFUSES_EVERYTHING)),
        (Outcome(Reason.KEY_REFUSED), TWO, {}, Hold(Reason.KEY_REFUSED)),
        (Outcome(Reason.ENDPOINT_WRONG), ONE, {}, Hold(Reason.ENDPOINT_WRONG)),
        (Outcome(Reason.ADDRESS_REFUSED), ONE, {}, Hold(Reason.ADDRESS_REFUSED)),
        (Outcome(Reason.NETWORK), TWO, {}, Again(NOW + 0.5)),
        (Outcome(Reason.TIMEOUT), TWO, {"failures": 3}, Again(NOW + 4)),
        (Outcome(Reason.SERVER_ERROR), TWO, {"failures": 500}, Again(NOW + 150)),
        (Outcome(Reason.THROTTLED, retry_after=700.0), TWO, {"failures": 9}, Again(NOW + 700)),
        (Outcome(Reason.SERVER_ERROR, retry_after=0.0), TWO, {"failures": 9}, Again(NOW)),
        (Outcome(Reason.NETWORK), TWO, {"give_up_after": 29.0}, Bury(Reason.EXPIRED)),
        (Outcome(Reason.NETWORK), TWO, {"give_up_after": 31.0}, Again(NOW + 0.5)),
        (Outcome(Reason.ACCEPTED), TWO, {"give_up_after": 1.0}, Advance()),
    ],
)
def test_each_outcome_has_a_decision(outcome: Outcome, batch: Batch, changes: dict[str, float], decision: Decision) -> None:
    arguments = {"failures": 0, "refusals": 0, "now": NOW, "chance": 0.5, **changes}
    assert decide(outcome, batch, **arguments) == decision  # type: ignore[arg-type]


@given(failures=st.integers(0, 10**6), chance=st.floats(0, 1))
def test_waits_grow_with_full_jitter_up_to_the_longest(failures: int, chance: float) -> None:
    assert 0 <= wait_seconds(failures, chance, None) <= LONGEST_WAIT_SECONDS
    assert wait_seconds(failures, 1.0, None) == min(LONGEST_WAIT_SECONDS, 2.0 ** min(failures, 20))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 301 ", 301.0),
        ("0", 0.0),
        ("999999999", 86_400.0),
        ("Mon, 12 Jan 1970 13:47:40 GMT", 60.0),
        ("Mon, 12 Jan 1970 13:46:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("３", None),
    ],
)
def test_retry_after_is_kept_to_the_second(header: str, seconds: float | None) -> None:
    assert retry_after_seconds({"Retry-After": header}, NOW) == seconds


def test_without_the_header_there_is_no_wait_asked_for() -> None:
    assert retry_after_seconds({}, NOW) is None
