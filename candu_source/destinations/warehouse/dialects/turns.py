"""Take turns at one file: who holds its staging file may load, in whatever process or thread."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from candu_source.errors import WarehouseBusy

_LOOK_SECONDS = 0.05
_T = TypeVar("_T")


class Taken(Exception):  # noqa: N818 - a state
    """Say that somebody else has it, and who, as far as is known."""


def wait(take: Callable[[], _T], patience: float, what: str) -> _T:
    """Return what `take` returns once it no longer raises Taken; raise WarehouseBusy after so many seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return take()
        except Taken as taken:
            if time.monotonic() >= deadline:
                raise WarehouseBusy(f"{what} is in use: {taken}; the next sync goes on when it is free") from None
        time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def turn(staging: Path, patience: float) -> Iterator[None]:
    """Hold a warehouse's staging file alone; raise WarehouseBusy after so many seconds, OSError where it cannot be made."""
    descriptor = os.open(staging, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        wait(lambda: _lock(descriptor), patience, str(staging.with_suffix("")))
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Taken("another sync is under way") from None
