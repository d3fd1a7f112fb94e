"""Wait without holding others up: in a thread of one's own by blocking it, in a call on an event loop by giving way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from itertools import groupby
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
# Calls kept for the next ones: making one costs as much as a small request.
_IDLE_MOST = 64


class _Call(greenlet):
    """Do one piece of work after the other on an event loop; where it waits, the loop goes on with others."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._work)
        self.loop = loop
        self.switch()

    def _work(self) -> None:
        done: Any = None
        while True:
            work = self._loop_side(done)
            done = _Done(work())

    def give_way(self, until: Awaitable[T]) -> T:
        """Return what `until` comes to; the loop goes on meanwhile."""
        value: T = self._loop_side(until)
        return value

    def _loop_side(self, said: Any) -> Any:
        assert self.parent is not None
        return self.parent.switch(said)


class _Done:
    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


class Calls:
    """Do blocking-style work on the running event loop, as many pieces at a time as there are."""

    def __init__(self) -> None:
        self._idle: list[_Call] = []

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, and raise what it raises; wherever it waits by this module, the loop goes on."""
        call = self._idle.pop() if self._idle else _Call(asyncio.get_running_loop())
        said = call.switch(work)
        while not isinstance(said, _Done):
            try:
                value = await said
            except BaseException as error:  # noqa: BLE001 - it belongs to the work, which waited
                said = call.throw(error)
            else:
                said = call.switch(value)
        if len(self._idle) < _IDLE_MOST:
            self._idle.append(call)
        result: T = said.result
        return result


class Signal:
    """Be waited for by whoever made it, in its own way, and set once by any thread."""

    __slots__ = ("_call", "_future", "_lock")

    def __init__(self) -> None:
        self._call = _current()
        if self._call:
            self._future: asyncio.Future[bool] = self._call.loop.create_future()
        else:
            self._lock = threading.Lock()
            self._lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait no longer than so many seconds; tell whether it was set."""
        if self._call is None:
            return self._lock.acquire(timeout=seconds)
        late = self._call.loop.call_later(seconds, _settle, [self._future], False)
        try:
            return self._call.give_way(self._future)
        finally:
            late.cancel()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop on which it is waited for."""
        return self._call.loop if self._call else None

    @staticmethod
    def set_all(signals: Iterable[Signal]) -> None:
        """Set signals; each loop is woken once for all of its own."""
        for loop, some in groupby(signals, lambda signal: signal.loop):
            if loop is None:
                for signal in some:
                    signal._lock.release()
            else:
                loop.call_soon_threadsafe(_settle, [signal._future for signal in some], True)


def apart(work: Callable[[], T]) -> T:
    """Return what work that may block returns: done in place, or, in a call on an event loop, by a thread while the loop goes on."""
    call = _current()
    return call.give_way(call.loop.run_in_executor(None, work)) if call else work()


def _current() -> _Call | None:
    current = getcurrent()
    return current if isinstance(current, _Call) else None


def _settle(futures: list[asyncio.Future[bool]], value: bool) -> None:
    for future in futures:
        if not future.done():
            future.set_result(value)
