"""Write the SQL that all dialects share: pure; identifiers are quoted here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from candu_source.destinations.warehouse.tables import Column, TableLoad, Type
from candu_source.errors import WarehouseError

ID, RECEIVED_AT, UUID_TS = "id", "received_at", "uuid_ts"


def quoted(*names: str) -> str:
    """Return an identifier, its parts joined by dots, that means exactly these characters; raise WarehouseError for what ends a text."""
    if any("\0" in name for name in names):
        raise WarehouseError("a name with a NUL in it is none")
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a string literal, for the places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def create_table(table: str, load: TableLoad, words: Mapping[Type, str], id_words: str) -> str:
    """Return the statement that makes a load's table, `table` being its quoted name."""
    rest = (f"{quoted(name)} {words[kind]}" for name, kind in load.added.items() if name != ID)
    return f"CREATE TABLE {table} ({', '.join((f'{quoted(ID)} {id_words}', *rest))})"


def add_columns(table: str, load: TableLoad, words: Mapping[Type, str]) -> Iterable[str]:
    """Return the statements that add to a table what a load brings for the first time."""
    return (f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {words[kind]}" for name, kind in load.added.items())


def insert_missing(table: str, columns: Sequence[str], staged: str) -> str:
    """Return the statement that inserts the staged rows whose id the table lacks."""
    known = f"SELECT 1 FROM {table} AS kept WHERE kept.{quoted(ID)} = staged.{quoted(ID)}"
    return f"{insert_all(table, columns, staged)} WHERE NOT EXISTS ({known})"


def insert_all(table: str, columns: Sequence[str], staged: str) -> str:
    """Return the statement that inserts all staged rows; what keeps double ids out is put behind it."""
    names = ", ".join(map(quoted, columns))
    cells = ", ".join(f"staged.{quoted(name)}" for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {cells} FROM {staged} AS staged"


def update_known(table: str, columns: Sequence[str], staged: str) -> str:
    """Return the statement that folds staged rows into those of the same id.

    The newer by `received_at` has the word, of two equal ones the staged; what it does not say stays. `uuid_ts` says when a row was
    last worked on (Segment, "Warehouse schemas"), so it only moves forward.
    """
    folded = ", ".join(f"{quoted(name)} = {_folded(name, columns)}" for name in columns if name != ID)
    return f"UPDATE {table} AS kept SET {folded} FROM {staged} AS staged WHERE kept.{quoted(ID)} = staged.{quoted(ID)}"


def _folded(name: str, columns: Sequence[str]) -> str:
    kept, staged = f"kept.{quoted(name)}", f"staged.{quoted(name)}"
    if name == UUID_TS:
        return f"greatest({kept}, {staged})"
    if RECEIVED_AT not in columns:
        return f"coalesce({staged}, {kept})"
    newer = f"kept.{quoted(RECEIVED_AT)} IS NULL OR staged.{quoted(RECEIVED_AT)} >= kept.{quoted(RECEIVED_AT)}"
    return f"CASE WHEN {newer} THEN coalesce({staged}, {kept}) ELSE coalesce({kept}, {staged}) END"


def types_of(where: str, load: TableLoad, table: Mapping[str, Column]) -> list[Type]:
    """Return the type of each column of a load, as its table is now; raise WarehouseError where it cannot be written."""
    types = []
    for name in load.columns:
        column = table.get(name)
        if column is None:
            raise WarehouseError(f"{where} has no column {name} any more; the next sync sees it as it is then")
        if column.type is None:
            raise WarehouseError(f"{where} has a column {name} of type {column.physical}, which is not written; drop or rename it")
        types.append(column.type)
    return types
