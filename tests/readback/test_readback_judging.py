"""Verdicts, as one table; and none that is false over 100 000 normal events, of which each fiftieth comes back late."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from itertools import islice

import pytest

from candu_source.confirming import (
    ADVICE,
    GRACE_SECONDS,
    LONGEST_GRACE_SECONDS,
    SAMPLE_EVENTS,
    Cause,
    Evidence,
    Probed,
    Sent,
    State,
    Verdict,
    excludes_webhooks,
    explain,
    grace_seconds,
    judge,
    usual_delay,
)

NOW = 1_000_000.0
NOTHING = (Cause.UNKNOWN_KEY, Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT)


def sent(*batches: tuple[int, int], age: float = GRACE_SECONDS) -> tuple[Sent, ...]:
    """Make batches of (events, confirmed), newest first, of one age."""
    return tuple(Sent(NOW - age, events, confirmed) for events, confirmed in batches)


def once(*batches: tuple[int, int], quiet: float = 60.0, age: float = GRACE_SECONDS) -> Evidence:
    """Make the evidence of a lane that was confirmed once, and last so many seconds ago."""
    return Evidence(True, sent=sent(*batches, age=age), first_confirmed_at=1.0, last_confirmed_at=NOW - quiet)


@pytest.mark.parametrize(
    ("evidence", "state", "causes"),
    [
        (Evidence(False, sent=sent((100, 0))), State.NOT_SET_UP, ()),
        (Evidence(True), State.WAITING, ()),
        (Evidence(True, sent=sent((2, 0))), State.WAITING, ()),
        (Evidence(True, sent=sent((3, 0))), State.NEVER_CONFIRMED, NOTHING),
        (Evidence(True, sent=sent((3, 0)), regional=True), State.NEVER_CONFIRMED, (Cause.WRONG_REGION, *NOTHING)),
        (Evidence(True, sent=sent((1, 0), age=600)), State.NEVER_CONFIRMED, NOTHING),
        (
            Evidence(True, sent=sent((3, 0)), regional=True, probed=Probed(NOW - 29, True, None)),
            State.NEVER_CONFIRMED,
            (Cause.WRONG_REGION, *NOTHING),
        ),
        (Evidence(True, sent=sent((3, 0)), regional=True, probed=Probed(NOW - 30, True, None)), State.NEVER_CONFIRMED, NOTHING),
        (
            Evidence(True, sent=sent((3, 0)), regional=True, probed=Probed(NOW - 30, False, None)),
            State.NEVER_CONFIRMED,
            (Cause.WRONG_REGION, *NOTHING),
        ),
        (Evidence(True, sent=sent((3, 0)), probed=Probed(NOW - 9, True, NOW)), State.NEVER_CONFIRMED, (Cause.WRONG_REGION,)),
        (Evidence(True, sent=sent((3, 0)), excluded=True), State.NEVER_CONFIRMED, (Cause.EXCLUDED, *NOTHING)),
        (once(), State.HEALTHY, ()),
        (once((100, 100)), State.HEALTHY, ()),
        (once((9, 0)), State.HEALTHY, ()),
        (once((10, 0)), State.SILENT, (Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT)),
        (once((10, 0), quiet=29), State.HEALTHY, ()),
        (once((3, 0), age=600), State.SILENT, (Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT)),
        (once((1, 0), age=4.4 * 3600), State.HEALTHY, ()),
        (once((1, 0), age=4.5 * 3600), State.SILENT, (Cause.SOURCE_DISABLED, Cause.WEBHOOK_OFF, Cause.PLAN_LIMIT)),
        (once((9, 0), (1, 1), (100, 100)), State.HEALTHY, ()),
        (once((200, 140)), State.FALLING, (Cause.DROPPED, Cause.PLAN_LIMIT, Cause.WEBHOOK_OFF)),
        (once((39, 20)), State.HEALTHY, ()),
        (once((40, 30)), State.FALLING, (Cause.DROPPED, Cause.PLAN_LIMIT, Cause.WEBHOOK_OFF)),
        (once((40, 31)), State.HEALTHY, ()),
        (once((200, 181)), State.HEALTHY, ()),
        (once((40, 40), (160, 0)), State.HEALTHY, ()),
        (once((39, 39), (1, 0), (160, 0)), State.FALLING, (Cause.DROPPED, Cause.PLAN_LIMIT, Cause.WEBHOOK_OFF)),
    ],
)
def test_what_the_evidence_means(evidence: Evidence, state: State, causes: tuple[Cause, ...]) -> None:
    verdict = judge(evidence, NOW)
    assert (verdict.state, verdict.causes) == (state, causes)
    assert verdict.cause is (causes[0] if causes else None)


@pytest.mark.parametrize("state", State)
def test_each_verdict_is_a_sentence(state: State) -> None:
    assert explain(Verdict(state, (), 0.5)).endswith(".")
    assert all(ADVICE[cause] in explain(Verdict(state, (cause,), 0.7)) for cause in Cause)
    assert "30%" in explain(Verdict(State.FALLING, (Cause.DROPPED,), 0.7))


@pytest.mark.parametrize(
    ("integrations", "excluded"),
    [
        ({}, False),
        ({"Candu": False}, False),
        ({"All": False}, True),
        ({"All": False, "Webhooks": True}, False),
        ({"All": False, "Webhooks (Actions)": True}, False),
        ({"Webhooks": False}, True),
    ],
)
def test_an_integrations_object_may_keep_events_from_coming_back(integrations: dict[str, bool], excluded: bool) -> None:
    assert excludes_webhooks(integrations) is excluded


def test_the_usual_delay_is_that_of_nineteen_in_twenty() -> None:
    chance = random.Random(1)
    usual, seen = 0.0, []
    for _ in range(5_000):
        usual = usual_delay(usual, chance.uniform(0, 100))
        seen.append(usual)
    assert 85 < sum(seen[1_000:]) / len(seen[1_000:]) < 100
    assert usual_delay(0.0, 40.0) == 40.0


def test_slow_webhooks_are_given_more_time() -> None:
    assert [grace_seconds(delay) for delay in (0, 15, 40, 10_000)] == [GRACE_SECONDS, GRACE_SECONDS, 80, LONGEST_GRACE_SECONDS]


class World:
    """Play a lane of one event a batch: delivered at times, sent back after delays, judged as the store would have it judged."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.delivered: list[tuple[float, bool]] = []  # time, whether it came back
        self.on_its_way: list[tuple[float, int]] = []
        self.first: float | None = None
        self.last: float | None = None
        self.usual = 0.0

    def delay(self) -> float:
        """Return how long an event takes to come back: seconds mostly, a minute at times, and once in a while as long as a retry."""
        if self.chance.random() < 0.02:
            return self.chance.uniform(20, 200)
        return self.chance.lognormvariate(0.7, 0.8)

    def deliver(self, at: float, *, lost: bool = False) -> None:
        if not lost:
            heapq.heappush(self.on_its_way, (at + self.delay(), len(self.delivered)))
        self.delivered.append((at, False))

    def hear(self, now: float) -> None:
        while self.on_its_way and self.on_its_way[0][0] <= now:
            at, place = heapq.heappop(self.on_its_way)
            sent_at, _ = self.delivered[place]
            self.delivered[place] = sent_at, True
            self.first, self.last = self.first or at, at
            self.usual = usual_delay(self.usual, at - sent_at)

    def judge(self, now: float) -> Verdict:
        self.hear(now)
        grace = grace_seconds(self.usual)
        aged = (Sent(at, 1, int(back)) for at, back in self._newest_first() if at <= now - grace and at >= (self.first or 0))
        return judge(Evidence(True, grace, tuple(islice(aged, SAMPLE_EVENTS)), self.first, self.last), now)

    def _newest_first(self) -> Iterator[tuple[float, bool]]:
        return islice(reversed(self.delivered), 3_000)


