"""Run the twin: in a thread of a test (`Twin`), or in the foreground of a process (`serve_twin`)."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec

from candu_source.converting import converter
from candu_source.twin.app import create_app, create_state
from candu_source.twin.faults import Fault
from candu_source.twin.memory import KEEP, Query, Status
from candu_source.twin.readback import Readback
from candu_source.twin.rules import source_id
from candu_source.twin.sources import Region, Source
from candu_source.twin.times import read_time
from candu_source.twin.wire import Server

_POLL_SECONDS = 0.02  # how soon the accepting thread notices that it should stop
_STOP_SECONDS = 5.0
_fault = converter(Fault)
_sources = converter(list[Source])
_readback = converter(Readback)


class Twin:
    """Stand in for Segment on a loopback port: `with Twin() as twin: track(host=twin.url)`, then look at `twin.messages()`.

    `region` is the region it plays; `keep` bounds the calls kept for inspection. Port 0 means a free one; a twin that
    was stopped starts again on the same port and with the same memory, as Segment does after an outage.
    """

    def __init__(self, *, region: Region = "us", keep: int = KEEP, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._state = create_state(region, keep)
        self._app = create_app(self._state)
        self._running: tuple[Server, threading.Thread] | None = None

    def start(self) -> Self:
        """Listen and serve in a thread. Raises OSError when the port is taken, RuntimeError when it already runs."""
        if self._running is not None:
            raise RuntimeError(f"the twin already runs at {self.url}")
        server = Server(self._host, self._port, self._app)
        self._state.readbacks.open()
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="twin", daemon=True)
        thread.start()
        self._port = server.port
        self._running = (server, thread)
        return self

    def stop(self) -> None:
        """Heal, close every connection and the port. Does nothing when it does not run."""
        if self._running is None:
            return
        (server, thread), self._running = self._running, None
        server.shutdown()
        thread.join()
        self._state.faults.heal()
        server.hang_up(_STOP_SECONDS)
        self._state.readbacks.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """Return the address to send to, without /v1: the `host` of Segment's libraries. Raises RuntimeError before start."""
        if self._running is None:
            raise RuntimeError("the twin does not run: call start(), or use it in a with statement")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @staticmethod
    def source_id(key: str) -> str:
        """Return the name under which the twin shows a write key: 12 hex digits of its SHA-256."""
        return source_id(key)

    def messages(
        self,
        *,
        status: Status | None = None,
        type: str | None = None,  # noqa: A002 - Segment's word
        since: datetime | str | None = None,
        key: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the calls kept, oldest first, in the shape of GET /__twin/messages; `since` is on receivedAt.

        Raises ValueError for a `since` that is not an ISO 8601 time.
        """
        moment = read_time(since.isoformat() if isinstance(since, datetime) else since)
        if since is not None and moment is None:
            raise ValueError(f"since must be an ISO 8601 time, not {since!r}")
        source = None if key is None else source_id(key)
        found, _ = self._state.memory.find(Query(status=status, type=type, since=moment, source=source))
        return [kept.shown(json.loads(kept.raw)) for kept in found]

    def ids(self, key: str | None = None) -> list[str]:
        """Return every stored messageId, of one write key or of all."""
        return self._state.memory.ids(None if key is None else source_id(key))

    def stats(self) -> dict[str, Any]:
        """Return the exact counts, in the shape of GET /__twin/stats."""
        return self._state.memory.stats()

    def wait(self, *, stored: int = 0, requests: int = 0, timeout_seconds: float = 10.0) -> None:
        """Wait until so many calls are stored and requests seen since the start or `clear`. Raises TimeoutError."""
        if not self._state.memory.wait(stored, requests, timeout_seconds):
            raise TimeoutError(f"waited {timeout_seconds} s for stored={stored}, requests={requests}; got {self.stats()}")

    def fault(self, **fault: Any) -> None:
        """Break the twin with the fields of POST /__twin/faults; without any, heal. Raises ValueError naming a wrong one.

        `key` may be given in place of `source`.
        """
        if "key" in fault:
            fault["source"] = source_id(fault.pop("key"))
        try:
            self._state.faults.set(_fault(fault))
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    def heal(self) -> None:
        """End all faults; requests held in a black hole get their connections closed."""
        self._state.faults.heal()

    def sources(self, *listed: str | Mapping[str, object]) -> None:
        """List write keys: text, or the fields of POST /__twin/sources. All others are strangers from then on.

        Without any, every key is known again. Raises ValueError naming a wrong field.
        """
        try:
            read = _sources([{"key": item} if isinstance(item, str) else dict(item) for item in listed])
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        if read:
            self._state.sources.add(read)
        else:
            self._state.sources.forget()

    def readback(self, url: str, **options: Any) -> None:
        """Post stored calls to an address, with the fields of POST /__twin/readback; `key` may be given in place of `source`.

        Raises ValueError naming a wrong one.
        """
        if "key" in options:
            options["source"] = source_id(options.pop("key"))
        try:
            self._state.readbacks.set(_readback({"url": url, **options}))
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    def clear(self) -> None:
        """Forget messages, ids and counts; faults and sources stay."""
        self._state.memory.clear()


def serve_twin(
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] | None = None,
    *,
    region: Region = "us",
    keep: int = KEEP,
) -> None:
    """Serve until SIGTERM or SIGINT, then return. `ready` is called with the address once it is listening.

    Must run in the main thread, which is where Python handles signals. Raises OSError when the port is taken.
    """
    asked_to_stop = threading.Event()
    with ExitStack() as undo:
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, lambda *_: asked_to_stop.set())
            undo.callback(signal.signal, number, signal.SIG_DFL if before is None else before)
        twin = undo.enter_context(Twin(region=region, keep=keep, host=host, port=port))
        if ready is not None:
            ready(twin.url)
        asked_to_stop.wait()
