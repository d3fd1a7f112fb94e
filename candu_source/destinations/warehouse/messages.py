"""Read messages, whatever they are: nothing in them may stop a sync."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from candu_source.destinations.warehouse.values import json_text, text_of

# What PostgreSQL cannot store in text, as JSON writes it; the doors refuse it, messages from elsewhere may hold it. Most messages hold
# no escape at all, and one byte is found ten times as fast as six.
_ESCAPE, _NUL = b"\\", b"\\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Whole numbers with more digits are beyond every float, and Python refuses to read the longest.
_MOST_DIGITS = 310


_NOTHING = msgspec.Raw(b"null")


class Message(msgspec.Struct, rename="camel", gc=False):
    """Hold one Segment call: its words as text, whatever JSON they were; its objects as they came, as they were often seen before."""

    type: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    received_at: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    group_id: str | None = None
    previous_id: str | None = None
    context: msgspec.Raw = _NOTHING
    properties: msgspec.Raw = _NOTHING
    traits: msgspec.Raw = _NOTHING
    integrations: msgspec.Raw = _NOTHING


_WORDS = frozenset(each.encode_name for each in msgspec.structs.fields(Message) if each.type is not msgspec.Raw)
_decode = msgspec.json.Decoder(Message).decode
decode_any = msgspec.json.Decoder().decode
decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read(message: bytes) -> Message:
    """Return the call that a message is; raise ValueError or RecursionError for what `mend` may make readable."""
    if _ESCAPE in message and _NUL in message and _ESCAPED_NUL.search(message):
        raise ValueError("there is NUL in text")
    try:
        return _decode(message)
    except msgspec.ValidationError:
        return _decode(_worded(message))


def mend(message: bytes) -> Message:
    """Return the call that a message is, without what JSON or warehouses do not know.

    Text loses NUL and lone surrogates, bytes that are no UTF-8 become U+FFFD, numbers beyond all bounds become null.
    Raises ValueError for what is no JSON object, RecursionError for what is nested too deep.
    """
    lenient = json.loads(message.decode("utf-8-sig", "replace"), parse_int=_whole, parse_float=_finite, parse_constant=_nothing)
    return read(msgspec.json.encode(_clean(lenient)))


def text(value: Any) -> str | None:
    """Return what stands for a JSON value in a column of text: None for null, arrays and objects as JSON."""
    if value is None or type(value) is str:
        return value
    return json_text(value) if isinstance(value, (list, dict)) else text_of(value)


def wants_warehouse(integrations: bytes) -> bool:
    """Tell whether a message's `integrations` lets it into warehouses (Segment, "Warehouses FAQ", Can I control what data is sent).

    `Warehouses`, true, false or `{"all": …}`, has the word before `All`; what says neither is loaded.
    """
    said = decode_any(integrations)
    if not isinstance(said, dict):
        return True
    own = said.get("Warehouses")
    if isinstance(own, dict):
        own = own.get("all")
    return own if isinstance(own, bool) else said.get("All") is not False


def _worded(message: bytes) -> bytes:
    """Return the call with text in place of its words that are none; raise ValueError where it is no object."""
    said = decode_object(message)
    return msgspec.json.encode({name: text(decode_any(raw)) if name in _WORDS else raw for name, raw in said.items()})


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
