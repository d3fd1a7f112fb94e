"""Flatten nested objects into names and values; what has the same names and kinds of values shares one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from candu_source.destinations.warehouse.messages import decode_any, decode_object
from candu_source.destinations.warehouse.recalling import Recall
from candu_source.destinations.warehouse.values import json_text

_NESTED = frozenset({dict, list})


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
# One word of an object: its Python type, its shape where it is an object, and its leaves.
_Word = tuple[type, Shape | None, tuple[Any, ...]]


class Flattener:
    """Flatten what one batch holds; what comes again, `contexts[raw]` and `bodies[raw]`, is not read again.

    Both raise ValueError and RecursionError as `messages.read` does. A context's leaves are named `context_…`; a body is properties
    or traits. What is no object has no leaves.
    """

    def __init__(self) -> None:
        shapes = _Shapes()
        self.contexts: Recall[Flat] = Recall(partial(_context, shapes, Recall(shapes.word)))
        self.bodies: Recall[Flat] = Recall(shapes.body)


class _Shapes:
    """Flatten objects, and give those that are alike one shape."""

    def __init__(self) -> None:
        self._known: dict[_Outline, Shape] = {}

    def body(self, raw: bytes) -> Flat:
        """Return an object's leaves."""
        said = decode_any(raw)
        return self.flat(said if type(said) is dict else {})

    def word(self, raw: bytes) -> _Word:
        """Return one word of an object."""
        return self._word(decode_any(raw))

    def flat(self, tree: Mapping[str, Any]) -> Flat:
        """Return an object's leaves, in its order; arrays as JSON text, empty objects as nothing."""
        values = tuple(tree.values())
        kinds = tuple(map(type, values))
        if _NESTED.isdisjoint(kinds):
            return self.shape((tuple(tree), kinds, ())), values
        return self.joined(tree, map(self._word, values))

    def joined(self, names: Iterable[str], words: Iterable[_Word]) -> Flat:
        """Return the leaves of an object that has these words."""
        kinds: list[type] = []
        shapes: list[Shape] = []
        leaves: list[Any] = []
        for kind, shape, own in words:
            kinds.append(kind)
            leaves += own
            if shape is not None:
                shapes.append(shape)
        return self.shape((tuple(names), tuple(kinds), tuple(shapes))), tuple(leaves)

    def shape(self, outline: _Outline) -> Shape:
        """Return the shape of objects that have this outline, always the same."""
        shape = self._known.get(outline)
        if shape is None:
            shape = self._known[outline] = _joined_shape(*outline)
        return shape

    def _word(self, value: Any) -> _Word:
        kind = type(value)
        if kind is dict:
            return kind, *self.flat(value)
        return (str, None, (json_text(value),)) if kind is list else (kind, None, (value,))


def _context(shapes: _Shapes, words: Recall[_Word], raw: bytes) -> Flat:
    """Return a context's leaves; of its words those seen before are not read again."""
    said = decode_object(raw) if raw.startswith(b"{") else {}
    shape, values = shapes.joined(said, map(words.__getitem__, map(bytes, said.values())))
    return shapes.shape((("context",), (dict,), (shape,))), values


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
