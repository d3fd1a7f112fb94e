"""Say what was measured: rows of samples, their targets, and the table of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Literal

_HEADINGS = ("benchmark", "what", "median", "spread", "rounds", "target", "met")


@dataclass(frozen=True, slots=True)
class Target:
    """Hold what a median must reach."""

    sign: Literal[">=", "<="]
    value: float

    def met(self, figure: float) -> bool:
        """Tell whether the median reaches it."""
        return figure >= self.value if self.sign == ">=" else figure <= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one figure: a sample per round, and the absolute values behind it by name.

    A row without a target is information. `unit` is `x` for ratios; a ratio is taken within each round, so that what disturbs a round
    disturbs both its sides.
    """

    benchmark: str
    what: str
    samples: Sequence[float]
    unit: str = "x"
    target: Target | None = None
    absolute: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def figure(self) -> float:
        """Return the median of the rounds."""
        return median(self.samples)

    @property
    def missed(self) -> bool:
        """Tell whether there is a target that the median does not reach."""
        return self.target is not None and not self.target.met(self.figure)

    def cells(self) -> tuple[str, ...]:
        """Return the row's text, one cell a column."""
        target = f"{self.target.sign} {self.target.value:g} {self.unit}" if self.target else "-"
        met = "-" if self.target is None else "MISSED" if self.missed else "yes"
        spread = f"{_short(min(self.samples))}..{_short(max(self.samples))}"
        return self.benchmark, self.what, f"{_short(self.figure)} {self.unit}", spread, str(len(self.samples)), target, met

    def details(self) -> str:
        """Return the absolute values and the note in one line."""
        values = ", ".join(f"{name} {value}" for name, value in self.absolute.items())
        return "; ".join(part for part in (values, self.note) if part)


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> list[float]:
    """Return ours over theirs, round by round."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def rate(samples: Iterable[float], unit: str) -> str:
    """Return the median of some rates as text."""
    return f"{median(samples):,.0f} {unit}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text, the absolute values of each on a line below it."""
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    text = []
    for line, row in zip(lines, [None, *rows], strict=True):
        text.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if row and (details := row.details()):
            text.append(f"{'':{widths[0]}}    {details}")
    return "\n".join(text)


def as_json(rows: Iterable[Row]) -> str:
    """Return the rows as JSON, each with its median and whether its target is met."""
    return json.dumps([{**asdict(row), "median": row.figure, "missed": row.missed} for row in rows], indent=2)


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
