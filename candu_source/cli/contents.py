"""Commands about contents: what a connection knows of Candu's, from its events and from what people tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from candu_source.cli.show import actor, choose, connection_option, emit, emit_one, json_option, opened, read_bytes, typed_unseen
from candu_source.destinations.candu_api import ADDRESS, Dialect
from candu_source.destinations.candu_contents import fetch_contents
from candu_source.doors.content_files import COLUMNS, read_contents
from candu_source.errors import UsageError
from candu_source.model import Connection, Secret
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.streams import TO_CANDU


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


@contents.command()
@connection_option
@click.option("--sync", metavar="NAME", help="Use the address and key of this sync to Candu.")
@click.option("--base", metavar="URL", help=f"Candu's address; {ADDRESS} when left out.")
@click.option("--dialect", type=click.Choice([each.value for each in Dialect]), help="How the key is shown to Candu; bearer when left out.")
@json_option
@click.pass_obj
def fetch(settings: Settings, name: str | None, sync: str | None, base: str | None, dialect: str | None, as_json: bool) -> None:
    """Ask Candu for names and slugs of a workspace's contents.

    Without --sync the API key is asked for, or read from standard input, and not kept.

    Example: candu-source contents fetch --connection Candu_Prod < key
    """
    with opened(settings) as store:
        connection = choose(store, name)
        key, known = _of_sync(store, connection, sync) if sync else (Secret(typed_unseen("Candu API key")), {})
        where = base or known.get("endpoint", ADDRESS)
        how = Dialect(dialect or known.get("dialect", Dialect.BEARER))
        found = fetch_contents(where, key, how, allow_private=settings.allow_private_addresses)
        if found:
            store.contents.tell(connection, found, by=actor())
    emit([{"slug": each.slug, "name": each.name} for each in found], as_json=as_json, empty="Candu lists no content with a slug.")


def _of_sync(store: Store, connection: Connection, name: str) -> tuple[Secret, Mapping[str, str]]:
    """Return the key and the parameters of a sync to Candu; raise UsageError for one that leads elsewhere, or has no key."""
    stream = store.streams.named(connection, name)
    key = store.streams.secrets(connection, name).get("apiKey")
    if stream.integration not in TO_CANDU or key is None:
        raise UsageError(f"{name} has no key of Candu's; name a sync of {' or '.join(sorted(TO_CANDU))}, or leave --sync out")
    return key, stream.parameters


COMMANDS = (contents,)
