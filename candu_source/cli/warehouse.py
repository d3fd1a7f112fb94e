"""Commands about warehouses: where one is, how it is kept up to date; loading and looking have files of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from candu_source.cli import compare, syncs, tables
from candu_source.cli.show import (
    actor,
    choose,
    choose_warehouse,
    connection_option,
    emit_one,
    json_option,
    opened,
    typed_unseen,
    warehouse_option,
)
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.destinations.warehouse.founding import insist_free
from candu_source.errors import UsageError
from candu_source.model import Secret
from candu_source.settings import Settings
from candu_source.store.warehouses import insist
from candu_source.warehouses import HOURLY, MOST_PENDING, Warehouse

_url = click.option(
    "--url",
    metavar="URL",
    help="A PostgreSQL database: postgresql://user@host/name; - asks for it, so that no password stands here.",
)
_file = click.option("--file", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="A DuckDB file.")
_adopt = click.option("--adopt", is_flag=True, help="Load into a schema that holds tables which others made.")


@click.group()
def warehouse() -> None:
    """Keep Segment's warehouse schema in DuckDB or PostgreSQL, minutes after the event."""


@warehouse.command()
@connection_option
@_url
@_file
@click.option("--name", "lane", default="warehouse", show_default=True, metavar="NAME", help="What to call it, and its lane.")
@click.option("--schema", metavar="SCHEMA", help="Schema for the tables; what Segment calls it when left out: the source's slug.")
@click.option("--every", default=HOURLY, show_default=True, metavar="MINUTES", help="Minutes between syncs, counted from midnight UTC.")
@click.option("--max-pending", default=MOST_PENDING, show_default=True, metavar="EVENTS", help="Sync sooner when so many wait; 0: never.")
@_adopt
@json_option
@click.pass_obj
def add(
    settings: Settings,
    /,
    name: str | None,
    url: str | None,
    file: Path | None,
    lane: str,
    schema: str | None,
    every: int,
    max_pending: int,
    adopt: bool,
    as_json: bool,
) -> None:
    """Add a warehouse to a connection: a DuckDB file beside the store, unless a place is given.

    Example: candu-source warehouse add --connection Candu_Prod --url - --every 15
    """
    place = _place(url, file) or _beside(settings.store_path().with_name(f"{lane}.duckdb"))
    with opened(settings) as store:
        connection = choose(store, name)
        draft = Warehouse(connection.id, lane, shown(place), schema or connection.slug, every, max_pending)
        insist(draft)
        _try(settings, draft, place, adopt=adopt)
        made = store.warehouses.add(connection, draft, place, by=actor())
    emit_one(_said(connection.name, made), as_json=as_json)
    if not as_json:
        click.echo("\n`candu-source serve` keeps it up to date; `candu-source warehouse sync` loads it now.", err=True)


@warehouse.command("set")
@connection_option
@warehouse_option
@click.option("--every", type=int, metavar="MINUTES", help="Minutes between syncs, counted from midnight UTC.")
@click.option("--max-pending", type=int, metavar="EVENTS", help="Sync sooner when so many wait; 0: never.")
@_url
@_file
@_adopt
@click.option("--choice", "said", multiple=True, metavar="NAME=VALUE", help="An open point of Segment's schema; NAME= for its default.")
@json_option
@click.pass_obj
def set_(
    settings: Settings,
    /,
    name: str | None,
    warehouse: str | None,
    url: str | None,
    file: Path | None,
    adopt: bool,
    said: tuple[str, ...],
    as_json: bool,
    **cadence: int | None,
) -> None:
    """Change a warehouse; it is synced at once.

    Example: candu-source warehouse set --every 5 --choice truncate_text=512
    """
    place = _place(url, file)
    with opened(settings) as store:
        connection, before = choose_warehouse(store, name, warehouse)
        wanted: dict[str, Any] = {word: value for word, value in cadence.items() if value is not None}
        after = replace(before, choices=_chosen(before.choices, said), **wanted)
        if place:
            after = replace(after, shown=shown(place))
            _try(settings, after, place, adopt=adopt)
        saved = store.warehouses.save(connection, after, place=place, by=actor())
    emit_one(_said(connection.name, saved), as_json=as_json)


@warehouse.command()
@connection_option
@warehouse_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, name: str | None, warehouse: str | None, yes: bool) -> None:
    """Load a warehouse no more, and forget where it is; what is loaded stays there.

    Example: candu-source warehouse remove --connection Candu_Prod
    """
    with opened(settings) as store:
        connection, found = choose_warehouse(store, name, warehouse)
        if not yes:
            click.confirm(f"Forget {connection.name} › {found.name} ({found.shown})?", abort=True)
        store.warehouses.remove(connection, found, by=actor())
    click.echo(f"{connection.name} › {found.name}: removed. Its tables stay in schema {found.schema} of {found.shown}.")


def _place(url: str | None, file: Path | None) -> Secret | None:
    """Return the place that is meant, None where none is; a relative path is one of the directory in which the command runs."""
    if url is not None and file is not None:
        raise UsageError("--url and --file name two places; a warehouse has one")
    if url is not None:
        return Secret(typed_unseen("URL of the PostgreSQL database") if url == "-" else url)
    return None if file is None else _beside(file)


def _beside(file: Path) -> Secret:
    return Secret(f"duckdb:///{quote(str(file.absolute()))}")


def _try(settings: Settings, draft: Warehouse, place: Secret, *, adopt: bool) -> None:
    """Open the place once; raise WarehouseError with what it says, and UsageError where it holds what others made."""
    at = warehouse_at(place, allow_private=settings.allow_private_addresses)
    insist_free(at, draft.connection, draft.schema, adopt=adopt)


def _chosen(known: Mapping[str, Any], said: Iterable[str]) -> dict[str, Any]:
    """Return the choices with what was said; raise UsageError that names the word."""
    choices = dict(known)
    for each in said:
        word, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"--choice {each}: write NAME=VALUE")
        choices.pop(word, None)
        if value:
            choices[word] = _decoded(value)
        elif word not in Choices.__dataclass_fields__:
            raise UsageError(f"--choice {word}: it is not known; these are: {', '.join(Choices.__dataclass_fields__)}")
    Choices.read(choices)
    return choices


def _decoded(value: str) -> Any:
    """Return a number, a truth or a list as JSON writes them, and any other text as it is."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _said(connection: str, made: Warehouse) -> dict[str, Any]:
    return {
        "connection": connection,
        "name": made.name,
        "place": made.shown,
        "schema": made.schema,
        "every": made.every,
        "max_pending": made.max_pending,
        "choices": dict(made.choices),
    }


for command in (*syncs.COMMANDS, *tables.COMMANDS, *compare.COMMANDS):
    warehouse.add_command(command)

COMMANDS = (warehouse,)
