"""Speak to DuckDB: one file, open for as long as a sync takes; readers have a copy of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import msgspec

from candu_source.destinations.warehouse.dialects.duckdb_reader import DATABASE, LIMITS, WORDS, DuckDbReader, asks, catalog_of, taken, told
from candu_source.destinations.warehouse.dialects.readcopy import publish, read_copy_of
from candu_source.destinations.warehouse.dialects.statements import (
    add_columns,
    create_table,
    insert_missing,
    literal,
    quoted,
    types_of,
    update_known,
)
from candu_source.destinations.warehouse.dialects.turns import turn, wait
from candu_source.destinations.warehouse.tables import Catalog, TableLoad, Type
from candu_source.errors import WarehouseError

# read_json keeps two lines of the largest size in memory for each thread.
_LINE_BYTES = 2**20
# For each column of a table that is written DuckDB keeps a block of 256 KB or two, whatever is in it. Found by trying: a batch of 16 MB
# needs 64 and 0.25; what is more is filled with pages of the file.
_TABLE_MB, _COLUMN_MB = 80, 0.35
_MOST_SPILLED = "1GB"
# What DuckDB makes (the file, what it writes beside it) holds people's data, and is its owner's alone.
_PRIVATE = 0o077

_encode = msgspec.json.Encoder().encode


class DuckDbWarehouse:
    """Keep one warehouse, for any number of sources, in one file; `patience` is how many seconds to wait for one who has it open."""

    def __init__(self, file: Path, *, read_copy: bool = True, patience: float = 30.0) -> None:
        self._file = file.absolute()
        self._read_copy = read_copy
        self._patience = patience

    @contextlib.contextmanager
    def open(self, source: str) -> Iterator[DuckDb]:
        """Open it for writing, whatever the source: DuckDB lets one process in; a changed file is copied for readers at the end."""
        where, staging = str(self._file), self._file.with_name(f"{self._file.name}.rows")
        with contextlib.ExitStack() as stack:
            stack.callback(os.umask, os.umask(_PRIVATE))
            with told(where, OSError):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(turn(staging, self._patience))
                connection = stack.enter_context(wait(lambda: _connect(self._file, staging), self._patience, where))
            yield DuckDb(connection, staging)
            with told(where, OSError):
                connection.execute(f"CHECKPOINT {quoted(DATABASE)}")
                if self._read_copy:
                    publish(self._file)  # before it is closed: until then DuckDB's lock keeps other writers out

    @contextlib.contextmanager
    def look(self) -> Iterator[DuckDbReader]:
        """Open the copy for reading, or the file itself where none is kept."""
        file = read_copy_of(self._file) if self._read_copy else self._file
        if not file.exists():
            raise WarehouseError(f"{file} is not there yet; the first sync makes it")
        with told(str(file)):
            connection = wait(lambda: _look_at(file), self._patience, str(file))
        with connection:
            yield DuckDbReader(connection)


class DuckDb:
    """Be one open file, loaded by this process alone. Names are as long as PostgreSQL's, so that one question fits both."""

    name_bytes = 63

    def __init__(self, connection: duckdb.DuckDBPyConnection, staging: Path) -> None:
        self._connection = connection
        self._staging = staging

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside together, or nothing of it; raise WarehouseError."""
        with told("the transaction"):
            self._connection.begin()
        try:
            yield
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # what went wrong first is what counts
                self._connection.rollback()
            raise
        with told("the transaction"):
            self._connection.commit()

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now, names in lower case; empty where there is no such schema."""
        with told(schema):
            return catalog_of(self._connection, schema)

    def put(self, schema: str, load: TableLoad) -> int:
        """Make what the load's table lacks, and write its rows; return how many are new there."""
        table, where = quoted(DATABASE, schema, load.table), f"{schema}.{load.table}"
        with told(where, OSError, ValueError, ArithmeticError):
            self._prepare(schema, table, load)
            if not load.rows:
                return 0
            types = types_of(where, load, catalog_of(self._connection, schema, load.table).get(load.table, {}))
            self._connection.execute(f"SET memory_limit = '{_TABLE_MB + _COLUMN_MB * len(load.columns)}MB'")
            with self._staged(load, types) as staged:
                if load.fold:
                    self._connection.execute(update_known(table, load.columns, staged))
                return int(self._connection.execute(insert_missing(table, load.columns, staged)).fetchall()[0][0])

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement that all dialects know, `?` for each parameter, and return its rows."""
        with told("the statement"):
            rows = self._connection.execute(sql, list(parameters)).fetchall()
            # DuckDB answers a change with the number of its rows.
            return rows if asks(self._connection, sql) else []

    def _prepare(self, schema: str, table: str, load: TableLoad) -> None:
        if load.new:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(DATABASE, schema)}")
            self._connection.execute(create_table(table, load, WORDS, "VARCHAR NOT NULL"))
            return
        for statement in add_columns(table, load, WORDS):
            self._connection.execute(statement)

    @contextlib.contextmanager
    def _staged(self, load: TableLoad, types: Sequence[Type]) -> Iterator[str]:
        """Write the rows beside the warehouse, a line of JSON each, and yield what reads them as a table.

        On two cores 220 000 rows a second of 16 columns go in this way; 90 000 as lists in parameters, 48 000 as CSV.
        """
        with self._staging.open("wb") as file:
            try:
                longest = _write(file, load)
                file.flush()
                yield _reading(self._staging, load.columns, types, longest)
            finally:
                file.truncate(0)


def _write(file: BinaryIO, load: TableLoad) -> int:
    """Write a load's rows, keyed by the place of each cell, and return the size of the longest line."""
    places, longest = [str(place) for place in range(len(load.columns))], 0
    for row in load.rows:
        line = _encode({place: cell for place, cell in zip(places, row, strict=True) if cell is not None})
        longest = max(longest, len(line))
        file.write(line + b"\n")
    return longest


