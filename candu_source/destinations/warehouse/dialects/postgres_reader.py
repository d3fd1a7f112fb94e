"""Read PostgreSQL: what its tables are, what it answers to a question, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors

from candu_source.destinations.warehouse.dialects import Answer
from candu_source.destinations.warehouse.tables import Catalog, Column, Type
from candu_source.errors import WarehouseError

WORDS = {
    Type.STRING: "text",
    Type.INTEGER: "bigint",
    Type.FLOAT: "numeric",
    Type.BOOLEAN: "boolean",
    Type.TIMESTAMP: "timestamptz",
}
_PIECE_ROWS = 1_000
_SAID_CHARACTERS = 300
# The header of a length that pg_attribute.atttypmod holds (PostgreSQL, "pg_attribute").
_HEADER = 4

# By pg_type.typname; what is not here is not written.
_TYPES = {
    "text": Column(Type.STRING),
    "citext": Column(Type.STRING),
    "varchar": Column(Type.STRING),
    "bpchar": Column(Type.STRING),
    "int2": Column(Type.INTEGER, bits=16),
    "int4": Column(Type.INTEGER, bits=32),
    "int8": Column(Type.INTEGER),
    "numeric": Column(Type.FLOAT),
    "float4": Column(Type.FLOAT, largest=3.4e38),
    "float8": Column(Type.FLOAT),
    "bool": Column(Type.BOOLEAN),
    "timestamptz": Column(Type.TIMESTAMP),
    "timestamp": Column(Type.TIMESTAMP),
    "date": Column(Type.TIMESTAMP),
}
_COLUMNS = """
    SELECT relname, attname, typname, format_type(atttypid, atttypmod), atttypmod, attgenerated <> '' OR attidentity = 'a'
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_type ON pg_type.oid = atttypid
    WHERE nspname = %s AND relname = coalesce(%s, relname) AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
    ORDER BY relname, attnum
"""
_ADVICE: Mapping[type[psycopg.Error], str] = {
    errors.IntegrityError: "drop that constraint, or give its column a default",
    errors.InsufficientPrivilege: "let the user create schemas in the database, and own what it loads",
    errors.DuplicateTable: "drop or rename what has that name; the next sync makes the table",
    errors.UndefinedTable: "the next sync sees the tables as they are then",
    errors.UndefinedColumn: "the next sync sees the tables as they are then",
    errors.LockNotAvailable: "somebody holds the table; the next sync tries again",
    errors.InvalidPassword: "look at user and password",
    errors.InvalidCatalogName: "look at the name of the database",
    errors.SyntaxError: "look at the words of the question",
    errors.QueryCanceled: "it took longer than it may",
}


class PostgresReader:
    """Be one connection that cannot write.

    One question at a time: a new one ends the rows of the one before.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def catalog(self, schema: str) -> Catalog:
        """Read the tables of a schema as they are now; empty where there is no such schema."""
        with told(schema):
            self._connection.rollback()
            return catalog_of(self._connection, schema)

    def ask(self, sql: str, parameters: Sequence[Any] = (), *, seconds: float = 0) -> Answer:
        """Run one question, for so many seconds at most (0: as long as it takes); raise WarehouseError with the warehouse's words."""
        deadline = time.monotonic() + seconds if seconds else float("inf")
        with told("the question"):
            self._connection.rollback()
            self._connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1_000))])
            self._declare(sql, parameters)
            first = self._connection.execute("FETCH 0 FROM answer")
            return Answer(tuple(column.name for column in first.description or ()), self._rows(deadline))

    def _declare(self, sql: str, parameters: Sequence[Any]) -> None:
        """Open a cursor, which takes a question only; as a prepared statement, which takes one only."""
        self._connection.execute(*postgres_words(f"DECLARE answer NO SCROLL CURSOR FOR {sql}", parameters), prepare=True)

    def _rows(self, deadline: float) -> Iterator[tuple[Any, ...]]:
        while True:
            with told("the question"):
                rows = self._connection.execute(f"FETCH {_PIECE_ROWS} FROM answer").fetchall()
            if time.monotonic() > deadline:
                raise WarehouseError("the question: it took longer than it may; ask for less")
            if not rows:
                return
            yield from rows


def postgres_words(sql: str, parameters: Sequence[Any]) -> tuple[str, tuple[Any, ...] | None]:
    """Return a statement that has `?` for its parameters as psycopg takes it, and them; without any it stays as it is."""
    return (sql.replace("%", "%%").replace("?", "%s"), tuple(parameters)) if parameters else (sql, None)


def catalog_of(connection: psycopg.Connection, schema: str, table: str | None = None) -> dict[str, dict[str, Column]]:
    """Return the tables of a schema, or the one of them."""
    tables: dict[str, dict[str, Column]] = {}
    for name, column, kind, physical, size, ours in connection.execute(_COLUMNS, [schema, table]).fetchall():
        tables.setdefault(name, {})[column] = Column(None, physical) if ours else _column(kind, physical, size)
    return tables


def _column(kind: str, physical: str, size: int) -> Column:
    column = _TYPES.get(kind, Column(None))._replace(physical=physical)
    if size < _HEADER:
        return column
    if column.type is Type.STRING:
        return column._replace(characters=size - _HEADER)
    if kind == "numeric":
        return column._replace(largest=10.0 ** ((size - _HEADER >> 16) - (size - _HEADER & 0x7FF)) - 1)
    return column


@contextlib.contextmanager
def told(what: str, *others: type[Exception]) -> Iterator[None]:
    """Raise as WarehouseError what psycopg raises inside, and others if named, with what is to be done.

    Only the first line is told: what follows may show rows.
    """
    kinds: tuple[type[Exception], ...] = (psycopg.Error, *others)
    try:
        yield
    except kinds as error:
        said = (error.diag.message_primary if isinstance(error, psycopg.Error) else None) or str(error).partition("\n")[0]
        advice = next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), "the next sync goes on from the last commit")
        raise WarehouseError(f"{what}: {said[:_SAID_CHARACTERS]}; {advice}") from None
