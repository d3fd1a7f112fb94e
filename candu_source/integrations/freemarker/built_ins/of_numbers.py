"""The built-ins of numbers, booleans and dates, and those that ask what a value is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from candu_source.integrations.freemarker.arithmetic import EXACT, add
from candu_source.integrations.freemarker.built_ins.table import BuiltIn
from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.numerals import by_pattern, plain
from candu_source.integrations.freemarker.operations import character
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.timestamps import read_moment
from candu_source.integrations.freemarker.values import (
    Emptiness,
    Match,
    Moment,
    Number,
    Value,
    When,
    as_boolean,
    as_hash,
    as_number,
    as_sequence,
    type_name,
)


def _number(value: Value) -> Number:
    number = as_number(value)
    if number is None:
        raise wrong(f"a number is needed here, but this is {type_name(value)}; text becomes one with ?number")
    return number


def _rounding(rounding: str) -> BuiltIn:
    def run(_: Scope, value: Value) -> int:
        return int(Decimal(_number(value)).to_integral_value(rounding, context=EXACT))

    return BuiltIn(run)


def _round(_: Scope, value: Value) -> int:
    """Round halves up, -2.5 to -2."""
    return int(Decimal(add(_number(value), Decimal("0.5"))).to_integral_value(ROUND_FLOOR, context=EXACT))


def _plain(_: Scope, value: Value) -> str:
    truth = as_boolean(value)
    if truth is not None:
        return "true" if truth else "false"
    number = as_number(value)
    if number is None:
        raise wrong(f"?c takes a number or a boolean, but this is {type_name(value)}")
    return plain(number)


def _string(scope: Scope, value: Value, *arguments: Value, selected: bool = False) -> Value:
    """Print by a format; `selected` tells ?string['0.0'] from ?string('0.0')."""
    truth = as_boolean(value)
    if truth is not None:
        return _chosen(scope, truth, arguments, selected=selected)
    if isinstance(value, str | Match):
        if not arguments:
            return scope.text(value)
        if selected and as_number(arguments[0]) is not None:
            return character(scope, scope.text(value), _number(arguments[0]))
        raise wrong("?string takes a format for numbers, dates and booleans, but this is text already")
    if len(arguments) > 1:
        raise wrong("?string takes one format here")
    number = as_number(value)
    if number is not None:
        return by_pattern(number, scope.text(arguments[0])) if arguments else scope.text(number)
    if isinstance(value, Moment):
        return scope.formats.moment(value, scope.text(arguments[0]) if arguments else None)
    raise wrong(f"?string takes a number, a date, a boolean or text, but this is {type_name(value)}")


def _chosen(scope: Scope, value: bool, arguments: tuple[Value, ...], *, selected: bool) -> str:
    """Return one of the two words for a boolean; `true` and `false` without words."""
    if not arguments:
        return scope.formats.boolean_words()[0 if value else 1]
    if selected or len(arguments) != 2:  # noqa: PLR2004 - yes and no
        raise wrong("?string takes two words for a boolean, as in ?string('yes', 'no')")
    return scope.text(arguments[0 if value else 1])


def _moment(kind: When) -> BuiltIn:
    def run(scope: Scope, value: Value, *arguments: Value, selected: bool = False) -> Moment:
        if isinstance(value, Moment):
            return _part(value, kind)
        pattern = scope.text(arguments[0]) if arguments else scope.formats.pattern(kind)
        return read_moment(scope.text(value), pattern, kind, scope.formats.zone)

    return BuiltIn(run, 0, 1, printing=True)


def _part(moment: Moment, kind: When) -> Moment:
    if moment.kind not in {kind, "datetime"}:
        raise wrong(f"a {moment.kind} has no {kind}")
    return Moment(moment.millis, kind)


def _from_number(kind: When) -> BuiltIn:
    return BuiltIn(lambda _, value: Moment(int(_number(value)), kind))


def _long(_: Scope, value: Value) -> int:
    return value.millis if isinstance(value, Moment) else int(Decimal(_number(value)).to_integral_value(ROUND_DOWN, context=EXACT))


def _is(test: Callable[[Value], bool]) -> BuiltIn:
    return BuiltIn(lambda _, value: test(value))


TABLE = {
    "abs": BuiltIn(lambda _, value: abs(_number(value))),
    "ceiling": _rounding(ROUND_CEILING),
    "floor": _rounding(ROUND_FLOOR),
    "int": _rounding(ROUND_DOWN),
    "round": BuiltIn(_round),
    "long": BuiltIn(_long),
    "c": BuiltIn(_plain),
    "string": BuiltIn(_string, 0, 2, printing=True),
    "date": _moment("date"),
    "time": _moment("time"),
    "datetime": _moment("datetime"),
    "number_to_date": _from_number("date"),
    "number_to_datetime": _from_number("datetime"),
    "is_boolean": _is(lambda value: as_boolean(value) is not None),
    "is_date": _is(lambda value: isinstance(value, Moment)),
    "is_hash": _is(lambda value: as_hash(value) is not None),
    "is_number": _is(lambda value: as_number(value) is not None),
    "is_sequence": _is(lambda value: as_sequence(value) is not None),
    "is_string": _is(lambda value: isinstance(value, str | Match | Emptiness)),
}
# These may be followed by a format in brackets or after a point: ?string['0.0'], ?string.iso, ?datetime.iso.
SELECTING = frozenset({"string", "date", "time", "datetime"})
