"""Commit what several readback requests bring together, each waiting no longer than its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

from candu_source.errors import StoreBusy
from candu_source.store.confirmations import Confirmed, Returned, SqlConfirmations

# Segment posts message by message unless its batching is switched on, and a commit of its own for each would take the log's turn.
# Fifty commits a second at the most do little; Segment waits 5 s for an answer.
_GATHER_SECONDS = 0.02


class Confirmer:
    """Confirm through one writing thread, which is started by the first request."""

    def __init__(self, confirmations: SqlConfirmations, *, deadline_seconds: float) -> None:
        self._confirmations = confirmations
        self._deadline_seconds = deadline_seconds
        self._waiting: list[tuple[Returned, Future[Confirmed]]] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="confirmer")

    def confirm(self, connection: str, message_ids: Sequence[str], at: float) -> Confirmed:
        """Wait for the commit that holds these message ids, sent back at `at` (epoch seconds); raise StoreBusy after the deadline."""
        result: Future[Confirmed] = Future()
        with self._lock:
            self._waiting.append((Returned(connection, message_ids, at), result))
            first = len(self._waiting) == 1
        if first:
            self._pool.submit(self._commit)
        try:
            return result.result(self._deadline_seconds)
        except Late:
            raise StoreBusy(f"no commit within {self._deadline_seconds:g} s; send again, nothing is counted twice") from None

    def close(self) -> None:
        """Commit what waits, then stop the thread."""
        self._pool.shutdown()

    def _commit(self) -> None:
        time.sleep(_GATHER_SECONDS)
        with self._lock:
            group, self._waiting = self._waiting, []
        try:
            for (_, result), confirmed in zip(group, self._confirmations.confirm_group([each for each, _ in group]), strict=True):
                result.set_result(confirmed)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            for _, result in group:
                result.set_exception(error)
