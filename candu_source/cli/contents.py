"""Commands about contents: what a connection knows of Candu's, from its events and from what people tell."""

from __future__ import annotations

from pathlib import Path

import click

from candu_source.cli.show import actor, choose, connection_option, emit, emit_one, json_option, opened, read_bytes
from candu_source.doors.content_files import COLUMNS, read_contents
from candu_source.settings import Settings


@click.group()
def contents() -> None:
    """Candu's contents as a connection knows them; `connections set NAME --portal lookup` takes portalId from here."""


@contents.command("list")
@connection_option
@json_option
@click.pass_obj
def list_(settings: Settings, name: str | None, as_json: bool) -> None:
    """List the contents that were seen in events or told by a file."""
    with opened(settings) as store:
        known = store.contents.all(choose(store, name).id)
    rows = [dict(zip(COLUMNS, content, strict=True)) for content in known]
    emit(rows, as_json=as_json, empty="No content yet. Events that carry a contentId add theirs; `contents import FILE` tells of more.")


@contents.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@connection_option
@json_option
@click.pass_obj
def import_(settings: Settings, file: Path, name: str | None, as_json: bool) -> None:
    """Tell of contents: FILE is a JSON list of {contentId, slug, name, portalId} or a CSV file with these headings.

    A row needs contentId or slug. What a row leaves out is kept as it was; all rows count, or none.
    """
    told = read_contents(str(file), read_bytes(file))
    with opened(settings) as store:
        connection = choose(store, name)
        store.contents.tell(connection, told, by=actor())
        known = len(store.contents.all(connection.id))
    emit_one({"imported": len(told), "known": known}, as_json=as_json)


COMMANDS = (contents,)
