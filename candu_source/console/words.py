"""Say numbers and times as people read them; pure, and given to the templates as filters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SHORTEST = 0.9995  # what rounds to a whole second


def clock(seconds: float | None) -> str:
    """Return a time as ISO 8601 in UTC, to the second; empty for none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_and_time(seconds: float | None) -> str:
    """Return a time as people write it, UTC; the page's script puts their own zone in its place."""
    return "–" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M:%S UTC")


def ago(seconds: float | None, now: float) -> str:
    """Say how long ago, or how soon, something is."""
    if seconds is None:
        return "never"
    away = now - seconds
    return "now" if abs(away) < 1 else f"{span(float(int(away)))} ago" if away > 0 else f"in {span(float(int(-away)))}"


def span(seconds: float | None) -> str:
    """Say how long something takes, in the two units that matter."""
    if seconds is None:
        return "–"
    if seconds < _SHORTEST:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - a digit more for short ones
        return f"{seconds:.1f} s".replace(".0 ", " ")
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    for size, unit, smaller, word in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole:,} {unit}" + (f" {rest // smaller} {word}" if rest // smaller and whole < 10 else "")  # noqa: PLR2004 - two units only while both matter
    return f"{seconds:.0f} s"


def number(value: float | None) -> str:
    """Return a count with its thousands apart."""
    return "–" if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """Return a part of one as per cent, never 100 unless it is all."""
    if value is None:
        return "–"
    text = f"{value * 100:.1f}".rstrip("0").rstrip(".")
    return f"{'> 99.9' if value < 1 and text == '100' else text} %"


def plural(count: float, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def pretty(raw: bytes | str) -> str:
    """Return JSON set out over lines, or the text that is there in its place."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def commands(text: str) -> Markup:
    """Return a sentence with what stands between backticks as commands; everything in it is escaped."""
    pieces = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(piece) if place % 2 else piece for place, piece in enumerate(pieces))


def spark(values: list[float], width: int = 120, height: int = 24) -> str:
    """Return the points of an SVG polyline for a small picture of some values."""
    most = max(values, default=0) or 1
    step = width / max(1, len(values) - 1)
    return " ".join(f"{place * step:.1f},{height - 1 - value / most * (height - 2):.1f}" for place, value in enumerate(values))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "clock": clock,
    "day_and_time": day_and_time,
    "ago": ago,
    "span": span,
    "number": number,
    "share": share,
    "plural": plural,
    "pretty": pretty,
    "spark": spark,
    "commands": commands,
    "pairs": lambda values: [(value, value.capitalize()) for value in values],
    "pair": lambda value: (value, value),
    "words": lambda code: str(code).replace("_", " "),
}
