"""Compare our warehouse with the customer's own of Segment's: warehouse compare."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from candu_source.app import build_warehouse
from candu_source.cli.bar import bar
from candu_source.cli.show import (
    choose_warehouse,
    clock,
    connection_option,
    emit,
    json_option,
    opened,
    plain,
    typed_unseen,
    warehouse_option,
)
from candu_source.destinations.warehouse.compare import compare as compared
from candu_source.destinations.warehouse.comparison import Comparison, TableComparison
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.destinations.warehouse.parity import ADDED
from candu_source.destinations.warehouse.sides import side
from candu_source.model import Secret
from candu_source.moments import moment
from candu_source.settings import Settings

_DIFFERS = 1


@click.command()
@click.argument("dsn")
@connection_option
@warehouse_option
@click.option("--schema", metavar="NAME", help="The schema there; that of our warehouse when left out.")
@click.option("--since", metavar="TIME", help="Rows received from then on; ISO 8601, or 2h, 3d for so long ago.")
@click.option("--until", metavar="TIME", help="Rows received before then.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table; may be given again.")
@click.option("--samples", type=click.IntRange(0, 1_000), default=5, show_default=True, help="Ids and values shown of each difference.")
@json_option
@click.pass_obj
def compare(
    settings: Settings,
    dsn: str,
    name: str | None,
    warehouse: str | None,
    schema: str | None,
    since: str | None,
    until: str | None,
    tables: tuple[str, ...],
    samples: int,
    as_json: bool,
) -> None:
    """Compare a warehouse with another of the same source, such as the customer's own of Segment's.

    DSN is postgresql://user:password@host/database or a DuckDB file; - reads it from standard input. Rows are found by their id. Without
    --since and --until the time is compared that both reach, less an hour at its end. Exits 0 when nothing differs, 1 when something does.

    Example: candu-source warehouse compare - --schema candu_prod < dsn.txt
    """
    now = time.time()
    begin, end = (None if text is None else datetime.fromtimestamp(moment(text, now), UTC) for text in (since, until))
    address = typed_unseen("URL of the other warehouse") if dsn == "-" else dsn
    theirs = warehouse_at(Secret(address), allow_private=settings.allow_private_addresses, read_copy=False)
    with opened(settings) as store:
        _, ours = choose_warehouse(store, name, warehouse)
        place = build_warehouse(settings, store, ours)
    with contextlib.ExitStack() as stack:
        here, there = (stack.enter_context(side(*each)) for each in ((place, ours.schema), (theirs, schema or ours.schema)))
        tell = stack.enter_context(bar("rows", visible=not as_json))
        comparison = compared(here, there, since=begin, until=end, only=tables, samples=samples, tell=tell)
    if as_json:
        click.echo(json.dumps(_told(comparison), indent=2, ensure_ascii=False, default=_plain))
    else:
        _show(comparison)
    sys.exit(0 if comparison.same else _DIFFERS)


def _told(comparison: Comparison) -> dict[str, Any]:
    """Return all that was found, the verdict first."""
    return {"same": comparison.same, "verdict": comparison.verdict(), **asdict(comparison)}


def _plain(cell: Any) -> Any:
    return clock(cell.timestamp()) if isinstance(cell, datetime) else float(cell) if isinstance(cell, Decimal) else str(cell)


def _show(comparison: Comparison) -> None:
    click.echo(f"Rows received from {clock(comparison.since.timestamp())} on and before {clock(comparison.until.timestamp())}.\n")
    emit([_summary(table) for table in comparison.tables], as_json=False, empty="Both have no table in common.")
    if details := [row for table in comparison.tables for row in _details(table)]:
        click.echo()
        emit(details, as_json=False, empty="")
    click.echo(f"\n{plain(comparison.verdict())}")


def _summary(table: TableComparison) -> dict[str, Any]:
    return {
        "table": table.table,
        "rows": table.rows,
        "missing_here": table.missing_here.times,
        "missing_there": table.missing_there.times,
        "values_that_differ": sum(each.times for each in table.values.values()),
        "values_tolerated": sum(table.tolerated.values()),
    }


def _details(table: TableComparison) -> Iterator[dict[str, Any]]:
    """Yield a row for each difference, and for each kind of what is tolerated."""
    columns = {"only here": table.columns_here, "only there": table.columns_there}
    rows = {
        "missing here": table.missing_here,
        "missing there": table.missing_there,
        "repeated here": table.repeated_here,
        "repeated there": table.repeated_there,
    }
    for what, names in columns.items():
        yield from (_detail(table, name, what + (", added by Segment" if name in ADDED else "")) for name in names)
    for name, (here, there) in table.types.items():
        yield _detail(table, name, "another type", example=f"{here} here, {there} there")
    for what, found in rows.items():
        if found.times:
            yield _detail(table, "", what, found.times, ", ".join(found.samples))
    for name, values in table.values.items():
        examples = [f"{each.id}: {_plain_text(each.here)} here, {_plain_text(each.there)} there" for each in values.samples]
        yield _detail(table, name, "another value", values.times, "; ".join(examples))
    for tolerated, times in table.tolerated.items():
        yield _detail(table, "", f"tolerated: {tolerated}", times)


def _detail(table: TableComparison, column: str, what: str, times: int | None = None, example: str = "") -> dict[str, Any]:
    return {"table": table.table, "column": column, "difference": what, "rows": times, "examples": example}


def _plain_text(cell: Any) -> str:
    return json.dumps(cell, default=_plain, ensure_ascii=False)


COMMANDS = (compare,)
