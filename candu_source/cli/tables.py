"""Commands that look into warehouses, and choose what they get: warehouse columns, select, query, notices."""

from __future__ import annotations

import csv
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec

from candu_source import app
from candu_source.cli.show import (
    actor,
    choose_warehouse,
    connection_option,
    emit,
    json_option,
    opened,
    plain,
    print_table,
    read_bytes,
    warehouse_option,
)
from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.selection import OTHERS, Collection, Selection
from candu_source.errors import NotFound, UsageError
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.warehouses import Table, Warehouse

_MOST_ROWS = 1_000
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_SYNC_FIRST = "No table yet. `candu-source warehouse sync` loads what there is."


@click.command()
@click.argument("table", required=False)
@connection_option
@warehouse_option
@json_option
@click.pass_obj
def columns(settings: Settings, table: str | None, name: str | None, warehouse: str | None, as_json: bool) -> None:
    """List tables, their columns and types, and the rows that syncs brought, as the last sync left them.

    Example: candu-source warehouse columns screens
    """
    with opened(settings) as store:
        found = _tables(store, choose_warehouse(store, name, warehouse)[1], table)
    if as_json:
        click.echo(json.dumps([{"table": each.name, "rows": each.rows, "columns": dict(each.columns)} for each in found], indent=2))
        return
    rows = [
        {"table": each.name, "rows": each.rows, "column": column, "type": kind} for each in found for column, kind in each.columns.items()
    ]
    emit(rows, as_json=False, empty=_SYNC_FIRST)


