"""Foretell what a regular expression may cost, because Python's engine cannot be stopped once it searches.

A repetition is harmless while what follows it cannot begin with what it repeats: there is one place for it to end. Where it can, the engine
may try every place: each such choice multiplies the cost by the length of the text, and inside of another repetition by any power.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from candu_source.integrations.freemarker.faults import refused

# The parser of the re module has no public name.
c: Any = import_module("re._constants")
_parser: Any = import_module("re._parser")
# The characters that stand for all: where two classes meet beyond these, they meet within them, too.
_PROBES = frozenset(map(chr, range(256))) | {"\u0100", "\u2003", "\u3042", "\U0001f34e"}
_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d", c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_SPACE: r"\s", c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w", c.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = {c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT}
_LOOKS = {c.ASSERT, c.ASSERT_NOT}
Characters = frozenset[str]
_ANY = _PROBES
_NONE: Characters = frozenset()


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold a bound: `times` × length to the power of `degree`."""

    degree: int = 0
    times: int = 1

    def __mul__(self, other: Cost) -> Cost:
        """Return the cost of both choices together."""
        return Cost(self.degree + other.degree, min(self.times * other.times, 10**9))

    def on(self, length: int) -> int:
        """Return the bound for a text of that length."""
        return self.times * int(max(length, 1) ** min(self.degree, 64))


@dataclass(frozen=True, slots=True)
class Part:
    """Hold what a piece of a pattern can begin with, whether it can be empty, and what its choices cost."""

    first: Characters
    empty: bool
    cost: Cost


def cost_of(pattern: str, flags: int) -> Cost:
    """Return the bound for one search; raise `unsupported` for a pattern that may take exponential time, `re.error` for none."""
    tree = _parser.parse(pattern, flags)
    insensitive = bool((flags | tree.state.flags) & re.IGNORECASE)
    # A search starts at every place; where a long run may turn out to be in vain, it is walked over from each of its places.
    in_vain = _endless(list(tree)[:-1]) or _endless([inner for _, argument in list(tree)[-1:] for inner in _inner(argument)])
    return _sequence(list(tree), _NONE, repeated=False, insensitive=insensitive).cost * Cost(degree=2 if in_vain else 1)


def _endless(items: list[Any]) -> bool:
    """Tell whether any of the pieces repeats without a bound."""
    return any((operation in _REPEATS and argument[1] is c.MAXREPEAT) or _endless(_inner(argument)) for operation, argument in items)


def _inner(argument: Any) -> list[Any]:
    """Return the pieces within a piece."""
    if isinstance(argument, _parser.SubPattern):
        return list(argument)
    if isinstance(argument, tuple | list):
        return [piece for part in argument if isinstance(part, _parser.SubPattern | list) for piece in _inner(part)]
    return []


def _sequence(items: list[Any], follow: Characters, *, repeated: bool, insensitive: bool) -> Part:
    """Judge pieces from the last to the first: each needs to know what can follow it."""
    part = Part(_NONE, True, Cost())
    for operation, argument in reversed(items):
        after = part.first | follow if part.empty else part.first
        one = _piece(operation, argument, after, repeated=repeated, insensitive=insensitive)
        part = Part(one.first | part.first if one.empty else one.first, one.empty and part.empty, one.cost * part.cost)
    return part


def _piece(operation: Any, argument: Any, follow: Characters, *, repeated: bool, insensitive: bool) -> Part:
    """Judge one piece of the parser's tree."""
    if operation in _REPEATS:
        return _repetition(argument, follow, repeated=repeated, insensitive=insensitive)
    if operation is c.BRANCH:
        parts = [_sequence(list(branch), follow, repeated=repeated, insensitive=insensitive) for branch in argument[1]]
        return _choice(parts, follow, repeated=repeated)
    if operation in {c.SUBPATTERN, c.ATOMIC_GROUP}:
        inner = argument if operation is c.ATOMIC_GROUP else argument[3]
        added = operation is c.SUBPATTERN and bool(argument[1] & re.IGNORECASE)
        return _sequence(list(inner), follow, repeated=repeated, insensitive=insensitive or added)
    if operation in _LOOKS:
        look = _sequence(list(argument[1]), _ANY, repeated=repeated, insensitive=insensitive)
        return Part(_NONE, True, look.cost * Cost(degree=1))
    return _unit(operation, argument, insensitive=insensitive)


