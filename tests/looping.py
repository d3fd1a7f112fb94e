"""Run coroutines on a loop in a thread of its own: that of the tests may have one already, which drives a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def looped(main: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, and raise what it raises."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, main).result()
