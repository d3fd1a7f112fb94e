"""Write tables as CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any


def sheet(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a CSV text with headings."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(headings)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return table.getvalue()


def _inert(cell: Any) -> Any:
    """Keep a cell from being a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
