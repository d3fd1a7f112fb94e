"""Say what a built-in is, and read its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.utf16 import characters, units
from candu_source.integrations.freemarker.values import Match, Range, Value, as_number, as_sequence, type_name

Function = Callable[..., Value]


class BuiltIn(NamedTuple):
    """Hold a built-in: `function(scope, value, *arguments)`, and how many arguments it takes.

    `printing` ones take any argument that prints, so that a missing one is `undefined`; to others it is of a wrong type.
    """

    function: Function
    least: int = 0
    most: int = 0
    printing: bool = False


def on_text(function: Function, least: int = 0, most: int = 0, *, printing: bool = False) -> BuiltIn:
    """Return a built-in of text, which takes whatever prints: `function(scope, text, *arguments)`."""

    def run(scope: Scope, value: Value, *arguments: Value) -> Value:
        text = scope.text(value)
        scope.spend_text(len(text))
        result = function(scope, text, *arguments)
        if isinstance(result, str):
            scope.spend_text(len(result))
        return result

    return BuiltIn(run, least, most, printing)


def by_place(function: Function, least: int = 0, most: int = 0) -> BuiltIn:
    """Return a built-in of text that counts places, which it does in Java's units."""

    def run(scope: Scope, text: str, *arguments: Value) -> Value:
        scope.spend_places(text)
        parts = [units(one) if isinstance(one, str) else one for one in arguments]
        result = function(scope, units(text), *parts)
        return characters(result) if isinstance(result, str) else result

    return on_text(run, least, most)


def on_sequence(function: Function, least: int = 0, most: int = 0) -> BuiltIn:
    """Return a built-in of sequences: `function(scope, list, *arguments)`; each item is a step."""

    def run(scope: Scope, value: Value, *arguments: Value) -> Value:
        return function(scope, items_of(scope, value), *arguments)

    return BuiltIn(run, least, most)


def items_of(scope: Scope, value: Value) -> list[Value]:
    """Return the items of a sequence, each of them a step; raise `runtime` for anything else."""
    sequence = as_sequence(value)
    if sequence is None:
        raise wrong(f"a sequence is needed here, but this is {type_name(value)}")
    if isinstance(sequence, Range):
        scope.spend(2**31 if sequence.size is None else sequence.size)
        return list(sequence)
    scope.spend(len(sequence))
    return sequence


def text_argument(value: Value, place: int = 1) -> str:
    """Return an argument that has to be text."""
    if isinstance(value, Match):
        return value.text
    if not isinstance(value, str):
        raise wrong(f"argument {place} has to be text, but is {type_name(value)}")
    return str(value)


def whole_argument(value: Value, place: int = 1) -> int:
    """Return an argument that has to be a number, without its decimals."""
    number = None if isinstance(value, bool) else as_number(value)
    if number is None:
        raise wrong(f"argument {place} has to be a number, but is {type_name(value)}")
    return int(number)