def traffic(world: World, events: int) -> Iterator[float]:
    """Yield when events happen: busy hours and quiet ones, single ones and bursts."""
    now = 0.0
    for _ in range(events // 1_000):
        rate = world.chance.choice([0.02, 0.2, 2.0, 20.0])
        for _ in range(1_000):
            now += 0.0 if world.chance.random() < 0.2 else world.chance.expovariate(rate)
            yield now


def test_no_false_verdict_over_100_000_normal_events() -> None:
    world = World(seed=0)
    looked_at = 0.0
    for now in traffic(world, 100_000):
        world.deliver(now)
        if now - looked_at >= 5.0:
            verdict = world.judge(now)
            assert verdict.state in (State.WAITING, State.HEALTHY), (now, verdict)
            looked_at = now
    assert looked_at


@pytest.mark.parametrize(("share", "expected"), [(1.0, State.SILENT), (0.3, State.FALLING)])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_lost_is_noticed(seed: int, share: float, expected: State) -> None:
    """At two events a second silence is noticed within a minute; a lost third as soon as it shows among enough of them."""
    world = World(seed)
    now = 0.0
    for _ in range(2_000):
        now += 0.5
        world.deliver(now)
        world.hear(now)
    began, patience = now, 60.0
    while world.judge(now).state is not expected:
        now += 0.5
        world.deliver(now, lost=world.chance.random() < share)
        assert now - began < (patience if share == 1.0 else patience + SAMPLE_EVENTS), world.judge(now)
    for _ in range(4_000):
        now += 0.5
        world.deliver(now)
    assert world.judge(now + 1).state is State.HEALTHY
