"""Take turns: what is compared runs A, B, A, B…, so that a noisy machine is as noisy for the one as for the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Sample = TypeVar("Sample")


@dataclass(frozen=True, slots=True)
class Bench:
    """Hold what every benchmark gets: a directory on a real disk, and whether two short rounds are enough."""

    directory: Path
    quick: bool = False

    def rounds(self, usual: int) -> int:
        """Return how many rounds to run."""
        return 2 if self.quick else usual

    def seconds(self, usual: float) -> float:
        """Return how long a round lasts."""
        return min(usual, 1.0) if self.quick else usual

    def say(self, text: str) -> None:
        """Show progress."""
        sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()

    def interleave(self, what: str, runs: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
        """Run each in turn, `rounds` times over; return every one's samples in order."""
        samples: dict[str, list[Sample]] = {name: [] for name in runs}
        for number in range(rounds):
            for name, run in runs.items():
                samples[name].append(run())
                self.say(f"{what}: round {number + 1} of {rounds}, {name}: {_told(samples[name][-1])}")
        return samples


def _told(sample: object) -> str:
    return (
        f"{sample:,.3g}" if isinstance(sample, float) and sample < 100 else f"{sample:,.0f}" if isinstance(sample, float) else str(sample)
    )
