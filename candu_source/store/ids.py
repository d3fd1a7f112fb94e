"""Keep the index of ids cheap: the newest stand in a small table of their own and move on in bulk."""

from __future__ import annotations

import os

from candu_source.store.chunks import DIGEST_BYTES
from candu_source.store.sqlite import Database

# Each process moves the newest ids of an eighth of all digests after so many events: about 32 000 are new at any time.
_STRETCHES, _EVENTS_A_MOVE = 8, 4_096
_BEYOND_ALL = b"\xff" * (DIGEST_BYTES + 1)


class IdMover:
    """Move the newest ids on to the index of all others: a stretch at a time, so that each page of that index is written for many."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = 0
        self._stretch = os.urandom(1)[0] % _STRETCHES  # processes that are started often take their turns with all of them, too

    def count(self, events: int) -> None:
        """Take note of so many new events; move a stretch when it is time. Raises as `Database.write` does."""
        self._events += events
        if self._events < _EVENTS_A_MOVE:
            return
        self._events = 0
        self._stretch = (self._stretch + 1) % _STRETCHES
        stretch = {"first": _bound(self._stretch), "beyond": _bound(self._stretch + 1)}
        with self._database.write() as db:
            db.execute(self._database.sql["move_ids"], stretch)
            db.execute(self._database.sql["forget_moved"], stretch)


def _bound(stretch: int) -> bytes:
    """Return where a stretch of all digests begins."""
    return bytes([stretch * 256 // _STRETCHES]) if stretch < _STRETCHES else _BEYOND_ALL
