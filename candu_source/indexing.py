"""Let events be found and counted, off the hot path: read on in what the store kept, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.ports import Index, Observer, Stop
from candu_source.pulse import pulse

# Inputs a step: some ten milliseconds of work, half of it writing, so that doors never notice.
STEP = 500
# At 25 % of a core the index takes in more events than one machine's doors bring.
_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Indexing:
    """Keep the index up to date."""

    index: Index
    observer: Observer

    def run(self, stop: Stop) -> None:
        """Read on until `stop` is set, never for more than a quarter of a core."""
        pulse(self.step, stop, self.observer, name="indexing", share=_SHARE)

    def step(self) -> bool:
        """Read a little and tell whether there may be more; raise StoreError, having kept nothing of what failed."""
        return self.index.read_on(STEP) >= STEP
