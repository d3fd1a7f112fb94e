"""Commit what concurrent requests bring together (group commit), each request waiting no longer than its deadline."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from candu_source.errors import CanduSourceError, StoreBusy, StoreError
from candu_source.model import Admission, Receipt
from candu_source.store.ids import IdMover
from candu_source.store.log import append_group
from candu_source.store.sqlite import Database
from candu_source.waiting import Signal

# A group is closed at this many bytes of messages and raw input: about 20 ms of writing.
_GROUP_BYTES = 8 * 2**20
# While requests come side by side, a commit waits this long for more of them: one commit costs as much as fifty events.
# A request that comes alone never waits.
_GATHER_SECONDS = 0.0005
# The room that is left is looked at this often, and after so many bytes: far less than what is kept back.
_ROOM_SECONDS = 0.25
_ROOM_BYTES = 2**20
# More than this waiting means that the disk does not follow; the doors say 503 rather than fill memory.
_WAITING_BYTES = 64 * 2**20


class _Ticket:
    __slots__ = ("abandoned", "admission", "done", "result", "size")

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.size = sum(len(event.message) + len(event.raw) for event in admission.events)
        self.size += sum(len(item.raw) for item in admission.filtered) + sum(len(reject.raw) for reject in admission.rejects)
        self.done = Signal()
        self.result: Receipt | CanduSourceError | None = None
        self.abandoned = False


class Committer:
    """Append admissions through one writing thread: the log's only way in. Implements ports.Log."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        self._database = database
        self._deadline_seconds = deadline_seconds
        self._waiting: deque[_Ticket] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._room_until = 0.0
        self._room_bytes = 0
        self._mover = IdMover(database)
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def append(self, admission: Admission) -> Receipt:
        """Wait for the commit that holds `admission`; raise StoreBusy after the deadline, StoreFull when there is no room."""
        ticket = _Ticket(admission)
        with self._changed:
            if self._closing.is_set() or self._waiting_bytes + ticket.size > _WAITING_BYTES:
                raise StoreBusy("the store does not keep up; send again in a moment")
            self._waiting.append(ticket)
            self._waiting_bytes += ticket.size
            self._changed.notify()
        if not ticket.done.wait(self._deadline_seconds):
            ticket.abandoned = True
            raise StoreBusy(f"no commit within {self._deadline_seconds:g} s; send again, nothing is counted twice")
        if isinstance(ticket.result, Receipt):
            return ticket.result
        raise ticket.result or StoreBusy("the store is closing")

    def close(self) -> None:
        """Commit what waits, then stop the thread."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        side_by_side = False
        while self._wait_for_first():
            if side_by_side:
                self._closing.wait(_GATHER_SECONDS)
            with self._changed:
                group = self._take_group()
            self._commit(group)
            side_by_side = len(group) > 1
            self._count(group)

    def _wait_for_first(self) -> bool:
        """Wait until something is there to commit; False when closing and nothing is left."""
        with self._changed:
            while not self._waiting and not self._closing.is_set():
                self._changed.wait()
            return bool(self._waiting)

    def _take_group(self) -> list[_Ticket]:
        group: list[_Ticket] = []
        size = 0
        while self._waiting and size < _GROUP_BYTES:
            ticket = self._waiting.popleft()
            self._waiting_bytes -= ticket.size
            size += ticket.size
            if not ticket.abandoned:
                group.append(ticket)
        return group

    def _commit(self, group: list[_Ticket]) -> None:
        try:
            self._check_room(sum(ticket.size for ticket in group))
            results = append_group(self._database, [ticket.admission for ticket in group])
            for ticket, result in zip(group, results, strict=True):
                ticket.result = result
        except CanduSourceError as error:
            for ticket in group:
                ticket.result = error
        finally:
            Signal.set_all(ticket.done for ticket in group)

    def _count(self, group: Sequence[_Ticket]) -> None:
        """Do what is due after so many events, while nobody waits for it."""
        try:
            self._mover.count(sum(ticket.result.accepted for ticket in group if isinstance(ticket.result, Receipt)))
        except StoreError:
            return  # ids are found where they are, too; the next commit meets the same trouble and says so

    def _check_room(self, size: int) -> None:
        now = time.monotonic()
        self._room_bytes -= size
        if self._room_bytes < 0 or now >= self._room_until:
            self._database.check_room()
            self._room_until, self._room_bytes = now + _ROOM_SECONDS, _ROOM_BYTES
