"""Write the values of properties as plain text: "All custom properties forwarded by the user are currently sent as strings".

Amplitude, "Create an Event Streaming Integration", "Limitations".
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from candu_source.integrations.freemarker.limits import DIGITS

# The decimal digits of so many bits are about DIGITS; Python refuses to write integers of more than 4,300.
_BITS = DIGITS * 10 // 3


def plain_text(value: Any) -> str | None:
    """Return a text, a number or a boolean as text; None for lists, objects, null, and numbers that no system holds.

    Numbers are written without exponent and without zeros at the end: 1.50 is 1.5, 1e3 is 1000.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    exact = exact_number(value)
    if exact is None:
        return None
    digits = format(exact, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits == "-0" else digits


def exact_number(value: Any) -> Decimal | None:
    """Return a JSON number exactly; None for anything else, booleans among it, and for more than 400 digits on a side of the point."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() <= _BITS else None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, Decimal) and value.is_finite():
        exponent = value.as_tuple().exponent
        return value if abs(value.adjusted()) <= DIGITS and isinstance(exponent, int) and abs(exponent) <= DIGITS else None
    return None
