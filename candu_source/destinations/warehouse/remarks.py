"""Gather what is to be said of a batch: one remark for what is the same, however often it is met."""

from __future__ import annotations

from typing import Any

from candu_source.destinations.warehouse.values import shown
from candu_source.warehouses import Remark

# Different remarks of one batch; beyond them they are only counted, so that hostile events cannot fill the warehouse with remarks.
MOST = 500
MORE = "further remarks, not kept one by one"


class Remarks:
    """Count remarks by table, column and what they say; the last sample stays."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, str, str], tuple[int, str]] = {}

    def add(self, table: str, column: str, what: str, sample: Any, times: int = 1) -> None:
        """Note that something was met so many times, last with this value."""
        key = (table, column, what)
        if key not in self._met and len(self._met) >= MOST:
            key, sample = ("", "", MORE), ""
        self._met[key] = (self._met.get(key, (0, ""))[0] + times, shown(sample))

    def all(self) -> list[Remark]:
        """Return them in the order in which they were first met."""
        return [Remark(*key, times, sample) for key, (times, sample) in self._met.items()]
