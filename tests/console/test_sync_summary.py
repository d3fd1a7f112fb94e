"""The metrics summary of one sync, as programs ask Amplitude for it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from candu_source.model import Role
from candu_source.periods import DAY, HOUR, MINUTE
from candu_source.store.counts import Counted, add_counts
from candu_source.streams import CANDU_API, Stream
from tests.console.site import Site

_DAY = "2026-10-01"


@pytest.fixture
def ask(site: Site) -> Any:
    """Count on two syncs, and return what asks for the summary of the first."""
    connection = site.connection()
    for name in ("mine", "other"):
        site.store.streams.add(connection, Stream("", name, CANDU_API), {}, by="test")
    minute = time.time() // MINUTE * MINUTE
    with site.store.database.write() as db:
        for topic, name, ago, amount in (
            ("lane:mine", "first_attempt", 5 * MINUTE, 6),
            ("lane:mine", "after_retry", 6 * MINUTE, 2),
            ("lane:mine", "expired", 7 * MINUTE, 1),
            ("lane:mine", "discarded", 8 * MINUTE, 1),
            ("lane:mine", "latency:50", 5 * MINUTE, 8),
            ("lane:mine", "first_attempt", 80 * DAY, 5),
            ("lane:other", "first_attempt", 5 * MINUTE, 100),
        ):
            add_counts(db, site.store.database.sql, {Counted(connection.id, topic, name, minute - ago): amount})
    headers = site.program(Role.VIEWER, connection.id)

    def get(name: str = "mine", **query: str) -> tuple[int, Any]:
        path = f"/v1/admin/connections/{connection.name}/syncs/{name}/delivery-metrics-summary"
        answer = site.visitor().get(path, headers=headers, query_string=query)
        return answer.status_code, json.loads(answer.data)

    return get


def _written(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_it_has_amplitudes_eleven_fields_of_this_sync_alone(ask: Any) -> None:
    status, told = ask(time_period="one_hour")
    assert status == 200
    assert (told.pop("timePeriod"), told.pop("latencyInSeconds")) == ("ONE_HOUR", pytest.approx(0.1119, rel=0.01))
    begin, end = (time.strptime(told.pop(name), "%Y-%m-%d %H:%M:00.000000") for name in ("timePeriodStart", "timePeriodEnd"))
    assert time.mktime(end) - time.mktime(begin) == HOUR
    assert told == {
        "eventsDelivered": 8,
        "eventsNotDelivered": 2,
        "deliveryRate": 0.8,
        "successOnFirstAttempt": 6,
        "successAfterRetry": 2,
        "eventsExpired": 1,
        "eventsDiscarded": 1,
    }


def test_the_start_is_included_and_the_end_is_not(ask: Any) -> None:
    minute = time.time() // MINUTE * MINUTE
    for start, end, delivered in ((6, 5, 2), (5, 4, 6), (7, 4, 8), (239, 6, 0)):
        asked = {"start": _written(minute - start * MINUTE), "end": _written(minute - end * MINUTE)}
        assert ask(time_period="CUSTOM", **asked)[1]["eventsDelivered"] == delivered, (start, end)
    old = {"start": _written(minute - 81 * DAY), "end": _written(minute - 79 * DAY)}
    assert ask(time_period="CUSTOM", **old)[1]["eventsDelivered"] == 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "time_period: one of TEN_MINUTES"),
        ({"time_period": "A_YEAR"}, "time_period: one of"),
        ({"time_period": "CUSTOM", "start": _DAY}, "start, end: the period CUSTOM needs both"),
        ({"time_period": "CUSTOM", "start": "then", "end": _DAY}, "start: 'then' is no time"),
        ({"time_period": "CUSTOM", "start": _DAY, "end": "2026-09-01"}, "start, end: since must be before until"),
        ({"time_period": "ONE_DAY", "start": _DAY, "end": _DAY}, "start, end: since and until go with the period CUSTOM"),
    ],
)
def test_what_is_off_is_named(ask: Any, query: dict[str, str], said: str) -> None:
    status, problem = ask(**query)
    assert status == 422
    assert said in problem["detail"]


def test_a_sync_that_is_not_there_is_not_found(ask: Any) -> None:
    assert ask("nobody", time_period="ONE_DAY")[0] == 404
    assert ask("segment", time_period="ONE_DAY")[0] == 404
