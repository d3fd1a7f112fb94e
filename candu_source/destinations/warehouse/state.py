"""Keep, in the warehouse itself, how far each source is loaded and what was to be said: it commits with the rows, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from candu_source.destinations.warehouse.dialects import Dialect, Reader
from candu_source.destinations.warehouse.tables import Catalog
from candu_source.errors import WarehouseError
from candu_source.warehouses import Remark, Table

# Kept apart from the schemas of sources, which hold what Segment would make and nothing else.
SCHEMA = "_candu_sync"
MOST_NOTICES = 1_000
# What does not fit any more is counted under this one.
OVERFLOW = Remark("", "", "more than the notices that are kept", 0, "")
# A key of PostgreSQL holds 2 704 bytes, and a character has up to four.
_WORD_CHARACTERS = 150

_TABLES = (
    "CREATE TABLE _candu_sync.cursors (source text PRIMARY KEY, position bigint NOT NULL, message_id text NOT NULL)",
    """CREATE TABLE _candu_sync.backfills (source text, table_name text, position bigint NOT NULL, until bigint NOT NULL,
        PRIMARY KEY (source, table_name))""",
    "CREATE TABLE _candu_sync.tables (source text, table_name text, loaded_rows bigint NOT NULL, PRIMARY KEY (source, table_name))",
    """CREATE TABLE _candu_sync.notices (source text, table_name text, column_name text, what text, times bigint NOT NULL,
        sample text NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
        PRIMARY KEY (source, table_name, column_name, what))""",
)


class Bookmark(NamedTuple):
    """Hold the place of the last event that is loaded, and its message id, by which another log is told from this one."""

    position: int
    message_id: str


class Backfill(NamedTuple):
    """Hold a table that is loaded again, from where on, and up to which place."""

    table: str
    position: int
    until: int


def prepare(dialect: Dialect) -> None:
    """Make the tables of this module where they are missing, in a transaction of its own.

    The schema is looked for first: IF NOT EXISTS, too, needs a right that is not needed where an owner made it.
    """
    if _is_prepared(dialect):
        return
    try:
        with dialect.transaction():
            if not dialect.run("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", [SCHEMA]):
                dialect.run("CREATE SCHEMA _candu_sync")
            for statement in _TABLES:
                dialect.run(statement)
    except WarehouseError:
        if not _is_prepared(dialect):  # else another source's sync was a moment faster
            raise


def bookmark(dialect: Dialect, source: str) -> Bookmark | None:
    """Return up to where a source is loaded; None where it never was."""
    rows = dialect.run("SELECT position, message_id FROM _candu_sync.cursors WHERE source = ?", [source])
    return Bookmark(*rows[0]) if rows else None


def move(dialect: Dialect, source: str, position: int, message_id: str) -> None:
    """Set up to where a source is loaded; inside the transaction that loads it."""
    dialect.run(
        """INSERT INTO _candu_sync.cursors (source, position, message_id) VALUES (?, ?, ?)
            ON CONFLICT (source) DO UPDATE SET position = excluded.position, message_id = excluded.message_id""",
        [source, position, _plain(message_id)],
    )


def forget_place(dialect: Dialect, source: str) -> None:
    """Let a source be loaded from its beginning, with all its tables."""
    dialect.run("DELETE FROM _candu_sync.cursors WHERE source = ?", [source])
    dialect.run("DELETE FROM _candu_sync.backfills WHERE source = ?", [source])


def backfills(dialect: Dialect, source: str) -> list[Backfill]:
    """List what of a source is being loaded again."""
    rows = dialect.run("SELECT table_name, position, until FROM _candu_sync.backfills WHERE source = ? ORDER BY table_name", [source])
    return [Backfill(*row) for row in rows]


def add_backfill(dialect: Dialect, source: str, table: str, *, until: int) -> None:
    """Let a table be loaded again from the beginning up to a place."""
    dialect.run(
        """INSERT INTO _candu_sync.backfills (source, table_name, position, until) VALUES (?, ?, 0, ?)
            ON CONFLICT (source, table_name) DO UPDATE SET position = 0, until = excluded.until""",
        [source, table, until],
    )


def move_backfill(dialect: Dialect, source: str, table: str, position: int) -> None:
    """Set how far a table is loaded again; inside the transaction that does it."""
    dialect.run("UPDATE _candu_sync.backfills SET position = ? WHERE source = ? AND table_name = ?", [position, source, table])


def end_backfill(dialect: Dialect, source: str, table: str) -> None:
    """Note that a table is loaded again."""
    dialect.run("DELETE FROM _candu_sync.backfills WHERE source = ? AND table_name = ?", [source, table])


def count_rows(dialect: Dialect, source: str, table: str, rows: int, *, new: bool) -> None:
    """Add to the rows that syncs brought to a table; a table that was just made begins with these."""
    if new:
        dialect.run("UPDATE _candu_sync.tables SET loaded_rows = 0 WHERE source = ? AND table_name = ?", [source, table])
    dialect.run(
        """INSERT INTO _candu_sync.tables (source, table_name, loaded_rows) VALUES (?, ?, ?)
            ON CONFLICT (source, table_name) DO UPDATE SET loaded_rows = _candu_sync.tables.loaded_rows + excluded.loaded_rows""",
        [source, table, rows],
    )


def tables(dialect: Dialect, source: str, catalog: Catalog) -> list[Table]:
    """List the tables that syncs of a source load, as the catalog has them; what a user dropped is not among them."""
    rows = dialect.run("SELECT table_name, loaded_rows FROM _candu_sync.tables WHERE source = ? ORDER BY table_name", [source])
    return [
        Table(table, loaded, {name: column.physical for name, column in catalog[table].items()})
        for table, loaded in rows
        if table in catalog
    ]


def note(dialect: Dialect, source: str, remarks: Iterable[Remark], now: float) -> None:
    """Write down what is to be said: a row for each column and reason, counted up; at most so many, then they are only counted."""
    said = [_fitting(remark) for remark in remarks]
    if not said:
        return
    known = set(dialect.run("SELECT table_name, column_name, what FROM _candu_sync.notices WHERE source = ?", [source]))
    at = datetime.fromtimestamp(now, UTC)
    for remark in said:
        key = (remark.table, remark.column, remark.what)
        kept = remark if key in known or len(known) < MOST_NOTICES else OVERFLOW._replace(times=remark.times)
        known.add((kept.table, kept.column, kept.what))
        _count(dialect, source, kept, at)


def notices(reader: Reader, source: str) -> Sequence[Remark]:
    """List what was to be said of a source, the most frequent first."""
    answer = reader.ask(
        """SELECT table_name, column_name, what, times, sample FROM _candu_sync.notices WHERE source = ?
            ORDER BY times DESC, table_name, column_name, what""",
        [source],
    )
    return [Remark(*row) for row in answer.rows]


def _count(dialect: Dialect, source: str, remark: Remark, at: datetime) -> None:
    dialect.run(
        """INSERT INTO _candu_sync.notices (source, table_name, column_name, what, times, sample, first_at, last_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (source, table_name, column_name, what)
            DO UPDATE SET times = _candu_sync.notices.times + excluded.times, last_at = excluded.last_at""",
        [source, *remark, at, at],
    )


def _fitting(remark: Remark) -> Remark:
    return Remark(_plain(remark.table), _plain(remark.column), _plain(remark.what), remark.times, _plain(remark.sample))


def _plain(text: str) -> str:
    """Return what any warehouse stores: no NUL, no half of a character, not too long."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:_WORD_CHARACTERS]


def _is_prepared(dialect: Dialect) -> bool:
    made = dialect.run("SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'notices'", [SCHEMA])
    return bool(made[0][0])
