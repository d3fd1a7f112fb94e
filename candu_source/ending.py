"""End a process when it has to: a thread of it broke, or its parent is gone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from candu_source.ports import Observer


def end_process_when_a_thread_breaks(observer: Observer, leave: Callable[[int], Any]) -> None:
    """Never go on half alive: a thread that dies of an error ends the process, and its supervisor starts another."""

    def broke(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        observer.tell("thread.broke", thread=name, error=f"{args.exc_type.__name__}: {args.exc_value}")
        leave(70)

    threading.excepthook = broke


def when(happens: Callable[[], object], then: Callable[[], object]) -> None:
    """Wait in a thread until something happens, then do what follows from it."""

    def watch() -> None:
        happens()
        then()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def stop_with_stdin() -> None:
    """End this process gently when its standard input closes: its supervisor is gone."""
    when(lambda: os.read(0, 1), lambda: os.kill(os.getpid(), signal.SIGTERM))
