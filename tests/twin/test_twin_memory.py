"""What the twin remembers: whole calls up to a bound, ids and counts exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from candu_source.twin.memory import KEPT_DUPLICATES, Memory, Query
from candu_source.twin.rules import Drop, read_calls
from tests.twin.calls import track

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def add(memory: Memory, *calls: dict[str, Any], source: str | None = "s1", refused: Drop | None = None, at: datetime = NOON) -> None:
    memory.add(read_calls(json.dumps({"batch": calls}).encode(), "batch"), source, refused, at, "200")


def seqs(memory: Memory, query: Query, limit: int | None = None) -> tuple[list[int], int | None]:
    found, following = memory.find(query, limit)
    return [kept.seq for kept in found], following


def test_the_oldest_calls_leave_and_ids_and_counts_stay_exact() -> None:
    memory = Memory(keep=2)
    add(memory, *(track(messageId=f"m{number}") for number in range(5)), track(userId=None))
    assert seqs(memory, Query()) == ([5, 6], None)
    assert memory.ids() == ["m0", "m1", "m2", "m3", "m4"]
    assert memory.stats()["stored"] == 5
    add(memory, track(messageId="m0"))
    assert memory.stats()["duplicates"] == 1


def test_duplicates_are_kept_to_a_bound_and_counted_beyond() -> None:
    memory = Memory()
    add(memory, *[track(messageId="m1")] * (KEPT_DUPLICATES + 2))
    add(memory, track(messageId="m2"))
    assert memory.stats()["duplicates"] == KEPT_DUPLICATES + 1
    found, _ = memory.find(Query(status="dropped"))
    assert len(found) == KEPT_DUPLICATES
    assert seqs(memory, Query(after=KEPT_DUPLICATES + 1)) == ([KEPT_DUPLICATES + 2], None)


def test_the_same_id_in_two_sources_is_stored_twice() -> None:
    memory = Memory()
    add(memory, track(messageId="m1"), source="s1")
    add(memory, track(messageId="m1"), source="s2")
    assert memory.stats()["by_source"] == {"s1": 1, "s2": 1}
    assert memory.ids() == ["m1", "m1"]
    assert memory.ids("s2") == ["m1"]
    assert memory.ids("s3") == []


def test_the_id_of_a_dropped_call_is_not_taken() -> None:
    memory = Memory()
    add(memory, track(messageId="m1"), refused=Drop.SOURCE_DISABLED)
    add(memory, track(messageId="m1", event=None))
    add(memory, track(messageId="m1"))
    assert memory.stats() == {
        "requests": 3,
        "stored": 1,
        "dropped": {"source_disabled": 1, "no_event": 1},
        "duplicates": 0,
        "by_status": {"200": 3},
        "by_source": {"s1": 1},
    }


@pytest.mark.parametrize("message_id", [None, "", 5])
def test_a_missing_id_is_assigned(message_id: object) -> None:
    memory = Memory()
    add(memory, track(messageId=message_id), track(messageId=message_id))
    first, second = memory.ids()
    assert len(first) == 36
    assert first != second


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [1, 2, 3, 4]),
        (Query(status="stored"), [1, 3]),
        (Query(status="dropped"), [2, 4]),
        (Query(type="screen"), [3]),
        (Query(type="nonsense"), [4]),
        (Query(source="s2"), [3, 4]),
        (Query(since=NOON + timedelta(seconds=1)), [3, 4]),
        (Query(since=NOON + timedelta(seconds=2)), []),
        (Query(after=1), [2, 3, 4]),
        (Query(after=4), []),
        (Query(after=2**63), []),
        (Query(status="dropped", source="s2", after=1), [4]),
    ],
)
def test_calls_are_found_by_what_is_asked(query: Query, expected: list[int]) -> None:
    memory = Memory()
    add(memory, track(), track(event=None))
    add(memory, track(type="screen"), track(type="nonsense"), source="s2", at=NOON + timedelta(seconds=1))
    assert seqs(memory, query) == (expected, None)


def test_pages_follow_each_other_without_gap_or_overlap() -> None:
    memory = Memory()
    add(memory, *(track() for _ in range(5)))
    assert seqs(memory, Query(), 2) == ([1, 2], 2)
    assert seqs(memory, Query(after=2), 2) == ([3, 4], 4)
    assert seqs(memory, Query(after=4), 2) == ([5], None)
    assert seqs(memory, Query(), 5) == ([1, 2, 3, 4, 5], None)


def test_a_page_cursor_outlives_what_it_pointed_to() -> None:
    memory = Memory(keep=2)
    add(memory, *(track() for _ in range(5)))
    assert seqs(memory, Query(after=1)) == ([4, 5], None)
    memory.clear()
    assert seqs(memory, Query(after=1)) == ([], None)
    add(memory, track())
    assert seqs(memory, Query(after=5)) == ([6], None)


def test_clearing_forgets_ids_and_counts() -> None:
    memory = Memory()
    add(memory, track(messageId="m1"))
    memory.clear()
    assert memory.stats() == {"requests": 0, "stored": 0, "dropped": {}, "duplicates": 0, "by_status": {}, "by_source": {}}
    add(memory, track(messageId="m1"))
    assert memory.ids() == ["m1"]