def _unit(operation: Any, argument: Any, *, insensitive: bool) -> Part:
    """Judge a piece without pieces within."""
    if operation is c.AT:
        return Part(_NONE, True, Cost())
    if operation is c.GROUPREF:
        return Part(_ANY, True, Cost(degree=1))
    return Part(_characters(operation, argument, insensitive=insensitive), False, Cost())


def _repetition(argument: Any, follow: Characters, *, repeated: bool, insensitive: bool) -> Part:
    least, most, items = argument
    endless = most is c.MAXREPEAT
    many = endless or most > 1
    body = _sequence(list(items), follow, repeated=repeated or many, insensitive=insensitive)
    if many:
        # Once more with what the next round begins with: now the inner pieces know all that can follow them.
        body = _sequence(list(items), follow | body.first, repeated=repeated or many, insensitive=insensitive)
    chosen = least != most and bool(body.first & follow)
    if repeated and (chosen or (body.empty and many)):
        raise refused("a repetition within a repetition can be divided in many ways; write the pattern without the inner one")
    cost = body.cost
    if chosen:
        cost = cost * (Cost(degree=1) if endless else Cost(times=most - least + 1))
    return Part(body.first, body.empty or least == 0, cost)


def _choice(parts: list[Part], follow: Characters, *, repeated: bool) -> Part:
    """Judge alternatives: harmless while the first character tells which one it is."""
    seen: Characters = _NONE
    clash = False
    for part in parts:
        first = part.first | follow if part.empty else part.first
        clash = clash or bool(first & seen) or (part.empty and any(other.empty for other in parts if other is not part))
        seen = seen | first
    if clash and repeated:
        raise refused("alternatives within a repetition can begin alike; write the pattern so that their first characters differ")
    cost = Cost(times=len(parts) if clash else 1)
    for part in parts:
        cost = cost * part.cost
    return Part(frozenset().union(*(part.first for part in parts)), any(part.empty for part in parts), cost)


def _characters(operation: Any, argument: Any, *, insensitive: bool) -> Characters:
    """Return which characters a piece takes that takes one."""
    if operation is c.ANY:
        return _ANY
    if operation is c.LITERAL:
        found: Characters = frozenset({_probe(argument)})
    elif operation is c.NOT_LITERAL:
        found = _PROBES - {_probe(argument)}
    elif operation is c.IN:
        found = _class(argument)
    else:
        raise refused(f"{str(operation).lower()} in a regular expression is not supported")
    return found | {other for one in found for other in (one.lower(), one.upper())} if insensitive else found


def _probe(code: int) -> str:
    return chr(code) if chr(code) in _PROBES else "\u0100"


def _class(items: list[Any]) -> Characters:
    """Return what a class like [a-z\\d] takes."""
    found: set[str] = set()
    negated = False
    for operation, argument in items:
        if operation is c.NEGATE:
            negated = True
        elif operation is c.LITERAL:
            found.add(_probe(argument))
        elif operation is c.RANGE:
            found |= {one for one in _PROBES if argument[0] <= ord(one) <= argument[1]}
            found |= {"\u0100"} if argument[1] > 255 else set()  # noqa: PLR2004 - the probes are exact below
        else:
            found |= {one for one in _PROBES if re.match(_CATEGORIES[argument], one, re.ASCII)}
    # "\u0100" stands for every character beyond the probes, so a negated class may still take some of those.
    return (_PROBES - found) | {"\u0100"} if negated else frozenset(found)
