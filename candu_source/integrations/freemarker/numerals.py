"""Print numbers by Java's DecimalFormat patterns, the part that templates use: `0 # . ,`, a percent sign, quoted text."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

from candu_source.integrations.freemarker.arithmetic import EXACT
from candu_source.integrations.freemarker.faults import refused, wrong
from candu_source.integrations.freemarker.limits import DIGITS
from candu_source.integrations.freemarker.values import Number

# The names that number_format and ?string take for patterns, in en_US.
NAMED = {"number": "#,##0.###", "percent": "#,##0%", "currency": "$#,##0.00", "": "#,##0.###"}
_DIGITS = re.compile("[#0,.]*")
# What ?c keeps: sixteen decimals (freemarker: Environment.getCNumberFormat).
_PLAIN_DECIMALS = 16


class Pattern(NamedTuple):
    """Hold a pattern's parts: how many digits at least and at most, the size of a group, whether a point stands without decimals.

    Around the digits stand `prefix` and `suffix`; `shift` moves the point, for percents.
    """

    integers: int = 1
    decimals: int = 0
    most_decimals: int = 0
    group: int = 0
    point: bool = False
    prefix: str = ""
    suffix: str = ""
    shift: int = 0


_PLAIN = Pattern(most_decimals=_PLAIN_DECIMALS)


def plain(number: Number) -> str:
    """Return the number as ?c prints it: no groups, a point, at most sixteen decimals."""
    if isinstance(number, int):
        return str(number)
    return formatted(number, _PLAIN)


def by_pattern(number: Number, pattern: str) -> str:
    """Return the number printed by a pattern or by the name of one; raise `runtime` for a pattern that is none."""
    if pattern == "computer":
        return plain(number)
    return formatted(number, parse_pattern(NAMED.get(pattern, pattern)))


def formatted(number: Number, pattern: Pattern) -> str:
    """Return the number printed, rounding half to even."""
    value = EXACT.scaleb(Decimal(number), pattern.shift)
    rounded = value.quantize(Decimal(1).scaleb(-pattern.most_decimals), rounding=ROUND_HALF_EVEN, context=EXACT)
    whole, _, rest = f"{abs(rounded):f}".partition(".")
    whole = whole.lstrip("0").rjust(pattern.integers, "0")
    rest = rest.rstrip("0").ljust(pattern.decimals, "0")
    if pattern.group:
        whole = _grouped(whole, pattern.group)
    sign = "-" if value < 0 else ""
    return f"{sign}{pattern.prefix}{whole or ('' if rest else '0')}{'.' if rest or pattern.point else ''}{rest}{pattern.suffix}"


def _grouped(digits: str, group: int) -> str:
    """Return the digits with a comma before each full group from the right."""
    head = len(digits) % group
    parts = [digits[:head]] if head else []
    return ",".join([*parts, *(digits[at : at + group] for at in range(head, len(digits), group))])


@lru_cache(maxsize=256)
def parse_pattern(pattern: str) -> Pattern:
    """Return the parts of a pattern; raise `runtime` for one that is malformed, `unsupported` for what this subset leaves out."""
    prefix, at, percent = _affix(pattern, 0)
    digits = _DIGITS.match(pattern, at)
    assert digits is not None
    suffix, end, other = _affix(pattern, digits.end())
    if end < len(pattern):
        raise wrong(f"{pattern!r} is no number format: digits must stand together")
    return _counted(pattern, digits.group())._replace(prefix=prefix, suffix=suffix, shift=2 if percent or other else 0)


def _affix(pattern: str, at: int) -> tuple[str, int, bool]:
    """Return the text before or after the digits, where it ends, and whether a percent sign is in it."""
    text: list[str] = []
    percent = quoted = False
    while at < len(pattern) and (quoted or pattern[at] not in "#0,."):
        char = pattern[at]
        if char == "'" and pattern.startswith("''", at):
            text.append("'")
            at += 1
        elif char == "'":
            quoted = not quoted
        elif char in ";E‰¤@*" and not quoted:
            raise refused(f"{char} in a number format is not supported; use 0 # . , % and quoted text")
        else:
            percent = percent or (char == "%" and not quoted)
            text.append(char)
        at += 1
    if quoted:
        raise wrong(f"{pattern!r} is no number format: a quote is not closed")
    return "".join(text), at, percent


def _counted(pattern: str, digits: str) -> Pattern:
    """Return the counts of digits, as DecimalFormat.applyPattern derives them."""
    if not re.fullmatch(r"[#,]*[0,]*(?:\.0*#*)?", digits) or digits.partition(".")[0].endswith(",") or len(digits) > DIGITS:
        raise wrong(f"{pattern!r} is no number format: write # before 0 left of the point, and after it right of the point")
    whole, point, rest = digits.partition(".")
    group = len(whole) - whole.rindex(",") - 1 if "," in whole else 0
    integers, decimals = whole.count("0"), rest.count("0")
    if not integers and not decimals and point:
        # "#.##" is read as "0.##", and ".##" as ".0#".
        integers, decimals = (1, 0) if whole else (0, min(1, len(rest)))
    if not digits and pattern:
        integers = 1
    return Pattern(integers, decimals, len(rest), group, point=bool(point) and not (whole and rest))
