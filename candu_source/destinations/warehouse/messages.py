"""Read messages, whatever they are: nothing in them may stop a sync."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

# What PostgreSQL cannot store in text, as JSON writes it; the doors refuse it, messages from elsewhere may hold it.
_NUL = b"\\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Whole numbers with more digits are beyond every float, and Python refuses to read the longest.
_MOST_DIGITS = 310


class Message(msgspec.Struct, rename="camel", gc=False):
    """Hold one Segment call, undecided: every word may be any JSON. The context is left as it came, because it is often one seen before."""

    type: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    received_at: Any = None
    context: msgspec.Raw = msgspec.Raw(b"null")
    properties: Any = None
    traits: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    group_id: Any = None
    previous_id: Any = None
    integrations: Any = None


_decode = msgspec.json.Decoder(Message).decode
decode_any = msgspec.json.Decoder().decode


def read(message: bytes) -> Message:
    """Return the call that a message is; raise ValueError or RecursionError for what `mend` may make readable."""
    if _NUL in message and _ESCAPED_NUL.search(message):
        raise ValueError("there is NUL in text")
    return _decode(message)


def mend(message: bytes) -> Message:
    """Return the call that a message is, without what JSON or warehouses do not know.

    Text loses NUL and lone surrogates, bytes that are no UTF-8 become U+FFFD, numbers beyond all bounds become null.
    Raises ValueError for what is no JSON object, RecursionError for what is nested too deep.
    """
    lenient = json.loads(message.decode("utf-8-sig", "replace"), parse_int=_whole, parse_float=_finite, parse_constant=_nothing)
    return _decode(msgspec.json.encode(_clean(lenient)))


def wants_warehouse(integrations: Any) -> bool:
    """Tell whether a message's `integrations` lets it into warehouses (Segment, "Warehouses FAQ", Can I control what data is sent).

    `Warehouses`, true, false or `{"all": …}`, has the word before `All`; what says neither is loaded.
    """
    if not isinstance(integrations, dict):
        return True
    own = integrations.get("Warehouses")
    if isinstance(own, dict):
        own = own.get("all")
    return own if isinstance(own, bool) else integrations.get("All") is not False


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(each) for name, each in value.items()}
    return value


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _nothing(_constant: str) -> None:
    """Stand for NaN and the infinities, which Python writes and JSON does not know."""
