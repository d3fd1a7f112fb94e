"""Wait on real processes: the one place where these tests poll."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

SOAK = os.environ.get("CANDU_SOAK") == "1"
PATIENCE_SECONDS = 600.0 if SOAK else 120.0
"""How long anything may take on a busy machine; nothing is ever asserted about how quick it is."""

_LOOK_SECONDS = 0.05
_T = TypeVar("_T")


def until(look: Callable[[], _T | None], what: str, seconds: float = PATIENCE_SECONDS) -> _T:
    """Return the first true answer of `look`; fail the test, naming what it waited for, when the time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"in vain for {seconds:g} s: {what}")
        time.sleep(_LOOK_SECONDS)
    return found
