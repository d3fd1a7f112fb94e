"""Show things to people as tables and to programs as JSON, from the same rows."""

from __future__ import annotations

import contextlib
import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from candu_source.errors import UsageError
from candu_source.model import Connection
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.periods import Period
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.warehouses import Warehouse

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
period_option = click.option(
    "--period",
    type=click.Choice([each.value for each in Period]),
    default=Period.ONE_DAY.value,
    show_default=True,
    help="Up to now, or CUSTOM.",
)
_Command = Callable[..., Any]


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the store for one command."""
    store = build_store(settings, Telltale())
    try:
        yield store
    finally:
        store.close()


def connection_option(command: _Command) -> _Command:
    """Add `--connection NAME`; it may be left out while there is only one."""
    return click.option("--connection", "-c", "name", metavar="NAME", help="Name or id; not needed while there is only one.")(command)


def choose(store: Store, name: str | None) -> Connection:
    """Return the connection meant; raise click's usage error when that is not clear."""
    if name is not None:
        return store.connections.named(name)
    connections = store.connections.all()
    if len(connections) == 1:
        return connections[0]
    if not connections:
        raise click.UsageError("There is no connection yet; `candu-source connections add NAME --write-key KEY` makes one.")
    raise click.UsageError(f"Say which with --connection: {', '.join(connection.name for connection in connections)}.")


def warehouse_option(command: _Command) -> _Command:
    """Add `--warehouse NAME`; it may be left out where the connection has only one."""
    return click.option("--warehouse", "-w", metavar="NAME", help="Its name; not needed where the connection has only one.")(command)


def choose_warehouse(store: Store, name: str | None, warehouse: str | None) -> tuple[Connection, Warehouse]:
    """Return the connection and the warehouse meant; raise UsageError and NotFound."""
    connection = choose(store, name)
    return connection, store.warehouses.named(connection, warehouse)


def emit(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str, hidden: Sequence[str] = ()) -> None:
    """Print rows as a JSON list, as a table, or the sentence for an empty one."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(empty)
        return
    names = [name for name in rows[0] if name not in hidden]
    print_table([name.replace("_", " ") for name in names], [[row[name] for name in names] for row in rows])


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows, at least one, under their headings; numbers stand on the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, value in zip(headings, rows[0], strict=True):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(escape(plain(heading)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(_word(value)) for value in row))
    Console().print(table)


def emit_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing as a JSON object or line by line."""
    if as_json:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_word(value)}")


def console_address(settings: Settings, store: Store) -> str:
    """Return where to open the console: while nobody can sign in, a new one-time link for the first user."""
    invitation = store.people.invite()
    if invitation is None:
        return f"{settings.base_url()}/console/"
    return f"{settings.base_url()}/console/welcome/{invitation.reveal()} (one-time link for the first user, good for a day)"


def actor() -> str:
    """Return who types this command, for the audit."""
    try:
        return f"command line: {getpass.getuser()}"
    except (KeyError, OSError):
        return "command line"


def typed_unseen(what: str) -> str:
    """Ask a person for a secret without showing what is typed; without a terminal read a line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline().strip()


def read_bytes(file: Path) -> bytes:
    """Read a file that a command names; raise UsageError when that cannot be."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def clock(seconds: float | None) -> str | None:
    """Return a time for people and programs: ISO 8601, UTC, milliseconds."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def readable(raw: bytes) -> Any:
    """Return bytes as the JSON they hold, else as text."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _word(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value))


def plain(text: str) -> str:
    """Return a text that cannot command a terminal: event names and user ids are whatever somebody sent."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
