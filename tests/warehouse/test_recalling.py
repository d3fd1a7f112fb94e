"""What was read of bytes is recalled, as long as there is room."""

from __future__ import annotations

from collections import Counter

import pytest

from candu_source.destinations.warehouse.recalling import Recall


def test_bytes_are_read_once_as_long_as_there_is_room() -> None:
    read: Counter[bytes] = Counter()

    def size(raw: bytes) -> int:
        read[raw] += 1
        return len(raw)

    recall = Recall(size)
    short = [b"%d" % number + b" " * 4_000 for number in range(1_000)]
    for raw in (*short, *short, long := b" " * 10_000, long):
        assert recall[raw] == len(raw)
    assert [read[raw] for raw in (short[0], short[-1], long)] == [1, 2, 2]
    assert sum(map(len, recall)) <= 2 * 2**20


def test_what_cannot_be_read_is_not_recalled() -> None:
    recall = Recall(int)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            recall[b"x"]
    assert not recall
