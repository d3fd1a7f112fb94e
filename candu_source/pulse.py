"""Work step by step beside the delivery, never for more than a share of a core."""

from __future__ import annotations

import time
from collections.abc import Callable

from candu_source.errors import StoreError
from candu_source.ports import Observer, Stop

_AGAIN_SECONDS = 5.0


def pulse(step: Callable[[], bool], stop: Stop, observer: Observer, *, name: str, share: float, idle_seconds: float = 1.0) -> None:
    """Call `step` until `stop` is set; it returns whether there is more to do, else it is called again after `idle_seconds`.

    `share` is the part of one core that it may take, 0 to 1. What the store meets is told, and the step is tried again.
    """
    while not stop.is_set():
        began = time.thread_time()
        try:
            more = step()
        except StoreError as error:
            observer.tell("store.failed", worker=name, error=str(error))
            stop.wait(_AGAIN_SECONDS)
            continue
        rest = (time.thread_time() - began) * (1 / share - 1)
        stop.wait(rest if more else max(rest, idle_seconds))
