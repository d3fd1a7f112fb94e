"""Cut a body into its items, keep each one's bytes, and find what must not go on: before any schema looks at it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from candu_source.errors import Reason, Refused
from candu_source.model import LARGEST_INTEGER, Reject
from candu_source.waiting import apart

DEPTH = 32
_LONGEST_SAMPLE = 80
# Items a request; more of them would hold a process for seconds, however small they are.
MOST_ITEMS = 10_000
_LONG = 2**63
_READABLE_DIGITS = len(str(-_LONG)) + 1  # so many of an integer tell that it has more than 64 bits

# The strict decoder refuses NaN, infinities and lone surrogates by itself; these it lets through, and bytes that are not UTF-8.
_ESCAPED_NUL = b"\\u0000"
_LONG_NUMBER = b"0" * len(str(LARGEST_INTEGER))
_DIGITS_TO_ZERO = bytes(48 if byte in b"0123456789" else 32 for byte in range(256))
# A string that never ends is one token too, and nothing is tried twice: a hostile body costs time in proportion to its length.
_TOKEN = re.compile(rb'"(?:[^"\\]+|\\.)*+"?|[\[\]{},]', re.DOTALL)
_READABLE_DEPTH = DEPTH + 2  # an item may stand in a list, in an envelope
_BLANKS = bytes(10 if byte == 10 else 32 for byte in range(256))  # noqa: PLR2004 - a line feed stays: lines keep their numbers

Errors = dict[str, list[str]]


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None


_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw])
_batch_of_raw = msgspec.json.Decoder(_Batch)


def split(body: bytes, *, batch: bool = False) -> list[bytes] | Reject:
    """Return each item's bytes as received: of a list, of `{"batch": [...]}` where allowed, else the body itself.

    A body that is not JSON at all comes back as a Reject that says where it breaks; raises Refused 413 for too many items.
    """
    items = _split(body, batch=batch)
    if isinstance(items, list) and len(items) > MOST_ITEMS:
        raise Refused(413, Reason.BODY_TOO_LARGE, f"{len(items)} items are over the limit of {MOST_ITEMS} a request; send fewer at a time.")
    return items


def _split(body: bytes, *, batch: bool) -> list[bytes] | Reject:
    body = body.rstrip()  # and no lstrip: a sentence that says where the JSON breaks counts from the first byte received
    try:
        if body.lstrip().startswith(b"["):
            return [bytes(item) for item in _list_of_raw.decode(body)]
        if batch and (found := _batch_of_raw.decode(body).batch) is not None:
            return [bytes(item) for item in found]
    except (msgspec.DecodeError, RecursionError):
        return apart(lambda: _split_tolerantly(body, batch=batch))
    return [body]


def _split_tolerantly(body: bytes, *, batch: bool) -> list[bytes] | Reject:
    """Split what the strict decoder refused, so that a NaN in one item costs only that item."""
    value = read_tolerantly(body)
    if isinstance(value, Reject):
        return value
    if isinstance(value, list):
        return list(_slices(body, level=1))
    if batch and isinstance(value, dict) and isinstance(value.get("batch"), list):
        return list(_slices(body, level=2)) or [body]
    return [body]


def _slices(body: bytes, *, level: int) -> Iterator[bytes]:
    """Yield the items of the list that is the body (level 1) or the value of its "batch" (level 2), as they stand there."""
    here = 0
    start: int | None = None
    before = b""
    for token in _TOKEN.finditer(body):
        word = token.group()
        here += (word in b"[{") - (word in b"]}")
        if start is None:
            if word == b"[" and here == level and (level == 1 or before == b'"batch"'):
                start = token.end()
        elif here < level or (word == b"," and here == level):
            if item := body[start : token.start()].strip():
                yield item
            if here < level:
                return
            start = token.end()
        before = word


def read_tolerantly(body: bytes) -> Any:
    """Parse, with all that `find_faults` will name let through (NaN, lone surrogates, depth…); a Reject where it is not JSON."""
    try:
        return json.loads(_prune(body).decode("utf-8"), parse_int=_integer)
    except UnicodeDecodeError as error:
        return broken(body, f"The body is not UTF-8: byte {error.start} cannot be read.")
    except json.JSONDecodeError as error:
        return broken(body, f"The JSON breaks at line {error.lineno}, column {error.colno} (character {error.pos}): {error.msg}.")


def _integer(digits: str) -> int:
    """Read an integer; of one with too many digits for Python to read only that it is beyond every limit."""
    return int(digits[:_READABLE_DIGITS])


def _prune(body: bytes) -> bytes:
    """Put null in place of what is nested too deep to parse; its parent is deeper than `DEPTH` already, and named for that."""
    if not is_deeper(body, _READABLE_DEPTH):
        return body
    pieces = []
    kept = 0
    for start, end in _buried(body):
        pieces += [body[kept:start], b"null", body[start:end].translate(_BLANKS)[4:]]
        kept = end
    return b"".join([*pieces, body[kept:]])


def _buried(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each thing that is nested too deep to parse begins and ends."""
    level = start = 0
    for token in _TOKEN.finditer(body):
        word = token.group()
        if word in b"[{":
            level += 1
            if level == _READABLE_DEPTH + 1:
                start = token.start()
        elif word in b"]}":
            if level == _READABLE_DEPTH + 1:
                yield start, token.end()
            level -= 1
    if level > _READABLE_DEPTH:
        yield start, len(body)


