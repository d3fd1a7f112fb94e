"""Write values as JSON, as Amplitude's helper object does, and read them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from candu_source.integrations.freemarker.faults import exceeded, wrong
from candu_source.integrations.freemarker.limits import NESTING
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Match, Range, Value, as_hash, as_number, as_sequence, type_name


def json_text(scope: Scope, value: Value, depth: int = 0) -> str:
    """Return the value as JSON without white space, its text unescaped beyond what JSON asks; raise `runtime` for what JSON lacks."""
    scope.spend(1)
    if depth > NESTING:
        raise exceeded(f"a value is nested deeper than {NESTING}, the limit")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str | Match):
        text = value.text if isinstance(value, Match) else value
        scope.spend_text(len(text))
        return json.dumps(text, ensure_ascii=False)
    number = as_number(value)
    if number is not None:
        return f"{number:f}" if isinstance(number, Decimal) else str(number)
    return _container(scope, value, depth + 1)


def _container(scope: Scope, value: Value, depth: int) -> str:
    members = as_hash(value)
    if members is not None:
        return "{" + ",".join(f"{json_text(scope, str(key))}:{json_text(scope, one, depth)}" for key, one in members.items()) + "}"
    items = as_sequence(value)
    if items is None:
        raise wrong(f"{type_name(value)} cannot be written as JSON")
    if isinstance(items, Range) and items.size is None:
        raise wrong("a range without an end cannot be written as JSON")
    return "[" + ",".join(json_text(scope, one, depth) for one in items) + "]"


def read_json(text: str) -> Any:
    """Return the value of a JSON text, decimals kept exactly; raise `runtime` if it is none."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except ValueError as error:
        raise wrong(f"{text[:60]!r} is no JSON: {error}") from None
    except RecursionError:
        raise exceeded(f"a value is nested deeper than {NESTING}, the limit") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
