"""Recall what was read of bytes that come again and again: contexts, properties, what few words say of thousands of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Read = TypeVar("Read")

# So many bytes are kept in all, and none longer than so much: what was read of them takes some times as much memory.
_KEPT_BYTES, _LONGEST_KEPT = 2 * 2**20, 8 * 2**10


class Recall(dict[bytes, Read]):
    """Read bytes as they are asked for, `recall[raw]`, those seen before only once; raises what reading raises."""

    def __init__(self, read: Callable[[bytes], Read]) -> None:
        super().__init__()
        self._read = read
        self._room = _KEPT_BYTES

    def __missing__(self, raw: bytes) -> Read:
        """Read what was not seen before, or not kept."""
        found = self._read(raw)
        if len(raw) <= min(self._room, _LONGEST_KEPT):
            self._room -= len(raw)
            self[raw] = found
        return found