def _reading(staging: Path, columns: Sequence[str], types: Sequence[Type], longest: int) -> str:
    """Return the SQL that reads staged rows as a table with a load's columns."""
    words = ", ".join(f"'{place}': '{WORDS[kind]}'" for place, kind in enumerate(types))
    names = ", ".join(f'"{place}" AS {quoted(name)}' for place, name in enumerate(columns))
    options = f"format = 'newline_delimited', maximum_object_size = {max(longest + 1, _LINE_BYTES)}, columns = {{{words}}}"
    return f"(SELECT {names} FROM read_json({literal(str(staging))}, {options}))"


def _connect(file: Path, staging: Path) -> duckdb.DuckDBPyConnection:
    """Open a file for writing, with no way to any other than the staged rows; raise Taken."""
    return _confined(_attached(file, ""), f"SET allowed_paths = [{literal(str(staging))}]")


def _look_at(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a file for reading, with no way to any other; raise Taken."""
    connection = _confined(_attached(file, "(READ_ONLY)"), f"SET max_temp_directory_size = '{_MOST_SPILLED}'")
    connection.execute("SET lock_configuration = true")
    return connection


def _attached(file: Path, options: str) -> duckdb.DuckDBPyConnection:
    """Attach a file, and not connect to it.

    Connected to, it would lend its name to the database, which then stands in the way of a schema of that name; and of a file that was
    replaced DuckDB would give a process that has the old one open the old one again.
    """
    connection = duckdb.connect(":memory:", config={**LIMITS, "temp_directory": f"{file}.tmp"})
    with taken():
        connection.execute(f"ATTACH {literal(str(file))} AS {quoted(DATABASE)} {options}")
    connection.execute(f"USE {quoted(DATABASE)}")
    return connection


def _confined(connection: duckdb.DuckDBPyConnection, more: str) -> duckdb.DuckDBPyConnection:
    """Shut the way to all other files and to the network."""
    for statement in ("SET TimeZone = 'UTC'", "SET enable_progress_bar = false", more, "SET enable_external_access = false"):
        connection.execute(statement)
    return connection
