"""Calculate with exact decimals, as FreeMarker does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.limits import DIGITS
from candu_source.integrations.freemarker.values import Number, Value, as_number, type_name, within_digits

# Wide enough for a product of two numbers within the limit of digits, so that nothing is rounded on the way.
EXACT = Context(prec=4 * DIGITS + 50, rounding=ROUND_HALF_UP)
# Products and quotients keep twelve decimals at least, rounded half up (java: ArithmeticEngine.BIGDECIMAL_ENGINE).
_SCALE = 12
_UNIT = Decimal(1).scaleb(-_SCALE)


def calculate(operator: str, left: Value, right: Value) -> Number:
    """Return left operator right for - * / %; raise `runtime` for anything but numbers, and for division by zero."""
    first, second = as_number(left), as_number(right)
    if first is None or second is None:
        off = left if first is None else right
        raise wrong(f"{operator} needs numbers, but one side is {type_name(off)}; text becomes a number with ?number")
    return within_digits(_CALCULATIONS[operator](first, second))


def add(left: Number, right: Number) -> Number:
    """Return the exact sum."""
    if type(left) is int and type(right) is int:
        return left + right
    return within_digits(EXACT.add(Decimal(left), Decimal(right)))


def _subtract(left: Number, right: Number) -> Number:
    return left - right if type(left) is int and type(right) is int else EXACT.subtract(Decimal(left), Decimal(right))


def _multiply(left: Number, right: Number) -> Number:
    if type(left) is int and type(right) is int:
        return left * right
    product = EXACT.multiply(Decimal(left), Decimal(right))
    return EXACT.quantize(product, _UNIT) if _decimals(product) > _SCALE else product


def _divide(left: Number, right: Number) -> Number:
    if right == 0:
        raise wrong("division by zero")
    decimals = max(_decimals(left), _decimals(right))
    scale = max(_SCALE, decimals)
    first, second = (int(EXACT.scaleb(Decimal(side), decimals)) for side in (left, right))
    rounded = (2 * abs(first) * 10**scale + abs(second)) // (2 * abs(second))
    return EXACT.scaleb(Decimal(rounded if (first < 0) == (second < 0) else -rounded), -scale)


def _remainder(left: Number, right: Number) -> Number:
    first, second = int(left), int(right)
    if second == 0:
        raise wrong("division by zero")
    rest = abs(first) % abs(second)
    return -rest if first < 0 else rest


def _decimals(number: Number) -> int:
    return max(0, -number.as_tuple().exponent) if isinstance(number, Decimal) else 0  # type: ignore[operator]  # finite: an int


_CALCULATIONS: dict[str, Callable[[Number, Number], Number]] = {"-": _subtract, "*": _multiply, "/": _divide, "%": _remainder}
