"""Hear one item: the typed decoder takes what is well-formed, marshmallow coerces the rest or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from itertools import islice
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError

from candu_source.converting import converter
from candu_source.doors.items import find_faults, is_deep, is_long, is_plain, read_tolerantly, split
from candu_source.doors.schemas import flatten, typed
from candu_source.errors import Reason
from candu_source.model import Input, Reject
from candu_source.waiting import apart

# As many fields of one item are named; the answer to a hostile one stays small.
_MOST_FIELDS = 50
_decode_anything = msgspec.json.Decoder().decode
Explain = Callable[[Any, bytes, int], Reject | None]


class Contract:
    """Pair a marshmallow schema with the typed decoder derived from it; both give the same typed value.

    `whole`: what the schema does not name is held to JSON's rules, too, because somebody reads it later. `longs` are fields of the item
    that the schema does not name and whose integers may have 64 bits. `explain` sees what the schema refuses first: a parsed item, its
    bytes and its index.
    """

    def __init__(
        self, schema: type[Schema], *, whole: bool = False, longs: Set[str] = frozenset(), explain: Explain = lambda *_: None
    ) -> None:
        self.type = typed(schema)
        self._schema = schema()
        self._longs = longs
        self._explain_first = explain
        self.convert = converter(self.type)
        self._decode = self._decode_whole if whole else msgspec.json.Decoder(self.type).decode

    def read(self, raw: bytes, index: int, *, plain: bool = False) -> Any:
        """Return the typed value of an item, or the Reject that names each field; `plain` says that the body is known to be so."""
        if (plain or is_plain(raw)) and not is_deep(raw):
            try:
                return self._decode(raw)
            except (msgspec.DecodeError, RecursionError):
                pass  # not well-formed enough for the fast way: marshmallow coerces it or names the field
        return apart(lambda: self._explain(raw, index))  # a few thousand such items would hold up a loop for long

    def _decode_whole(self, raw: bytes) -> Any:
        return self.convert(_decode_anything(raw))

    def check(self, value: dict[str, Any], prefix: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """Load a value that is parsed already; return it with its errors by dotted field."""
        try:
            return self._schema.load(value), {}
        except ValidationError as error:
            return value, flatten(error.messages, prefix)

    def _explain(self, raw: bytes, index: int) -> Any:
        value = read_tolerantly(raw)
        if isinstance(value, Reject):
            return Reject(index, value.code, value.errors, raw)
        if errors := find_faults(self._without_longs(value)):
            return _invalid(index, errors, raw)
        if refused := self._explain_first(value, raw, index):
            return refused
        if not isinstance(value, dict):
            return _invalid(index, {"body": ["Send a JSON object, or a list of them."]}, raw)
        loaded, errors = self.check(value, "")
        return _invalid(index, errors, raw) if errors else self.convert(loaded)

    def _without_longs(self, value: Any) -> Any:
        if not (self._longs and isinstance(value, dict)):
            return value
        return {name: inner for name, inner in value.items() if not (name in self._longs and is_long(inner))}


def hear_items(body: bytes, contract: Contract, make: Callable[[Any, bytes, int], Input], *, batch: bool = False) -> Sequence[Input]:
    """Hear each item of a body by itself: of a list, of `{"batch": [...]}` where allowed, else the body; raise as `split` does.

    `make` turns an item that keeps the contract into what was heard, with its bytes and its index.
    """
    items = split(body, batch=batch)
    if isinstance(items, Reject):
        return [items]
    plain = is_plain(body)
    heard: list[Input] = []
    for index, raw in enumerate(items):
        item = contract.read(raw, index, plain=plain)
        heard.append(item if isinstance(item, Reject) else make(item, raw, index))
    return heard


def _invalid(index: int, errors: Mapping[str, list[str]], raw: bytes) -> Reject:
    return Reject(index, Reason.INVALID, dict(islice(errors.items(), _MOST_FIELDS)), raw)
