"""Make converters of parsed data into typed values, safe to be called by many threads at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


def converter(shape: type[T]) -> Callable[[object], T]:
    """Return the function that turns parsed data into a value of `shape`, raising msgspec.ValidationError; call it once, at import.

    msgspec (0.22) builds what it knows of a class when the class is first used, and two threads that are the first together end the
    process with a segmentation fault. Making a decoder builds it, here and in one thread.
    """
    msgspec.json.Decoder(shape)

    def convert(data: object) -> T:
        return msgspec.convert(data, shape)  # noqa: TID251 - the one place

    return convert
