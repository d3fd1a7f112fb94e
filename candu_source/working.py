"""Run the worker's process: delivery, and what runs beside it."""

from __future__ import annotations

import os
import signal
import threading
import time

from candu_source import app
from candu_source.ending import end_process_when_a_thread_breaks
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import Settings

# What runs beside the worker has heard of the stop when that has ended; a step takes some 30 ms.
_LAST_STEP_SECONDS = 2.0


def run_worker(settings: Settings) -> None:
    """Deliver, and do what runs beside that, until SIGTERM or SIGINT; what is in flight is finished within the limit."""
    telltale = Telltale()
    end_process_when_a_thread_breaks(telltale, os._exit)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    store = build_store(settings, telltale)
    worker = app.build_worker(settings, telltale, store)
    jobs = app.build_beside(settings, telltale, store, worker).items()
    beside = [threading.Thread(target=job.run, args=(stop,), name=name) for name, job in jobs]
    telltale.tell("process.started", role="worker", pid=os.getpid())
    for thread in beside:
        thread.start()
    try:
        worker.run(stop)
    finally:
        stop.set()
        deadline = time.monotonic() + _LAST_STEP_SECONDS
        for thread in beside:
            thread.join(max(0.0, deadline - time.monotonic()))
        store.close()
    os._exit(0)  # a request that a far end leaves without an answer would keep the interpreter as long as it likes
