"""Read a point in time as people write it: pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from candu_source.errors import UsageError

_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def moment(text: str, now: float) -> float:
    """Return seconds since the epoch for ISO 8601 (UTC where it names no zone) or for so long ago (`90s`, `15m`, `2h`, `3d`, `1w`).

    Raises UsageError for anything else.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return now - int(ago[1]) * _SECONDS[ago[2]]
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{text[:80]!r} is no time; write 2026-01-31T12:00:00Z, or 2h, 3d for so long ago") from None