@click.command()
@connection_option
@warehouse_option
@click.option("--enable", multiple=True, metavar="TABLE[.COLUMN]", help="Load it; repeatable, * for tables without a word of their own.")
@click.option("--disable", multiple=True, metavar="TABLE[.COLUMN]", help="Do not load it any more; what is there stays.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), metavar="TOML", help="Choose as a file says, and nothing else.")
@json_option
@click.pass_obj
def select(
    settings: Settings,
    /,
    name: str | None,
    warehouse: str | None,
    enable: Sequence[str],
    disable: Sequence[str],
    file: Path | None,
    as_json: bool,
) -> None:
    """Show what is loaded, or choose it: tables and columns, as Segment's selective sync does.

    Example: candu-source warehouse select --disable groups --disable tutorial_interaction.version_id
    """
    if file and (enable or disable):
        raise UsageError("--file says all that is chosen; leave --enable and --disable out")
    with opened(settings) as store:
        connection, found = choose_warehouse(store, name, warehouse)
        before = Selection.read(found.selection)
        after = _of_file(file) if file else _switched(before, enable, disable)
        if after != before:
            store.warehouses.save(connection, replace(found, selection=after.write()), by=actor())
        tables = [table.name for table in store.warehouses.upkeep(found).tables]
    if as_json:
        click.echo(json.dumps(after.write(), indent=2))
        return
    chosen = {table: after.of(table) for table in sorted({*tables, *after.collections})} | {OTHERS: after.others}
    rows = [{"table": table, "loaded": each.loaded, "without": ", ".join(sorted(each.excluded))} for table, each in chosen.items()]
    emit(rows, as_json=False, empty="")


@click.command()
@click.argument("sql")
@connection_option
@warehouse_option
@click.option("--limit", default=_MOST_ROWS, show_default=True, type=click.IntRange(1), metavar="ROWS", help="How many rows at the most.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@json_option
@click.pass_obj
def query(settings: Settings, /, sql: str, name: str | None, warehouse: str | None, limit: int, as_csv: bool, as_json: bool) -> None:
    """Ask the warehouse a question in SQL; nothing can be written this way. - reads the SQL from standard input.

    Example: candu-source warehouse query "select count(*) from candu_prod.screens"
    """
    if as_csv and as_json:
        raise UsageError("--csv or --json, not both")
    asked = sys.stdin.read() if sql == "-" else sql
    with opened(settings) as store:
        place = app.build_warehouse(settings, store, choose_warehouse(store, name, warehouse)[1])
    with place.look() as reader:
        answer = reader.ask(asked)
        more = _print(answer.columns, answer.rows, limit, "csv" if as_csv else "json" if as_json else "table")
    if more:
        click.echo(f"There are more than {limit} rows; --limit shows more.", err=True)


@click.command()
@connection_option
@warehouse_option
@json_option
@click.pass_obj
def notices(settings: Settings, name: str | None, warehouse: str | None, as_json: bool) -> None:
    """List what could not be loaded as it came, by column and reason; the warehouse keeps it in schema _candu_sync.

    Example: candu-source warehouse notices --connection Candu_Prod
    """
    with opened(settings) as store:
        found = choose_warehouse(store, name, warehouse)[1]
        place = app.build_warehouse(settings, store, found)
    with place.look() as reader:
        rows = [each._asdict() for each in state.notices(reader, found.connection)]
    emit(rows, as_json=as_json, empty="Everything was loaded as it came.")


def _tables(store: Store, warehouse: Warehouse, name: str | None) -> Sequence[Table]:
    """Return the tables of a warehouse, or the one of that name; raise NotFound."""
    tables = store.warehouses.upkeep(warehouse).tables
    if name is None:
        return tables
    if found := [table for table in tables if table.name == name]:
        return found
    known = ", ".join(table.name for table in tables) or "none yet"
    raise NotFound(f"the warehouse has no table {plain(name)!r}; it has {known}")


def _switched(selection: Selection, enable: Iterable[str], disable: Iterable[str]) -> Selection:
    """Return the selection with some tables and columns on and others off; raise UsageError."""
    for is_on, words in ((True, enable), (False, disable)):
        for word in words:
            selection = _with(selection, *word.partition(".")[::2], is_on=is_on)
    return Selection.read(selection.write())


def _with(selection: Selection, table: str, column: str, *, is_on: bool) -> Selection:
    known = selection.others if table == OTHERS else selection.of(table)
    if not column:
        chosen = Collection(is_on, known.excluded if is_on and known.loaded else frozenset())
    elif not known.loaded:
        raise UsageError(f"{table}.{column}: the table {table} is not loaded at all; --enable {table} first")
    else:
        chosen = Collection(excluded=known.excluded - {column} if is_on else known.excluded | {column})
    return replace(selection, others=chosen) if table == OTHERS else selection.choosing(table, chosen)


def _of_file(file: Path) -> Selection:
    try:
        return Selection.read(tomllib.loads(read_bytes(file).decode("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, UsageError) as error:
        raise UsageError(f"{file}: {error}") from None


def _print(names: Sequence[str], rows: Iterator[Sequence[Any]], limit: int, how: str) -> bool:
    """Print an answer as it comes, save a table, whose widths are known at its end; return whether there is more."""
    first = islice(rows, limit)
    if how == "csv":
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(names)
        out.writerows([_word(cell) for cell in row] for row in first)
    elif how == "json":
        _print_json(names, first)
    elif found := [[_cell(cell) for cell in row] for row in first]:
        print_table(names, found)
    else:
        click.echo("No rows.")
    return next(rows, None) is not None


def _print_json(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a list of objects, one a line."""
    before = "[\n"
    for row in rows:
        click.echo(f"{before}{_encode(dict(zip(names, row, strict=True))).decode()}", nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


def _cell(cell: Any) -> Any:
    """Return a cell as a table shows it: numbers as numbers, which stand on the right."""
    return cell if isinstance(cell, int | float | str | None) else _word(cell)


def _word(cell: Any) -> str | None:
    """Return a cell as one word, as JSON has it but without its quotes."""
    return cell if cell is None or isinstance(cell, str) else _encode(cell).decode().strip('"')


COMMANDS = (columns, select, query, notices)
