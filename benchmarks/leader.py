"""Commit without a writing thread: the first request thread that waits commits for all (leader and followers)."""

from __future__ import annotations

import threading

from candu_source.errors import CanduSourceError
from candu_source.model import Admission, Receipt
from candu_source.store import Database
from candu_source.store.log import append_group


class _Place:
    __slots__ = ("admission", "done", "result")

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.done = False
        self.result: Receipt | CanduSourceError | None = None


class LeaderCommitter:
    """Implement ports.Log, without a deadline: a leader is inside the database and cannot leave it when time is up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Place] = []
        self._queue = threading.Lock()
        self._leader = threading.Lock()

    def append(self, admission: Admission) -> Receipt:
        """Wait to lead, unless a leader before us has committed ours too."""
        place = _Place(admission)
        with self._queue:
            self._waiting.append(place)
        with self._leader:
            if not place.done:
                self._commit()
        if isinstance(place.result, Receipt):
            return place.result
        assert place.result is not None
        raise place.result

    def _commit(self) -> None:
        with self._queue:
            group, self._waiting = self._waiting, []
        try:
            self._database.check_room()
            results = append_group(self._database, [place.admission for place in group])
            for place, result in zip(group, results, strict=True):
                place.result = result
        except CanduSourceError as error:
            for place in group:
                place.result = error
        for place in group:
            place.done = True
