"""Read DuckDB: what its tables are, what it answers to a question, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from candu_source.destinations.warehouse.dialects import Answer
from candu_source.destinations.warehouse.dialects.turns import Taken
from candu_source.destinations.warehouse.tables import Catalog, Column, Type
from candu_source.errors import WarehouseError

# What a sync and a question may take; the anti-join over ten million ids needs no more, as it streams.
LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "128MB",
    "threads": 1,
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# What the database of an open file is called: no schema of a source has a dot in its name, so that none means this one.
DATABASE = "candu.source"
_PIECE_ROWS = 1_000
_SAID_CHARACTERS = 300

WORDS = {
    Type.STRING: "VARCHAR",
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}
_TYPES = {
    **{word: Column(kind, word) for kind, word in WORDS.items()},
    "TINYINT": Column(Type.INTEGER, "TINYINT", bits=8),
    "SMALLINT": Column(Type.INTEGER, "SMALLINT", bits=16),
    "INTEGER": Column(Type.INTEGER, "INTEGER", bits=32),
    "HUGEINT": Column(Type.INTEGER, "HUGEINT"),
    "FLOAT": Column(Type.FLOAT, "FLOAT", largest=3.4e38),
    "DATE": Column(Type.TIMESTAMP, "DATE"),
    "TIMESTAMP": Column(Type.TIMESTAMP, "TIMESTAMP"),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_COLUMNS = """
    SELECT lower(table_name), lower(column_name), data_type
    FROM duckdb_columns() JOIN duckdb_tables() USING (database_oid, table_oid, table_name)
    WHERE duckdb_columns.database_name = current_database() AND lower(duckdb_columns.schema_name) = lower(?)
      AND (? IS NULL OR lower(table_name) = lower(?))
    ORDER BY table_name, column_index
"""
_ADVICE: Mapping[type[duckdb.Error], str] = {
    duckdb.ConstraintException: "drop that constraint, or give its column a default",
    duckdb.CatalogException: "drop or rename what is in the way; the next sync makes what is missing",
    duckdb.OutOfMemoryException: "it needs more memory than it may take; drop indexes that were added, or ask for less",
    duckdb.IOException: "look at the file and at the free space of its disk",
    duckdb.InterruptException: "it took longer than it may; ask for less",
    duckdb.ParserException: "look at the words of the question",
    duckdb.BinderException: "look at the names in the question",
}
# In the words of DuckDB 1 and 2, to others and to the same process.
_TAKEN = re.compile(r"Conflicting lock is held in .*?\(PID \d+\)|already attached by database|different configuration")


class DuckDbReader:
    """Be one file, open without the right to write: it reaches no other file, no network, and bounds what a question takes.

    One question at a time: a new one ends the rows of the one before.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now, names in lower case; empty where there is no such schema."""
        with told(schema):
            return catalog_of(self._connection, schema)

    def ask(self, sql: str, parameters: Sequence[Any] = (), *, seconds: float = 0) -> Answer:
        """Run one question, for so many seconds at most (0: as long as it takes); raise WarehouseError with the warehouse's words."""
        with told("the question"):
            if not asks(self._connection, sql):
                raise WarehouseError("only one question at a time is answered: SELECT, WITH, FROM, VALUES or EXPLAIN")
            deadline = time.monotonic() + (seconds or threading.TIMEOUT_MAX)
            with _interrupted(self._connection, deadline):
                self._connection.execute(sql, list(parameters))
            return Answer(tuple(column[0] for column in self._connection.description or ()), self._rows(deadline))

    def _rows(self, deadline: float) -> Iterator[tuple[Any, ...]]:
        while True:
            with told("the question"), _interrupted(self._connection, deadline):
                rows = self._connection.fetchmany(_PIECE_ROWS)
            if time.monotonic() > deadline:
                raise WarehouseError("the question: it took longer than it may; ask for less")
            if not rows:
                return
            yield from rows


def catalog_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str | None = None) -> dict[str, dict[str, Column]]:
    """Return the tables of a schema, or the one of them."""
    tables: dict[str, dict[str, Column]] = {}
    for name, column, physical in connection.execute(_COLUMNS, [schema, table, table]).fetchall():
        tables.setdefault(name, {})[column] = _column(physical)
    return tables


def _column(physical: str) -> Column:
    if sizes := _DECIMAL.fullmatch(physical):
        return Column(Type.FLOAT, physical, largest=10.0 ** (int(sizes[1]) - int(sizes[2])) - 1)
    return _TYPES.get(physical, Column(None, physical))


def asks(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Tell whether this is one statement, and one that changes nothing."""
    kinds = [statement.type for statement in connection.extract_statements(sql)]
    return kinds in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN])


@contextlib.contextmanager
def told(what: str, *others: type[Exception]) -> Iterator[None]:
    """Raise as WarehouseError what DuckDB raises inside, and others if named, with what is to be done."""
    kinds: tuple[type[Exception], ...] = (duckdb.Error, *others)
    try:
        yield
    except kinds as error:
        advice = next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), "the next sync tries again")
        raise WarehouseError(f"{what}: {str(error).partition(chr(10))[0][:_SAID_CHARACTERS]}; {advice}") from None


@contextlib.contextmanager
def taken() -> Iterator[None]:
    """Raise Taken where DuckDB says that somebody else has the file open, with its words about who."""
    try:
        yield
    except duckdb.Error as error:
        if words := _TAKEN.search(str(error)):
            raise Taken(words[0]) from None
        raise


@contextlib.contextmanager
def _interrupted(connection: duckdb.DuckDBPyConnection, deadline: float) -> Iterator[None]:
    """Interrupt what runs inside when the time is up."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
