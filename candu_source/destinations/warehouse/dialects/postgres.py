"""Speak to PostgreSQL 12 and later: rows go by binary COPY into a temporary table, and from there where they are missing."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, cast

import psycopg

from candu_source.destinations.warehouse.dialects.postgres_reader import WORDS, PostgresReader, catalog_of, postgres_words, told
from candu_source.destinations.warehouse.dialects.server import Server
from candu_source.destinations.warehouse.dialects.statements import (
    ID,
    add_columns,
    create_table,
    insert_all,
    insert_missing,
    quoted,
    types_of,
    update_known,
)
from candu_source.destinations.warehouse.dialects.turns import Taken, wait
from candu_source.destinations.warehouse.tables import Catalog, Cell, TableLoad, Type

# How long one statement may take, and how long it may wait for a table that somebody holds: whoever reads waits behind it.
_STATEMENT_SECONDS, _LOCK_SECONDS = 600, 10
_STAGED = "pg_temp.candu_staged"
# Only a key that is there at once, for all rows and for the id alone, keeps a second row out.
_HAS_KEY = """
    SELECT 1 FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(%s) AND attname = %s AND indnkeyatts = 1
      AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL AND indexprs IS NULL
"""


class PostgresWarehouse:
    """Reach one database; `patience` is how many seconds to wait for another sync of the same source."""

    def __init__(self, server: Server, *, allow_private: bool, patience: float = 30.0) -> None:
        self._server = server
        self._allow_private = allow_private
        self._patience = patience

    @contextlib.contextmanager
    def open(self, source: str) -> Iterator[Postgres]:
        """Open it for writing, as the only one who syncs this source; sources do not wait for each other."""
        with self._connected() as connection:
            with told(self._server.shown()):
                wait(lambda: _lock(connection, source), self._patience, self._server.shown())
            yield Postgres(connection)

    @contextlib.contextmanager
    def look(self) -> Iterator[PostgresReader]:
        """Open it for reading."""
        with self._connected() as connection:
            connection.read_only = True
            connection.autocommit = False
            yield PostgresReader(connection)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with told(self._server.shown()):
            connection = psycopg.connect(autocommit=True, **cast("dict[str, Any]", self._server.words(allow_private=self._allow_private)))
        try:
            with told(self._server.shown()):
                connection.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
                connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
                connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


class Postgres:
    """Be one connection that holds the lock of a source. Longer names PostgreSQL would cut by itself (NAMEDATALEN)."""

    name_bytes = 63

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside together, or nothing of it; raise WarehouseError."""
        with told("the transaction"), self._connection.transaction():
            yield

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now; empty where there is no such schema."""
        with told(schema):
            return catalog_of(self._connection, schema)

    def put(self, schema: str, load: TableLoad) -> int:
        """Make what the load's table lacks, and write its rows; return how many are new there."""
        table, where = quoted(schema, load.table), f"{schema}.{load.table}"
        with told(where, ValueError, ArithmeticError):
            self._prepare(schema, table, load)
            if not load.rows:
                return 0
            self._stage(load, types_of(where, load, catalog_of(self._connection, schema, load.table).get(load.table, {})))
            if load.fold:
                self._execute(update_known(table, load.columns, _STAGED))
            new = self._execute(self._insert(table, load.columns)).rowcount
            self._execute(f"DROP TABLE {_STAGED}")
            return new

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement that all dialects know, `?` for each parameter, and return its rows."""
        with told("the statement"):
            answer = self._connection.execute(*postgres_words(sql, parameters))
            return answer.fetchall() if answer.description else []

    def _prepare(self, schema: str, table: str, load: TableLoad) -> None:
        if load.new:
            # Looked for first: even IF NOT EXISTS needs a right that is not needed where the schema is there.
            if not self._connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchall():
                self._execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            key = f"varchar(1024) NOT NULL CONSTRAINT {quoted(_key_name(load.table))} PRIMARY KEY"
            self._execute(create_table(table, load, WORDS, key))
            return
        for statement in add_columns(table, load, WORDS):
            self._execute(statement)

    def _stage(self, load: TableLoad, types: Sequence[Type]) -> None:
        """Copy the rows, in our own types: what a user made of a column is cast as it is inserted.

        On two cores 100 000 rows a second of 16 columns go in this way, with the insertion; 55 000 as text, 66 000 as JSON.
        """
        columns = ", ".join(f"{quoted(name)} {WORDS[kind]}" for name, kind in zip(load.columns, types, strict=True))
        self._execute(f"CREATE TEMPORARY TABLE candu_staged ({columns}) ON COMMIT DROP")
        with self._connection.cursor().copy(f"COPY {_STAGED} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([WORDS[kind] for kind in types])
            for row in _exact(load.rows, types):
                copy.write_row(row)

    def _insert(self, table: str, columns: Sequence[str]) -> str:
        if self._connection.execute(_HAS_KEY, [table, ID]).fetchall():
            return f"{insert_all(table, columns, _STAGED)} ON CONFLICT ({quoted(ID)}) DO NOTHING"
        return insert_missing(table, columns, _STAGED)

    def _execute(self, sql: str) -> psycopg.Cursor[tuple[Any, ...]]:
        return self._connection.execute(sql)


def _exact(rows: Iterable[tuple[Cell, ...]], types: Sequence[Type]) -> Iterable[Sequence[Cell]]:
    """Return the rows with numbers as decimals: binary COPY takes no others for `numeric`; `repr` is a float's shortest exact word."""
    places = [place for place, kind in enumerate(types) if kind is Type.FLOAT]
    return (_with_decimals(row, places) for row in rows) if places else rows


def _with_decimals(row: tuple[Cell, ...], places: Sequence[int]) -> Sequence[Cell]:
    cells = list(row)
    for place in places:
        if (cell := cells[place]) is not None:
            cells[place] = Decimal(repr(cell) if isinstance(cell, float) else cast("Decimal", cell))
    return cells


def _key_name(table: str) -> str:
    """Return `<table>_pkey` as PostgreSQL itself would make it: cut, on a character, to fit in a name."""
    return table.encode()[: Postgres.name_bytes - len("_pkey")].decode(errors="ignore") + "_pkey"


def _lock(connection: psycopg.Connection, source: str) -> None:
    number = int.from_bytes(hashlib.blake2b(f"candu-source {source}".encode(), digest_size=8).digest(), "big", signed=True)
    if not connection.execute("SELECT pg_try_advisory_lock(%s)", [number]).fetchall()[0][0]:
        raise Taken("another sync of this source is under way")
