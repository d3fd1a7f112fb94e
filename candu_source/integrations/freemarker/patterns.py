"""Search by regular expressions: Java's syntax as far as Python's engine goes, and no pattern that may run away."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from candu_source.integrations.freemarker.backtracking import Cost, cost_of
from candu_source.integrations.freemarker.faults import Problem, exceeded, refused, wrong
from candu_source.integrations.freemarker.limits import MATCHING_A_STEP, MATCHING_COST, PATTERN_CHARACTERS
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Match, Matches

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "c": re.VERBOSE}
_PLAIN = re.compile(r"[^\\$]+")
# Java's dot stops at more line ends than Python's.
_DOT = r"[^\n\r\x85\u2028\u2029]"


class Flags(NamedTuple):
    """Hold what the letters behind a pattern say: a regular expression, only the first, whatever the case, Python's own."""

    pattern: bool
    first: bool
    insensitive: bool
    engine: int


def read_flags(letters: str) -> Flags:
    """Return what the letters r, i, f, m, s and c say; raise `runtime` for others."""
    if unknown := set(letters) - {"r", "f", *_FLAGS}:
        raise wrong(f"{min(unknown)!r} is no flag; r, i, f, m, s and c are")
    engine = 0
    for letter in letters:
        engine |= _FLAGS.get(letter, 0)
    return Flags("r" in letters, "f" in letters, "i" in letters, engine)


class Compiled(NamedTuple):
    """Hold a pattern ready to search, and what searching costs."""

    pattern: re.Pattern[str]
    cost: Cost


@lru_cache(maxsize=256)
def compiled(source: str, flags: int) -> Compiled:
    """Return the pattern; raise `runtime` if it is malformed, `unsupported` for what Python cannot do or would do for ages."""
    if len(source) > PATTERN_CHARACTERS:
        raise exceeded(f"a regular expression is longer than {PATTERN_CHARACTERS} characters, the limit")
    written = _translated(source, dot_all=bool(flags & re.DOTALL))
    try:
        return Compiled(re.compile(written, flags | re.ASCII), cost_of(written, flags | re.ASCII))
    except (re.error, OverflowError) as error:
        raise wrong(f"{source[:60]!r} is no regular expression: {error}") from None
    except RecursionError:
        raise exceeded("a regular expression is nested too deeply") from None


def _translated(source: str, *, dot_all: bool) -> str:
    """Return Java's pattern in Python's words."""
    written: list[str] = []
    at = opened = 0
    in_class = False
    while at < len(source):
        char = source[at]
        if char == "\\":
            text, at = _escape(source, at, in_class=in_class)
            written.append(text)
            continue
        if in_class:
            text = _in_class(source, at)
            in_class = char != "]" or at == opened
        else:
            text = _outside(source, at, dot_all=dot_all)
            in_class = char == "["
            # A ] right at the start of a class is one of its characters.
            opened = at + 2 if source[at + 1 : at + 2] == "^" else at + 1
        written.append(text)
        at += 1
    return "".join(written)


def _escape(source: str, at: int, *, in_class: bool) -> tuple[str, int]:
    """Return an escape in Python's words and where it ends."""
    letter = source[at + 1 : at + 2]
    if letter == "Q":
        end = source.find("\\E", at + 2)
        end = len(source) if end < 0 else end
        return re.escape(source[at + 2 : end]), end + 2
    if letter == "z" and not in_class:
        return r"\Z", at + 2
    if letter == "Z" and not in_class:
        return r"(?=\n?\Z)", at + 2
    if letter == "x" and source[at + 2 : at + 3] == "{":
        raise refused(r"\x{…} in a regular expression is not supported; write the character")
    if letter.isascii() and letter.isalpha() and letter not in "bBdDsSwWAntrfvaux":
        raise refused(f"\\{letter} in a regular expression is not supported")
    return source[at : at + 2], at + 2


def _in_class(source: str, at: int) -> str:
    if source[at] == "[" or source.startswith("&&", at):
        raise refused("classes within classes in a regular expression are not supported; write them side by side with |")
    return f"\\{source[at]}" if source[at] in "&~|" else source[at]


def _outside(source: str, at: int, *, dot_all: bool) -> str:
    if source[at] == "." and not dot_all:
        return _DOT
    named = source[at - 1 : at + 2] == "(?<" and source[at + 2 : at + 3] not in {"=", "!"}
    return "?P" if named and source[at - 2 : at - 1] != "\\" else source[at]


def search(scope: Scope, source: str, flags: int, text: str) -> re.Pattern[str]:
    """Return the pattern after its cost on that text is paid; raise a limit if it is too high."""
    ready = compiled(source, flags)
    cost = ready.cost.on(len(text))
    if cost > MATCHING_COST:
        raise exceeded(f"{source[:60]!r} may take too long on a text of {len(text)} characters; shorten the text or repeat less")
    scope.spend(cost // MATCHING_A_STEP)
    return ready.pattern


def all_matches(scope: Scope, source: str, flags: Flags, text: str) -> Matches:
    """Return whether all of the text matches, and each match within it."""
    pattern = search(scope, source, flags.engine, text)
    whole = pattern.fullmatch(text)
    found = [_match(one) for one in pattern.finditer(text)]
    scope.spend(len(found))
    return Matches(_match(whole) if whole else None, found)


def _match(found: re.Match[str]) -> Match:
    return Match(found.group(), [found.group(), *(group or "" for group in found.groups())])


def replaced(scope: Scope, source: str, flags: Flags, text: str, replacement: str) -> str:
    """Return the text with the matches replaced; $1 stands for a group, \\ before a character for itself."""
    pattern = search(scope, source, flags.engine, text)
    return _put(scope, pattern, flags, text, _expansion(replacement, pattern.groups))


def replaced_anyhow(scope: Scope, old: str, flags: Flags, text: str, new: str) -> str:
    """Return the text with the words `old` replaced, whatever their case."""
    return _put(scope, re.compile(re.escape(old), re.IGNORECASE), flags, text, lambda _: new)


def _put(scope: Scope, pattern: re.Pattern[str], flags: Flags, text: str, expand: Callable[[re.Match[str]], str]) -> str:
    parts: list[str] = []
    at = 0
    for found in pattern.finditer(text):
        parts += [text[at : found.start()], expand(found)]
        scope.spend(1)
        scope.spend_text(len(parts[-1]))
        at = found.end()
        if flags.first:
            break
    return "".join([*parts, text[at:]])


def _expansion(replacement: str, groups: int) -> Callable[[re.Match[str]], str]:
    """Return what writes the replacement for a match."""
    parts: list[str | int] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        if char not in "\\$":
            plain = _PLAIN.match(replacement, at)
            assert plain is not None
            parts.append(plain.group())
            at = plain.end() - 1
        elif char == "\\":
            at += 1
            parts.append(replacement[at : at + 1] or _malformed(replacement))
        else:
            digits = re.compile("[0-9]*").match(replacement, at + 1)
            number = _group(digits.group() if digits else "", groups)
            parts.append(_malformed(replacement) if number is None else int(number))
            at += len(number or "")
        at += 1
    return lambda found: "".join([part if isinstance(part, str) else found[part] or "" for part in parts])


def _group(digits: str, groups: int) -> str | None:
    """Return the digits that name a group: the first, and more while such a group exists."""
    if not digits or int(digits[0]) > groups:
        return None
    taken = 1
    while taken < len(digits) and int(digits[: taken + 1]) <= groups:
        taken += 1
    return digits[:taken]


def _malformed(replacement: str) -> str:
    raise Problem("runtime", f"{replacement[:60]!r} is no replacement: $ names a group by its number, \\ stands before a character")
