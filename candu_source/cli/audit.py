"""Tell who changed what, and when."""

from __future__ import annotations

import json
from typing import Any

import click

from candu_source.cli.show import clock, emit, json_option, opened
from candu_source.errors import NotFound
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.audit import Audited


@click.command()
@click.option("--connection", "-c", "name", metavar="NAME", help="Of this connection only; of one that was deleted, its id or its name.")
@click.option("-n", "most", default=50, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--before", type=int, default=2**62, metavar="ID", help="Those before this row, to read on.")
@json_option
@click.pass_obj
def audit(settings: Settings, name: str | None, most: int, before: int, as_json: bool) -> None:
    """List what people and programs changed, latest first; secrets are masked."""
    with opened(settings) as store:
        rows = store.audit.rows(_identifier(store, name) if name else None, most, before=before)
    emit([_row(row, as_json=as_json) for row in rows], as_json=as_json, empty="Nothing was changed yet.")


def _identifier(store: Store, name: str) -> str:
    try:
        return store.connections.named(name).id
    except NotFound:
        return store.departures.named(name)


def _row(row: Audited, *, as_json: bool) -> dict[str, Any]:
    told = "; ".join(f"{field}: {_word(old)} → {_word(new)}" for field, (old, new) in row.changes.items())
    return {
        "id": row.id,
        "at": clock(row.at),
        "who": row.who,
        "action": row.action,
        "name": row.name,
        "changes": row.changes if as_json else told,
    }


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "–" if value is None else json.dumps(value, ensure_ascii=False)


COMMANDS = (audit,)
