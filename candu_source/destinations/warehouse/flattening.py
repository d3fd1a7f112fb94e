"""Flatten nested objects into names and values; what has the same names and kinds of values shares one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from candu_source.destinations.warehouse.messages import decode_any
from candu_source.destinations.warehouse.values import json_text

_NESTED = frozenset({dict, list})
# What was read of contexts is kept while a batch is planned: so many bytes in all, and nothing that is larger than so much.
_KEPT_BYTES, _LARGEST_KEPT = 8 * 2**20, 8 * 2**10


class Shape:
    """Hold names, joined by `_` and otherwise as they were sent, each with the Python type of its value; compared by identity."""

    __slots__ = ("kinds", "names")

    def __init__(self, names: tuple[str, ...], kinds: tuple[type, ...]) -> None:
        self.names = names
        self.kinds = kinds


# A flattened object: its shape, and a value for each of the shape's names.
Flat = tuple[Shape, tuple[Any, ...]]
# An object as it is: its names, the Python types of its values, and the shapes of the objects among these.
_Outline = tuple[tuple[str, ...], tuple[type, ...], tuple[Shape, ...]]
# One word of a context: its Python type, its shape where it is an object, and its leaves.
_Word = tuple[type, Shape | None, tuple[Any, ...]]
_decode_words = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Flattener:
    """Flatten what one batch holds."""

    def __init__(self) -> None:
        self._shapes: dict[_Outline, Shape] = {}
        self._contexts: dict[bytes, Flat] = {}
        self._words: dict[bytes, _Word] = {}
        self._room = _KEPT_BYTES

    def flat(self, tree: Mapping[str, Any]) -> Flat:
        """Return an object's leaves, in its order; arrays as JSON text, empty objects as nothing.

        Raises RecursionError for what is nested too deep.
        """
        values = tuple(tree.values())
        kinds = tuple(map(type, values))
        if _NESTED.isdisjoint(kinds):
            return self._shape((tuple(tree), kinds, ())), values
        return self._joined(tree, map(self._word, values))

    def context(self, raw: bytes) -> Flat:
        """Return a context's leaves, named `context_…`; words seen before are not read again. Raises ValueError as `messages.read` does."""
        known = self._contexts.get(raw)
        if known is None:
            words = _decode_words(raw) if raw.startswith(b"{") else {}
            shape, values = self._joined(words, map(self._read, map(bytes, words.values())))
            known = self._shape((("context",), (dict,), (shape,))), values
            if self._has_room(raw):
                self._contexts[raw] = known
        return known

    def _read(self, raw: bytes) -> _Word:
        known = self._words.get(raw)
        if known is None:
            known = self._word(decode_any(raw))
            if self._has_room(raw):
                self._words[raw] = known
        return known

    def _word(self, value: Any) -> _Word:
        kind = type(value)
        if kind is dict:
            return kind, *self.flat(value)
        return (str, None, (json_text(value),)) if kind is list else (kind, None, (value,))

    def _joined(self, names: Iterable[str], words: Iterable[_Word]) -> Flat:
        kinds: list[type] = []
        shapes: list[Shape] = []
        leaves: list[Any] = []
        for kind, shape, own in words:
            kinds.append(kind)
            leaves += own
            if shape is not None:
                shapes.append(shape)
        return self._shape((tuple(names), tuple(kinds), tuple(shapes))), tuple(leaves)

    def _shape(self, outline: _Outline) -> Shape:
        shape = self._shapes.get(outline)
        if shape is None:
            shape = self._shapes[outline] = _joined_shape(*outline)
        return shape

    def _has_room(self, raw: bytes) -> bool:
        """Tell whether these bytes may be kept, and take their room."""
        kept = len(raw) <= min(self._room, _LARGEST_KEPT)
        self._room -= len(raw) if kept else 0
        return kept


def _joined_shape(names: tuple[str, ...], kinds: tuple[type, ...], nested: tuple[Shape, ...]) -> Shape:
    """Join the names of an object with those of the objects in it."""
    inner = iter(nested)
    leaves: list[tuple[str, type]] = []
    for name, kind in zip(names, kinds, strict=True):
        if kind is dict:
            shape = next(inner)
            leaves += zip((f"{name}_{below}" for below in shape.names), shape.kinds, strict=True)
        else:
            leaves.append((name, kind))
    return Shape(tuple(name for name, _ in leaves), tuple(kind for _, kind in leaves))
