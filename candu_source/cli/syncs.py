"""Commands that load warehouses and tell how that goes: warehouse sync, backfill, status, notices."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterable
from typing import Any

import click

from candu_source import app
from candu_source.cli.bar import bar
from candu_source.cli.show import (
    choose,
    choose_warehouse,
    clock,
    connection_option,
    emit,
    emit_one,
    json_option,
    opened,
    plain,
    warehouse_option,
)
from candu_source.destinations.warehouse.selection import Selection
from candu_source.ending import stop_with_stdin
from candu_source.errors import UsageError
from candu_source.model import Connection
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.warehouses import EVERYTHING, Sync, Upkeep, Warehouse


@click.command()
@connection_option
@warehouse_option
@click.option("--scheduled", is_flag=True, hidden=True)
@json_option
@click.pass_obj
def sync(settings: Settings, name: str | None, warehouse: str | None, scheduled: bool, as_json: bool) -> None:
    """Load what waits, now; exit 1 when that failed.

    Example: candu-source warehouse sync --connection Candu_Prod
    """
    if scheduled:
        stop_with_stdin()
    with opened(settings) as store:
        _, found = choose_warehouse(store, name, warehouse)
        if scheduled:
            app.sync_warehouse(settings, store, found, Telltale())
            return
        done = _in_the_foreground(settings, store, found, visible=not as_json)
    _tell(done, as_json=as_json)


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@connection_option
@warehouse_option
@click.option("--all", "everything", is_flag=True, help="All tables, without asking.")
@json_option
@click.pass_obj
def backfill(settings: Settings, tables: tuple[str, ...], name: str | None, warehouse: str | None, everything: bool, as_json: bool) -> None:
    """Load tables again from the log's beginning: what was dropped comes back, what is there stays.

    Example: candu-source warehouse backfill screens
    """
    if tables and everything:
        raise UsageError("--all means all tables; name some, or leave it out")
    with opened(settings) as store:
        connection, found = choose_warehouse(store, name, warehouse)
        click.echo(_reach(store, connection), err=True)
        if not tables and not everything:
            click.confirm(f"Load all tables of schema {found.schema} again from there?", abort=True, err=True)
        done = _in_the_foreground(settings, store, found, again=tables or (EVERYTHING,), visible=not as_json)
        missing = {*tables} - {table.name for table in store.warehouses.upkeep(found).tables}
    _tell(done, as_json=as_json)
    for table in sorted(missing):
        click.echo(f"No event of the log goes to a table {plain(table)!r}; `candu-source warehouse columns` lists the tables.", err=True)


@click.command()
@click.argument("warehouse", required=False, metavar="[NAME]")
@connection_option
@json_option
@click.pass_obj
def status(settings: Settings, warehouse: str | None, name: str | None, as_json: bool) -> None:
    """List warehouses with how each is kept up to date; tell more of the one that is named.

    Example: candu-source warehouse status warehouse --connection Candu_Prod
    """
    now = time.time()
    with opened(settings) as store:
        if warehouse is not None:
            connection, found = choose_warehouse(store, name, warehouse)
            emit_one(_story(connection, found, store, now), as_json=as_json)
            return
        connections = [choose(store, name)] if name else store.connections.all()
        rows = [_row(each, found, store.warehouses.upkeep(found), now) for each in connections for found in store.warehouses.all(each.id)]
    empty = "No warehouse yet. `candu-source warehouse add` makes one: a DuckDB file beside the store."
    emit(rows, as_json=as_json, empty=empty, hidden=("place", "schema", "tables", "error"))


def _in_the_foreground(settings: Settings, store: Store, warehouse: Warehouse, *, again: Iterable[str] = (), visible: bool) -> Sync:
    with bar(warehouse.name, visible=visible) as tell:
        return app.sync_warehouse(settings, store, warehouse, Telltale(io.StringIO()), again=again, tell=tell)


def _reach(store: Store, connection: Connection) -> str:
    begin = clock(store.entries.oldest(connection.id))
    if begin is None:
        return f"The log of {connection.name} is empty: nothing can be loaded again."
    return f"The log of {connection.name} reaches back to {begin} (CANDU_SOURCE_RETENTION_DAYS); rows of earlier events stay as they are."


def _tell(done: Sync, *, as_json: bool) -> None:
    """Print what a sync did, and exit 1 when it failed."""
    row = {"events": done.events, "rows": done.rows, "notices": len(done.remarks), "seconds": round(done.seconds, 3), "error": done.error}
    if as_json:
        emit_one(row, as_json=True)
    else:
        click.echo(f"{done.events} events, {done.rows} new rows, {row['notices']} notices, {done.seconds:.1f} s")
        if done.error:
            click.echo(f"candu-source: {plain(done.error)}", err=True)
    if done.error:
        sys.exit(1)


def _row(connection: Connection, warehouse: Warehouse, upkeep: Upkeep, now: float) -> dict[str, Any]:
    last = upkeep.last
    return {
        "connection": connection.name,
        "warehouse": warehouse.name,
        "place": warehouse.shown,
        "schema": warehouse.schema,
        "state": _state(warehouse, upkeep),
        "last_sync": clock(last.started_at) if last else None,
        "next_sync": clock(max(upkeep.due_at, now)) if upkeep.enabled else None,
        "waiting": upkeep.pending,
        "rows": sum(table.rows for table in upkeep.tables),
        "notices": len(last.remarks) if last else 0,
        "tables": {table.name: table.rows for table in upkeep.tables},
        "error": last.error if last else "",
    }


def _story(connection: Connection, warehouse: Warehouse, store: Store, now: float) -> dict[str, Any]:
    upkeep = store.warehouses.upkeep(warehouse)
    last = upkeep.last
    return {
        **_row(connection, warehouse, upkeep, now),
        "every": warehouse.every,
        "max_pending": warehouse.max_pending,
        "oldest_waiting": clock(upkeep.oldest_pending),
        "syncing_since": clock(upkeep.syncing_since),
        "failures": upkeep.failures,
        "asked": sorted(upkeep.asked) if upkeep.asked is not None else None,
        "last_events": last.events if last else 0,
        "last_rows": last.rows if last else 0,
        "last_seconds": round(last.seconds, 3) if last else None,
        "selection": dict(warehouse.selection),
        "choices": dict(warehouse.choices),
    }


def _state(warehouse: Warehouse, upkeep: Upkeep) -> str:
    if upkeep.syncing_since is not None:
        return "syncing"
    if not (upkeep.enabled and Selection.read(warehouse.selection).enabled):
        return "off"
    if upkeep.failures:
        return f"failing, {upkeep.failures} in a row"
    return "waiting" if upkeep.pending else "up to date"


COMMANDS = (sync, backfill, status)
