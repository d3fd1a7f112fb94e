"""Print and read moments by Java's SimpleDateFormat patterns, the part that templates use, and by ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from candu_source.integrations.freemarker.faults import refused, wrong
from candu_source.integrations.freemarker.values import Moment, When

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LETTERS = "yMdHhmsSaZXE"
# The styles that Java gives names to, in en_US.
_DATES = {"short": "M/d/yy", "medium": "MMM d, yyyy"}
_TIMES = {"short": "h:mm a", "medium": "h:mm:ss a"}
_TEXT_FROM = 3


class Field(NamedTuple):
    """Hold one part of a pattern: a letter and how often it stands there (`width`), or literal text when the letter is empty."""

    letter: str
    width: int
    text: str = ""


def zone_named(name: str) -> tzinfo:
    """Return the time zone of that name, or of a form like GMT+02:00; raise `runtime` for an unknown one."""
    if name in {"UTC", "GMT", "Z"}:
        return UTC
    if found := re.fullmatch(r"GMT([+-])(\d{1,2})(?::?([0-5]\d))?", name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        if offset < timedelta(hours=24):
            return timezone(offset if found[1] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise wrong(f"{name!r} is no time zone; write one like UTC or America/Los_Angeles") from None


@lru_cache(maxsize=256)
def parse_pattern(pattern: str) -> tuple[Field, ...]:
    """Return the fields of a pattern; raise `runtime` for letters that mean nothing, `unsupported` for those left out."""
    fields: list[Field] = []
    for found in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'", pattern):
        text, letter = found.group(), found[2]
        if text == "'":
            raise wrong(f"{pattern!r} is no date format: a quote is not closed")
        if letter is None:
            quoted = found[1]
            fields.append(Field("", 0, text if quoted is None else quoted.replace("''", "'") or "'"))
        elif letter in _LETTERS:
            fields.append(Field(letter, len(text)))
        else:
            raise refused(f"{letter} in a date format is not supported; use {' '.join(_LETTERS)} and quoted text")
    return tuple(fields)


def style(pattern: str, kind: When) -> str:
    """Return the pattern that a name like `medium` or `short_medium` stands for; any other text is a pattern already."""
    names = (pattern or "medium").split("_")
    if not set(names) <= {"short", "medium", "long", "full"} or len(names) > (2 if kind == "datetime" else 1):
        return pattern
    if not set(names) <= set(_DATES):
        raise refused("the styles long and full are not supported; write the format out")
    if kind == "date":
        return _DATES[names[0]]
    return _TIMES[names[-1]] if kind == "time" else f"{_DATES[names[0]]}, {_TIMES[names[-1]]}"


def local(moment: Moment, zone: tzinfo) -> datetime:
    """Return the moment in a zone; raise `runtime` outside of the years 1 to 9999."""
    try:
        return (EPOCH + timedelta(milliseconds=moment.millis)).astimezone(zone)
    except OverflowError:
        raise wrong("the date is outside of the years 1 to 9999") from None


def is_iso(pattern: str) -> bool:
    """Tell whether a format is ISO 8601, with or without options."""
    return pattern == "xs" or re.match(r"iso(?![^_ ])", pattern) is not None


def formatted_moment(moment: Moment, pattern: str, zone: tzinfo) -> str:
    """Return the moment printed by a pattern, by the name of a style, or as `iso` with its options."""
    when = local(moment, zone)
    if is_iso(pattern):
        return iso_text(when, moment.kind, pattern)
    return "".join(_printed(field, when) for field in parse_pattern(style(pattern, moment.kind)))


def _printed(field: Field, when: datetime) -> str:
    letter, width = field.letter, field.width
    if not letter:
        return field.text
    if letter in "ZX":
        return _offset(when, letter, width)
    if letter in "Ea" or (letter == "M" and width >= _TEXT_FROM):
        return _word(letter, width, when)
    if letter == "y" and width == 2:  # noqa: PLR2004 - yy
        return f"{when.year % 100:02d}"
    numbers = {
        "y": when.year,
        "M": when.month,
        "d": when.day,
        "H": when.hour,
        "h": when.hour % 12 or 12,
        "m": when.minute,
        "s": when.second,
    }
    return str(numbers.get(letter, when.microsecond // 1000)).rjust(width, "0")


def _word(letter: str, width: int, when: datetime) -> str:
    """Return AM or PM, or the name of the day or month, cut to three letters up to that width."""
    if letter == "a":
        return "AM" if when.hour < 12 else "PM"  # noqa: PLR2004 - noon
    name = DAYS[when.weekday()] if letter == "E" else MONTHS[when.month - 1]
    return name if width > _TEXT_FROM else name[:_TEXT_FROM]


def _offset(when: datetime, letter: str, width: int) -> str:
    """Return the zone's distance from UTC: +0200 for Z; Z or +02, +0200, +02:00 for X, XX, XXX."""
    minutes = int((when.utcoffset() or timedelta()).total_seconds() // 60)
    if letter == "X" and minutes == 0:
        return "Z"
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    if letter == "X" and width == 1:
        return f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{':' if letter == 'X' and width > 2 else ''}{rest:02d}"  # noqa: PLR2004 - XXX


def iso_text(when: datetime, kind: When, pattern: str = "iso") -> str:
    """Return ISO 8601 as FreeMarker writes it: seconds, their fraction when there is one, the zone; options by `iso_…`."""
    options = set(re.split("[_ ]", pattern)[1:])
    if not options <= {"h", "m", "s", "ms", "nz", "fz", "u"}:
        raise wrong(f"{pattern!r} is no date format; iso takes the options h, m, s, ms, nz, fz and u")
    if "u" in options:
        when = when.astimezone(UTC)
    date, time = f"{when.year:04d}-{when.month:02d}-{when.day:02d}", _iso_time(when, options)
    zone = "" if "nz" in options else _offset(when, "X", 3)
    return date if kind == "date" else f"{date}T{time}{zone}" if kind == "datetime" else f"{time}{zone}"


def _iso_time(when: datetime, options: set[str]) -> str:
    parts = [f"{when.hour:02d}"]
    if "h" not in options:
        parts.append(f"{when.minute:02d}")
        if "m" not in options:
            millis = f"{when.microsecond // 1000:03d}"
            fraction = "" if "s" in options else millis if "ms" in options else millis.rstrip("0")
            parts.append(f"{when.second:02d}{'.' if fraction else ''}{fraction}")
    return ":".join(parts)
