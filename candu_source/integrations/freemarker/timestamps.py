"""Read moments from text, as leniently as Java does: fields may overflow, and what follows the pattern is left unread."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from candu_source.integrations.freemarker.dates import DAYS, EPOCH, MONTHS, Field, is_iso, parse_pattern, style
from candu_source.integrations.freemarker.faults import refused, wrong
from candu_source.integrations.freemarker.values import Moment, When

_LONGEST_NUMBER = 9
_TEXT_FROM = 3
_ISO = re.compile(
    r"""(?:(?P<y>\d{4})-?(?P<M>\d\d)-?(?P<d>\d\d))?
        (?:(?P<T>T)?(?P<H>\d\d)(?::?(?P<m>\d\d)(?::?(?P<s>\d\d)(?:[.,](?P<S>\d+))?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?""",
    re.VERBOSE | re.ASCII,
)


def read_moment(text: str, pattern: str, kind: When, zone: tzinfo) -> Moment:
    """Return the moment that the text tells by a pattern; raise `runtime` if it does not fit."""
    if is_iso(pattern):
        return _read_iso(text, kind, zone)
    fields = parse_pattern(style(pattern, kind))
    at, values = 0, dict[str, int]()
    for place, field in enumerate(fields):
        after = _read(field, fields[place + 1 :], text, at, values)
        if after is None:
            raise wrong(f"{text[:60]!r} does not fit the format {pattern or 'medium'!r} at {text[at : at + 20]!r}")
        at = after
    return _moment(values, kind, zone)


def _read(field: Field, following: tuple[Field, ...], text: str, at: int, values: dict[str, int]) -> int | None:
    """Put what the field says into `values` and return where it ends, None if it does not fit."""
    if not field.letter:
        return at + len(field.text) if text.startswith(field.text, at) else None
    while at < len(text) and text[at] in " \t":
        at += 1
    if field.letter == "a":
        return _read_word(("AM", "PM"), "a", text, at, values)
    if field.letter == "E":
        return _read_word((*DAYS, *(day[:3] for day in DAYS)), "E", text, at, values)
    if field.letter == "M" and field.width >= _TEXT_FROM:
        return _read_word((*MONTHS, *(month[:3] for month in MONTHS)), "M", text, at, values)
    if field.letter in "ZX":
        return _read_zone(field, text, at, values)
    if field.letter == "y" and field.width == 2:  # noqa: PLR2004 - yy
        raise refused("a year of two digits is ambiguous; write yyyy")
    return _read_number(field, following, text, at, values)


def _read_number(field: Field, following: tuple[Field, ...], text: str, at: int, values: dict[str, int]) -> int | None:
    """Read digits: as many as there are, unless another number follows without anything between."""
    adjacent = bool(following) and bool(following[0].letter) and following[0].letter not in "aEZX"
    most = field.width if adjacent or values.get("adjacent") else len(text)
    digits = re.compile(r"[0-9]+").match(text, at, at + most)
    if digits is None or len(digits.group()) > _LONGEST_NUMBER or (adjacent and len(digits.group()) < field.width):
        return None
    values["adjacent"] = int(adjacent)
    values[field.letter] = int(digits.group()) - (field.letter == "M")
    return digits.end()


def _read_word(words: tuple[str, ...], letter: str, text: str, at: int, values: dict[str, int]) -> int | None:
    """Read one of the words, whatever its case; the longest wins."""
    rest = text[at:].lower()
    fitting = [word for word in words if rest.startswith(word.lower())]
    if not fitting:
        return None
    longest = max(fitting, key=len)
    values[letter] = words.index(longest) % {"a": 2, "E": 7, "M": 12}[letter]
    return at + len(longest)


def _read_zone(field: Field, text: str, at: int, values: dict[str, int]) -> int | None:
    """Read Z, +02, +0200 or +02:00, and GMT before them for the letter Z."""
    found = re.compile(r"(?:GMT|UTC)?(?:(Z)|([+-])(\d\d):?(\d\d)?)?", re.ASCII | re.IGNORECASE).match(text, at)
    if found is None or not found.group() or (field.letter == "X" and text[at : at + 3].upper() in {"GMT", "UTC"}):
        return None
    minutes = int(found[3] or 0) * 60 + int(found[4] or 0)
    values["zone"] = -minutes if found[2] == "-" else minutes
    return found.end()


def _moment(values: dict[str, int], kind: When, zone: tzinfo) -> Moment:
    """Return the moment of the fields; those that overflow run into the next larger one."""
    if "zone" in values:
        zone = timezone(timedelta(minutes=values["zone"]))
    hour = values.get("H", values.get("h", 0) % 12 + 12 * values.get("a", 0) if "h" in values else 12 * values.get("a", 0))
    months = values.get("y", 1970) * 12 + values.get("M", 0)
    try:
        day = datetime(months // 12, months % 12 + 1, 1)  # noqa: DTZ001 - the zone comes after the overflow
        when = day + timedelta(values.get("d", 1) - 1, values.get("s", 0), 0, values.get("S", 0), values.get("m", 0), hour)
        span = when.replace(tzinfo=zone) - EPOCH
    except (ValueError, OverflowError):
        raise wrong("the date is outside of the years 1 to 9999") from None
    return Moment(span // timedelta(milliseconds=1), kind)


def _read_iso(text: str, kind: When, zone: tzinfo) -> Moment:
    """Return the moment of an ISO 8601 text: a date, a time or both, as the kind needs."""
    found = _ISO.fullmatch(text)
    fits = (
        found is not None and {"date": found["y"] and not found["H"], "time": found["H"] and not found["y"], "datetime": found["y"]}[kind]
    )
    if found is None or not fits or bool(found["T"]) != bool(found["y"] and found["H"]):
        raise wrong(f"{text[:60]!r} is no ISO 8601 {kind}")
    values = {letter: int(found[letter] or 0) for letter in "Hms"}
    if found["y"]:
        values |= {"y": int(found["y"]), "M": int(found["M"]) - 1, "d": int(found["d"])}
        if not 1 <= int(found["M"]) <= len(MONTHS):
            raise wrong(f"{text[:60]!r} is no ISO 8601 {kind}: there is no such month")
    values["S"] = int((found["S"] or "0")[:3].ljust(3, "0"))
    if found["zone"]:
        _read_zone(Field("X", 1), text, found.start("zone"), values)
    return _moment(values, kind, zone)
