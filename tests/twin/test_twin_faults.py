"""Which fault a request meets, and until when. The clock is an argument."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from candu_source.twin.faults import ActiveFault, Fault, Faults
from candu_source.twin.rules import Call

CALLS = [(Call(type="track", event="poison"), b"{}"), (Call(type="screen", name="welcome"), b"{}")]


class Clock:
    """Stand still until moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def met(faults: Faults, source: str | None = "s1") -> Fault | None:
    active = faults.take(source, CALLS)
    return active.fault if active else None


def test_without_faults_all_is_well() -> None:
    assert met(Faults()) is None


def test_a_fault_without_an_end_lasts_until_healed() -> None:
    faults = Faults()
    faults.set(Fault(status=500))
    assert [met(faults) for _ in range(3)] == [Fault(status=500)] * 3
    faults.heal()
    assert met(faults) is None


def test_a_fault_ends_after_its_count() -> None:
    faults = Faults()
    faults.set(Fault(status=500, count=2))
    assert faults.shown() == [{"status": 500, "count": 2, "left": 2}]
    assert [met(faults) is not None for _ in range(3)] == [True, True, False]
    assert faults.shown() == []


def test_a_fault_ends_after_its_seconds() -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.set(Fault(status=500, seconds=30))
    clock.now += 29.5
    assert met(faults)
    assert faults.shown() == [{"status": 500, "seconds": 30.0, "seconds_left": 0.5}]
    clock.now += 0.5
    assert met(faults) is None
    assert faults.shown() == []


@pytest.mark.parametrize(("end", "requests"), [(10.0, 1), (60.0, 0)])
def test_with_count_and_seconds_the_first_ends_it(end: float, requests: int) -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.set(Fault(status=500, seconds=30, count=1))
    clock.now += end
    assert [met(faults) is not None for _ in range(2)] == [bool(requests), False]


def test_a_fault_of_one_source_leaves_the_others_alone() -> None:
    faults = Faults()
    faults.set(Fault(status=500, source="s1"))
    assert met(faults, "s1") == Fault(status=500, source="s1")
    assert met(faults, "s2") is None
    assert met(faults, None) is None


def test_the_fault_of_a_source_wins_over_the_one_for_all() -> None:
    faults = Faults()
    faults.set(Fault(status=503))
    faults.set(Fault(status=429, source="s1", count=1))
    assert met(faults, "s1") == Fault(status=429, source="s1", count=1)
    assert met(faults, "s1") == Fault(status=503)
    assert met(faults, "s2") == Fault(status=503)


def test_a_fault_replaces_the_one_of_the_same_scope_only() -> None:
    faults = Faults()
    faults.set(Fault(status=500))
    faults.set(Fault(status=429, source="s1"))
    faults.set(Fault(status=503))
    assert faults.shown() == [{"status": 429, "source": "s1"}, {"status": 503}]


@pytest.mark.parametrize(
    ("healing", "left"),
    [(Fault(), []), (Fault(source="s1"), [{"status": 503}]), (Fault(source="s2"), [{"status": 503}, {"status": 429, "source": "s1"}])],
)
def test_an_empty_fault_heals_its_scope(healing: Fault, left: list[dict[str, Any]]) -> None:
    faults = Faults()
    faults.set(Fault(status=503))
    faults.set(Fault(status=429, source="s1"))
    faults.set(healing)
    assert faults.shown() == left


@pytest.mark.parametrize(("name", "meets"), [("poison", True), ("welcome", True), ("other", False)])
def test_a_refusal_by_name_counts_only_requests_that_mention_it(name: str, *, meets: bool) -> None:
    faults = Faults()
    faults.set(Fault(refuse_event=name, count=1))
    assert faults.take("s1", []) is None
    assert (met(faults) is not None) is meets
    assert (faults.shown() == []) is meets


@pytest.mark.parametrize("healing", [Fault(), Fault(status=500)])
def test_a_held_request_is_let_go_when_its_fault_is_healed_or_replaced(healing: Fault) -> None:
    faults = Faults()
    faults.set(Fault(black_hole=True, count=1))
    active = faults.take("s1", CALLS)
    assert active is not None
    assert faults.shown() == []
    faults.set(healing)
    active.hold(lambda: False)
    active.delay()


def test_a_held_request_of_one_source_is_not_let_go_with_another() -> None:
    faults = Faults()
    faults.set(Fault(black_hole=True, source="s1", count=1))
    active = faults.take("s1", CALLS)
    assert active is not None
    faults.set(Fault(source="s2"))
    looks = iter([False, True])
    faults.set(Fault(source="s1"))
    active.hold(lambda: next(looks))
    assert next(looks) is True


def test_a_held_request_is_let_go_when_its_seconds_are_over() -> None:
    clock = Clock()
    active = ActiveFault(Fault(black_hole=True, seconds=30), clock)
    clock.now += 30
    active.hold(lambda: False)


def test_a_held_request_is_let_go_when_nobody_waits_for_it() -> None:
    ActiveFault(Fault(black_hole=True), Clock()).hold(lambda: True)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"stauts": 500}, "stauts"),
        ({"status": "500"}, "status"),
        ({"status": 100}, "status"),
        ({"status": 600}, "status"),
        ({"status": 500, "count": 0}, "count"),
        ({"status": 500, "count": 1.5}, "count"),
        ({"status": 500, "seconds": 0}, "seconds"),
        ({"status": 500, "seconds": 1e12}, "seconds"),
        ({"status": 429, "retry_after": -1}, "retry_after"),
        ({"status": 429, "retry_after": "a\r\nSet-Cookie: b"}, "retry_after"),
        ({"retry_after": 3}, "retry_after"),
        ({"count": 3}, "count"),
        ({"seconds": 3}, "seconds"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"black_hole": "yes"}, "black_hole"),
        ({"refuse_event": ""}, "refuse_event"),
        ({"refuse_event": 5}, "refuse_event"),
        ({"source": 5}, "source"),
        ({"status": 500, "black_hole": True}, "black_hole"),
        ({"reset_after_body": True, "refuse_event": "x"}, "reset_after_body"),
    ],
)
def test_a_fault_that_means_nothing_is_refused_by_name(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        msgspec.convert(fields, Fault)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"source": "s1"},
        {"status": 200},
        {"status": 429, "retry_after": 0},
        {"status": 429, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT", "latency_ms": 5},
        {"black_hole": True, "latency_ms": 5, "seconds": 0.5},
        {"latency_ms": 5, "count": 1},
        {"refuse_event": "x", "source": "s1"},
    ],
)
def test_a_fault_that_means_something_is_taken(fields: dict[str, Any]) -> None:
    assert msgspec.to_builtins(msgspec.convert(fields, Fault)) == fields
