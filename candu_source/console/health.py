"""Say in a word how a connection is: pure."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from candu_source.deliveries import LaneKind
from candu_source.store.stats import Health, LaneHealth

# A queue that is older than this is more than the usual wait for a turn.
_CATCHING_UP_SECONDS = 60.0


class Rank(IntEnum):
    """Order connections by how much they need a person."""

    BAD = 0
    WAIT = 1
    CALM = 2
    GOOD = 3


class Word(NamedTuple):
    """Hold the word, and how urgent it is."""

    word: str
    rank: Rank

    @property
    def kind(self) -> str:
        """Return the look of its badge."""
        return "" if self.rank is Rank.CALM else self.rank.name.lower()


def word(health: Health, now: float) -> Word:
    """Return the word for the lane that needs a person most."""
    if not health.last_seen and not any(lane.logged for lane in health.lanes):
        return Word("No event yet", Rank.CALM)
    lanes = [lane for lane in health.lanes if lane.enabled or lane.kind != LaneKind.STREAM]  # a sync that is off is meant to be
    words = (_warehouse_word(lane) if lane.kind == LaneKind.WAREHOUSE else lane_word(lane, now) for lane in lanes)
    return min(words, key=lambda each: each.rank)


def _warehouse_word(lane: LaneHealth) -> Word:
    """Return the word for a lane whose events may wait for their hour."""
    return Word("Warehouse failing", Rank.WAIT) if lane.failures else Word("Delivering", Rank.GOOD)


def lane_word(lane: LaneHealth, now: float) -> Word:
    """Return the word for a lane that the worker delivers."""
    if lane.held:
        return Word(f"Held: {lane.held.replace('_', ' ')}", Rank.BAD)
    if lane.waiting_for == "paused":
        return Word("Paused", Rank.WAIT)
    if not lane.enabled:
        return Word("Switched off", Rank.WAIT)
    if lane.failures:
        return Word("Retrying", Rank.WAIT)
    if lane.oldest_pending is not None and now - lane.oldest_pending > _CATCHING_UP_SECONDS:
        return Word("Catching up", Rank.WAIT)
    return Word("Delivering", Rank.GOOD)
