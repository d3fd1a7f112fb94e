"""Keep what the watch on shapes learns and notices, and hand out what it has not read yet. Implements ports.Shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from candu_source.errors import NotFound, Reason, StaleLease
from candu_source.findings import Change, Kept, Knowledge, Known, Lesson, Notice, Reading, Source, Subject, What
from candu_source.store.chunks import unpack_bytes
from candu_source.store.sqlite import Database

# A reading ends at so many bytes, however few inputs that are.
_READING_BYTES = 4 * 2**20
# More of an input is no help to a reader.
_SAMPLE_BYTES = 16_384
# Refused for what the whole is, each with advice of its own: there is no shape to look at.
_SHAPELESS = frozenset({Reason.BROKEN_JSON, Reason.BROKEN_ENCODING, Reason.SLACK_FORMAT})


class KeptNotice(NamedTuple):
    """Hold one notice as people see it."""

    id: int
    connection: str
    connection_name: str
    door: str
    event: str
    change: What
    path: str
    type: str
    times: int
    first_at: float
    last_at: float
    acked_at: float | None


class SqlShapes:
    """Read on, keep and list; cursors move in the transaction that writes what was read up to there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = database.sql

    def read(self, source: Source, most: int) -> Reading:
        """Return about `most` inputs that were not read yet, oldest first; at least one where there is one."""
        with self._database.read() as db:
            row = db.execute(self._sql["shape_cursor"], {"source": source}).fetchone()
            after = row[0] if row else 0
            # Closed at once: a statement that is left open holds its view of the file, and keeps the WAL from being emptied.
            with closing(db.execute(self._unread(source), {"after": after, "most": most})) as rows:
                return _reading(source, after, rows, most)

    def _unread(self, source: Source) -> str:
        match source:
            case "log":
                return self._sql["unread_log"]
            case "filtered":
                return self._sql["unread_filtered"]
            case "rejects":
                return self._sql["unread_rejects"]

    def knowledge(self, subject: Subject) -> Knowledge:
        """Return what was learned and noticed of a subject."""
        wanted = subject._asdict()
        learned: dict[str, Known] = {}
        for path, kind, always in self._database.rows("learned_shape", wanted):
            types = learned[path].types if path in learned else frozenset()
            learned[path] = Known(types | {kind}, bool(always))
        noticed = frozenset(Change._make(row) for row in self._database.rows("noticed_changes", wanted))
        return Knowledge(learned, noticed)

    def events(self, connection: str, door: str) -> set[str]:
        """Return the events of which anything was learned or noticed."""
        return {event for (event,) in self._database.rows("shaped_events", {"connection": connection, "door": door})}

    def keep(self, reading: Reading, notices: Sequence[Notice], lessons: Sequence[Lesson]) -> None:
        """Write all that a reading gave and where it ended, together.

        Raises StaleLease when another has read on meanwhile and StoreFull when there is no room; nothing is written then.
        """
        if notices or lessons:
            self._database.check_room()
        cursor = {"source": reading.source, "after": reading.after, "read_to": reading.read_to}
        with self._database.write() as db:
            if not db.execute(self._sql["move_shape_cursor"], cursor).rowcount:
                raise StaleLease(f"another watch has read on in {reading.source}; what this one found was not kept")
            db.executemany(self._sql["add_shape_notice"], map(_notice_row, notices))
            db.executemany(
                self._sql["learn_shape"],
                [(*each.subject, each.path, kind, each.known.always) for each in lessons for kind in each.known.types],
            )

    def notices(self, connection: str | None, *, acked: bool) -> list[KeptNotice]:
        """List notices of one connection or all, oldest first; those acknowledged only when asked for."""
        rows = self._database.rows("shape_notices", {"connection": connection, "id": None, "acked": acked})
        return [KeptNotice._make(row) for row in rows]

    def notice(self, connection: str | None, identifier: int) -> KeptNotice:
        """Find one notice; raise NotFound."""
        row = self._database.row("shape_notices", {"connection": connection, "id": identifier, "acked": True})
        if row is None:
            raise NotFound(f"there is no notice {identifier}; `shapes list --all` shows them all")
        return KeptNotice._make(row)

    def sample(self, notice: KeptNotice) -> bytes:
        """Return the first input that showed a change, cut to 16 KB; empty once retention has released it."""
        return bytes(self._database.row("shape_sample", {"connection": notice.connection, "id": notice.id})[0])

    def ack(self, connection: str, identifier: int | None = None) -> int:
        """Acknowledge one notice of a connection, or all; return how many were not acknowledged before."""
        return self._database.run("ack_shape_notices", {"connection": connection, "id": identifier})


def _reading(source: Source, after: int, rows: Iterable[Any], most: int) -> Reading:
    inputs: list[Kept] = []
    read_to, size = after, 0
    for place, connection, door, at, code, raw in rows:
        raws = unpack_bytes(raw) if source == "log" else [raw]
        read_to, size = place, size + sum(map(len, raws))
        if code not in _SHAPELESS:
            inputs += [Kept(connection, door, each, at, refused=source == "rejects") for each in raws]
        if len(inputs) >= most or size >= _READING_BYTES:
            break
    return Reading(source, after, read_to, tuple(inputs))


def _notice_row(notice: Notice) -> tuple[object, ...]:
    return *notice.subject, *notice.change, notice.count, notice.first_at, notice.last_at, notice.sample[:_SAMPLE_BYTES]
