"""What needs a person, as one table: pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from candu_source import confirming
from candu_source.causes import CAUSES, Cause, Urgency, held_advice
from candu_source.confirming import State, Verdict
from candu_source.errors import Reason
from candu_source.noticing import MOST_DEAD, ConnectionSigns, Found, HeldReplay, LaneSigns, Limits, Signals, WarehouseSigns, judge, span
from candu_source.silence import NOTHING, Usual

NOW = 1_000_000.0
NAME = "Candu Prod"
LIMITS = Limits(pending_seconds=900, dead=10, gaps=12, silent_seconds=1_800, free_bytes=100, store_bytes=1_000, full=0.8)
LANE = LaneSigns("c1", NAME, "segment", stopped=False, held=None, pending=0, pending_most=0, oldest_pending=None, dead=0)
QUIET = ConnectionSigns("c1", NAME, NOW - 7_200, Usual((10.0,) * 168, (240.0,) * 7))
BEHIND = LANE._replace(pending=5, oldest_pending=NOW - 901)
STOPPED = LANE._replace(stopped=True, pending=50, pending_most=100, oldest_pending=NOW - 7_200)
FULL = LANE._replace(pending=80, pending_most=100)
LATE = WarehouseSigns("c1", NAME, "warehouse", every=60, failures=0, pending=5, oldest_pending=NOW - 10_801, error="no route to host.")


def lane(signs: LaneSigns = LANE, **signs_too: Any) -> Signals:
    """Return the signals of one lane."""
    return Signals(lanes=[signs._replace(**signs_too)])


def one(signs: ConnectionSigns = QUIET, **signs_too: Any) -> Signals:
    """Return the signals of one connection."""
    return Signals(connections=[signs._replace(**signs_too)])


def warehouse(**signs: Any) -> Signals:
    """Return the signals of one warehouse."""
    return Signals(warehouses=[LATE._replace(**signs)])


def verdict(state: State, cause: confirming.Cause) -> Signals:
    """Return the signals of a lane with a verdict of readback."""
    return replace(lane(), confirm={("c1", "segment"): Verdict(state, (cause,), 0.7)})


TABLE: list[tuple[Signals, Cause | None, str]] = [
    (lane(), None, ""),
    (lane(held="key_refused", pending=7), Cause.LANE_HELD, "held (key_refused); 7 events wait"),
    (lane(held="key_refused", oldest_pending=1.0, pending=7), Cause.LANE_HELD, "connections set 'Candu Prod' --write-key -"),
    (lane(BEHIND), Cause.OLDEST_PENDING, "the oldest of 5 waiting events came 15 minutes ago"),
    (lane(BEHIND, oldest_pending=NOW - 900), None, ""),
    (lane(BEHIND, stopped=True), None, ""),
    (lane(dead=10), Cause.DEAD_GROWING, "gave up on 10 events"),
    (lane(dead=9), None, ""),
    (lane(dead=MOST_DEAD), Cause.DEAD_GROWING, "1,000 or more"),
    (lane(FULL), Cause.QUOTA_LOW, "is 80 % full; its doors answer 503"),
    (lane(FULL, pending=79), None, ""),
    (lane(FULL, pending_most=0), None, ""),
    (lane(FULL, stopped=True), None, ""),
    (lane(STOPPED), Cause.PAUSED_FILLING, "50 of at most 100 events wait. At this rate that is reached in 2 hours."),
    (lane(STOPPED, pending=100), Cause.PAUSED_FILLING, "Its doors refuse more."),
    (lane(STOPPED, pending=1), None, ""),
    (lane(STOPPED, pending=1, oldest_pending=NOW - 600), None, ""),
    (lane(STOPPED, pending=100, oldest_pending=NOW - 600), None, ""),
    (lane(STOPPED, pending=80, oldest_pending=NOW - 90 * 86_400), Cause.PAUSED_FILLING, "in 22 days"),
    (verdict(State.NEVER_CONFIRMED, confirming.Cause.WRONG_REGION), Cause.NEVER_CONFIRMED, "set 'Candu Prod' --region us|eu"),
    (verdict(State.SILENT, confirming.Cause.SOURCE_DISABLED), Cause.CONFIRM_SILENT, "switched off"),
    (verdict(State.FALLING, confirming.Cause.DROPPED), Cause.CONFIRM_FALLING, "30% of them"),
    (verdict(State.HEALTHY, confirming.Cause.DROPPED), None, ""),
    (one(), Cause.SILENCE, "Nothing has come to Candu Prod for 2 hours, 20 times as long as usual"),
    (one(last_event=NOW - 3_600), None, ""),
    (one(usual=Usual((100.0,) * 168, NOTHING.days), last_event=NOW - 1_799), None, ""),
    (one(last_event=None), None, ""),
    (one(usual=NOTHING), None, ""),
    (one(usual=NOTHING, key_readable=False), Cause.KEY_UNREADABLE, "CANDU_SOURCE_SECRET_KEY"),
    (one(usual=NOTHING, changed_shapes=3), Cause.SHAPE_CHANGED, "3 changes"),
    (Signals(replays=[HeldReplay("c1", NAME, 4, "key_refused")]), Cause.REPLAY_HELD, "Replay 4 of Candu Prod is held: key_refused."),
    (warehouse(), Cause.WAREHOUSE_BEHIND, "the oldest of 5 waiting events came 3 hours ago, though a sync is due every 60 minutes"),
    (warehouse(oldest_pending=NOW - 10_800), None, ""),
    (warehouse(every=1, oldest_pending=NOW - 901), Cause.WAREHOUSE_BEHIND, "every 1 minutes"),
    (warehouse(every=1, oldest_pending=NOW - 900), None, ""),
    (warehouse(pending=0, oldest_pending=None), None, ""),
    (warehouse(failures=1), None, ""),
    (warehouse(failures=4), None, ""),
    (warehouse(failures=5), Cause.WAREHOUSE_FAILING, "5 syncs of the warehouse Candu Prod › warehouse in a row failed"),
    (warehouse(failures=19), Cause.WAREHOUSE_FAILING, "The last one: no route to host. `candu-source warehouse status warehouse"),
    (warehouse(failures=20), Cause.WAREHOUSE_DOWN, "the store deletes nothing of this connection and grows"),
    (warehouse(failures=20, error="x" * 10_000), Cause.WAREHOUSE_DOWN, "--connection 'Candu Prod'` gives it up."),
    (Signals(free_bytes=99), Cause.DISK_LOW, "Only 0 MB are free"),
    (Signals(free_bytes=100), None, ""),
    (Signals(used_bytes=800), Cause.QUOTA_LOW, "The store's quota is 80 % full; all doors answer 503"),
    (Signals(used_bytes=799), None, ""),
]


@pytest.mark.parametrize(("signals", "cause", "said"), TABLE)
def test_the_table(signals: Signals, cause: Cause | None, said: str) -> None:
    found = judge(signals, LIMITS, NOW)
    assert [each.cause for each in found] == ([cause] if cause else [])
    assert all(said in each.text and each.urgency is CAUSES[each.cause][0] for each in found)


def test_every_cause_is_in_the_table() -> None:
    assert {cause for _, cause, _ in TABLE} - {None} == set(Cause) == set(CAUSES)


@pytest.mark.parametrize("cause", Cause)
def test_a_sentence_says_what_to_do(cause: Cause) -> None:
    signals = next(signals for signals, each, _ in TABLE if each is cause)
    (found,) = judge(signals, LIMITS, NOW)
    assert "candu-source" in found.text or "CANDU_SOURCE_" in found.text or "Segment" in found.text
    assert found.text.endswith((".", "it."))


def test_a_key_that_does_not_decrypt_is_one_notice_though_its_lane_is_held() -> None:
    unreadable = ConnectionSigns("c1", NAME, key_readable=False)
    signals = replace(lane(held=Reason.KEY_UNREADABLE), connections=[unreadable])
    assert [each.cause for each in judge(signals, LIMITS, NOW)] == [Cause.KEY_UNREADABLE]
    healed = replace(signals, connections=[unreadable._replace(key_readable=True)])
    assert [each.cause for each in judge(healed, LIMITS, NOW)] == [Cause.LANE_HELD]


def test_a_store_without_a_quota_is_never_full() -> None:
    assert judge(Signals(used_bytes=2**60), replace(LIMITS, store_bytes=0), NOW) == []


def test_each_connection_is_judged_for_itself() -> None:
    other = LANE._replace(connection="c2", name="B", held="endpoint_wrong")
    found = judge(Signals(lanes=[LANE._replace(held="key_refused"), other]), LIMITS, NOW)
    assert [each[:3] for each in found] == [("c1", Cause.LANE_HELD, "segment"), ("c2", Cause.LANE_HELD, "segment")]
    assert isinstance(found[0], Found)
    assert NAME not in found[1].text


@pytest.mark.parametrize("name", ["{held}", "%s", "a'b; rm -rf /", "$(x)"])
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    (found,) = judge(lane(held="unknown_reason", name=name), LIMITS, NOW)
    assert found.text.startswith(f"{name} › segment is held")
    assert "`candu-source connections resume 'a'\"'\"'b; rm -rf /'` tries again." in held_advice("x", "a'b; rm -rf /", "segment")
    assert "`candu-source syncs show mine --connection Acme`" in held_advice(Reason.SYNC_INCOMPLETE, "Acme", "mine")


def test_what_is_said_is_never_long() -> None:
    (found,) = judge(Signals(replays=[HeldReplay("c1", NAME, 4, "x" * 10_000)]), LIMITS, NOW)
    assert len(found.text) == 1_000


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "a minute"), (119 * 60, "119 minutes"), (7_200, "2 hours"), (2 * 86_400, "2 days"), (10**7, "116 days")]
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_urgency_has_three_steps() -> None:
    assert [each.value for each in Urgency] == [1, 2, 3]