def broken(body: bytes, sentence: str) -> Reject:
    """Return the reject for a body that is not JSON."""
    return Reject(0, Reason.BROKEN_JSON, {"body": [sentence]}, body)


def is_plain(data: bytes) -> bool:
    """Tell whether an item, or a whole body of them, holds nothing that `find_faults` would name, deep nesting aside."""
    if not (data.isascii() or _is_utf8(data)) or (b"\\" in data and _ESCAPED_NUL in data):
        return False
    return _LONG_NUMBER not in data.translate(_DIGITS_TO_ZERO)


def is_deep(raw: bytes) -> bool:
    """Tell whether an item nests deeper than is allowed."""
    return raw.count(b"{") + raw.count(b"[") > DEPTH and is_deeper(raw, DEPTH)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_deeper(raw: bytes, levels: int) -> bool:
    """Tell whether brackets nest deeper than so many levels outside of strings, without parsing."""
    level = 0
    for token in _TOKEN.finditer(raw):
        first = token.group()[0]
        if first in b"[{":
            level += 1
            if level > levels:
                return True
        elif first in b"]}":
            level -= 1
    return False


def find_faults(value: Any) -> Errors:
    """Name every value that Segment, a warehouse or a browser would choke on, by its path."""
    errors: Errors = {}
    for path, message in _faults(value, "", 1):
        errors.setdefault(path or "body", []).append(message)
    return errors


def _faults(value: Any, path: str, level: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        if level > DEPTH:
            yield path, f"Nested deeper than {DEPTH} levels."
            return
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            inner_path = f"{path}.{_safe(str(name))}" if path else _safe(str(name))
            if isinstance(name, str) and (fault := _text_fault(name)):
                yield inner_path, f"The name {fault}"
            yield from _faults(inner, inner_path, level + 1)
    elif (fault := _scalar_fault(value)) is not None:
        yield path, fault


def _scalar_fault(value: Any) -> str | None:
    if isinstance(value, str):
        fault = _text_fault(value)
        return f"The text {fault}" if fault else None
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN and infinite numbers are not JSON."
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return "The integer is beyond 2^53; send it as text."
    return None


def is_long(value: Any) -> bool:
    """Tell whether a value is an integer of 64 bits."""
    return isinstance(value, int) and -_LONG <= value < _LONG


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character."
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds half of a surrogate pair; send valid Unicode."
    return None


def _safe(name: str) -> str:
    return name[:_LONGEST_SAMPLE].encode("utf-8", "replace").decode()
