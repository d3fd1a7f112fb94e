"""Connections as code: write all connections' settings to a TOML file, and make the store say what such a file says."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import tomli_w

from candu_source.cli import code_warehouses
from candu_source.cli.show import actor, opened, plain, read_bytes
from candu_source.draft import changed, differences, identity_secret, said, write_key
from candu_source.errors import UsageError
from candu_source.model import Connection, Secret
from candu_source.naming import schema_name
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store
from candu_source.store.audit import MASKED
from candu_source.warehouses import Warehouse

_HEAD = "# All connections, by `candu-source connections export`; secrets stand in the environment variables that are named here.\n\n"
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_ADD = "warehouses.{0}: it is not there, and its place does not stand in this file; `candu-source warehouse add --name {0}` makes it"
# Words of a table that are no settings of the connection itself.
_SECRETS = ("write_key", "identity_secret")
_APART = (*_SECRETS, "lanes", "warehouses")


class _Plan(NamedTuple):
    """Hold what one table of the file asks for; `before` is None for a new connection, a secret None where it stays."""

    before: Connection | None
    after: Connection
    key: Secret | None
    proof: Secret | None
    lanes: Mapping[str, bool]
    warehouses: Sequence[Warehouse]
    changes: Mapping[str, tuple[Any, Any]]
    notes: tuple[str, ...]


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.pass_obj
def export(settings: Settings, file: Path | None) -> None:
    """Write the settings of all connections as TOML, to FILE or to the screen; secrets are left out, their places are named."""
    with opened(settings) as store:
        tables = {connection.name: _table(connection, store) for connection in store.connections.all()}
    text = _HEAD + tomli_w.dumps({"connections": tables})
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{len(tables)} connections in {file}")


def _table(connection: Connection, store: Store) -> dict[str, Any]:
    values = said(connection)
    del values["name"]
    references = {"write_key": f"env:WRITE_KEY_{connection.slug.upper()}"}
    if connection.identity_secret:
        references["identity_secret"] = f"env:IDENTITY_SECRET_{connection.slug.upper()}"
    warehouses = code_warehouses.written(_warehouses(connection, store))
    return {**references, **values, "lanes": store.connections.lanes(connection.id), **({"warehouses": warehouses} if warehouses else {})}


def _warehouses(connection: Connection | None, store: Store) -> dict[str, Warehouse]:
    return {each.name: each for each in store.warehouses.all(connection.id)} if connection else {}


@click.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def apply(settings: Settings, file: Path, dry_run: bool, yes: bool) -> None:
    """Make connections as FILE says: new ones are made, what a table leaves out stays as it is, and nothing is deleted."""
    tables = _read(file)
    with opened(settings) as store:
        known = {connection.name: connection for connection in store.connections.all()}
        plans = [_plan(file, name, table, known.get(name), store) for name, table in tables.items()]
        _insist_on_schemas(file, plans, known.values())
        for line in _told(plans, [name for name in known if name not in tables]):
            click.echo(plain(line))
        wanted = [plan for plan in plans if plan.changes]
        if not wanted or dry_run:
            click.echo("Nothing was changed." if wanted else "Nothing to change.")
            return
        if not yes:
            click.confirm(f"Change {len(wanted)} connections?", abort=True)
        for plan in wanted:
            _carry_out(plan, store)
    click.echo(f"{len(wanted)} connections changed.")


def _read(file: Path) -> Mapping[str, Any]:
    try:
        found = tomllib.loads(read_bytes(file).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from None
    tables = found.get("connections", {})
    others = [name for name in found if name != "connections"]
    if others or not isinstance(tables, dict):
        raise UsageError(f"{file}: {', '.join(others) or 'connections'}: write a table [connections.NAME] for each connection")
    return tables


def _plan(file: Path, name: str, table: Any, before: Connection | None, store: Store) -> _Plan:
    """Compare a table with what there is; raise UsageError that names file and field."""
    known = before or Connection("", "")
    try:
        after = changed(known, {"name": name, **_settings(table)})
        key, proof = _new_secrets(table, before, store)
        there, said = _warehouses(before, store), table.get("warehouses", {})
        warehouses = code_warehouses.changed(said, there)
        missing = code_warehouses.missing(said, there)
        lanes = _new_lanes(table.get("lanes", {}), store.connections.lanes(before.id) if before else {SEGMENT_LANE: True}, missing)
        notes = (*_notes(table), *map(_ADD.format, missing))
    except UsageError as error:
        raise UsageError(f"{file}: connections.{plain(name)}.{error}") from None
    changes = differences(known, after)
    secrets = {"write_key": key, "identity_secret": proof}
    changes |= {field: (MASKED if before else None, MASKED) for field, secret in secrets.items() if secret}
    changes |= {f"lanes.{destination}": (not is_on, is_on) for destination, is_on in lanes.items()}
    changes |= code_warehouses.differences(warehouses, there)
    return _Plan(before, after, key, proof, lanes, warehouses, changes, notes)


def _settings(table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageError("settings: write a table [connections.NAME]")
    if "name" in table:
        raise UsageError("name: leave it out, the heading of the table is the name")
    return {field: value for field, value in table.items() if field not in _APART}


def _new_secrets(table: Mapping[str, Any], before: Connection | None, store: Store) -> tuple[Secret | None, Secret | None]:
    """Return write key and identity secret as far as they are to be put in place: known ones are not."""
    key_text, proof_text = (_referred(field, table) for field in _SECRETS)
    key = None if key_text is None else write_key(key_text)
    proof = None if proof_text is None else identity_secret(proof_text)
    if before is None:
        if key is None:
            raise UsageError('write_key: a new connection needs one; write "env:NAME", and set that environment variable')
        return key, proof
    is_known = key is None or store.connections.has_write_key(before, key)
    return None if is_known else key, None if proof == before.identity_secret else proof


def _referred(field: str, table: Mapping[str, Any]) -> str | None:
    """Return what stands in the environment variable that a table names, None where none is named or set."""
    return os.environ.get(_variable(field, table[field])) if field in table else None


def _variable(field: str, reference: Any) -> str:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        raise UsageError(f'{field}: write "env:NAME", the environment variable that holds it; secrets do not stand in this file')
    return match[1]


def _notes(table: Mapping[str, Any]) -> Iterator[str]:
    for field in _SECRETS:
        if field in table and (name := _variable(field, table[field])) not in os.environ:
            yield f"{field}: {name} is not set, so it stays as it is"


def _new_lanes(wanted: Any, known: Mapping[str, bool], missing: Iterable[str]) -> dict[str, bool]:
    """Return the lanes that are to be turned on or off; those of warehouses that are missing come with them."""
    if not isinstance(wanted, dict) or not all(isinstance(is_on, bool) for is_on in wanted.values()):
        raise UsageError("lanes: write a table {DESTINATION = true or false}")
    if unknown := wanted.keys() - known.keys() - {*missing}:
        raise UsageError(f"lanes.{min(unknown)}: there is no such lane; there is {', '.join(known)}")
    return {destination: is_on for destination, is_on in wanted.items() if known.get(destination, is_on) != is_on}


def _insist_on_schemas(file: Path, plans: Iterable[_Plan], known: Iterable[Connection]) -> None:
    """Find names of one warehouse schema before anything is changed."""
    owners = {connection.slug: connection.name for connection in known}
    for name in (plan.after.name for plan in plans if not plan.before):
        owner = owners.setdefault(schema_name(name), name)
        if owner != name:
            raise UsageError(
                f"{file}: connections.{plain(name)}: it names the warehouse schema that {plain(owner)} has; choose another name"
            )


def _told(plans: Iterable[_Plan], unnamed: Iterable[str]) -> Iterator[str]:
    """Tell what changes, field by field."""
    for plan in plans:
        if plan.changes or plan.notes:
            yield plan.after.name if plan.before else f"{plan.after.name} (new)"
        yield from (f"  {field}: {_word(old)} → {_word(new)}" for field, (old, new) in plan.changes.items())
        yield from (f"  {note}" for note in plan.notes)
    if left := ", ".join(unnamed):
        yield f"Not in the file, left as they are: {left}"


def _word(value: Any) -> str:
    return value if value == MASKED else json.dumps(value, ensure_ascii=False)


def _carry_out(plan: _Plan, store: Store) -> None:
    by = actor()
    if plan.before:
        connection = store.connections.save(plan.after, by=by)
        if plan.key:
            store.connections.set_write_key(connection, plan.key, by=by)
    else:
        assert plan.key is not None
        connection, _ = store.connections.add(plan.after, plan.key, by=by)
    if plan.proof:
        store.connections.set_identity_secret(connection, plan.proof, by=by)
    for warehouse in plan.warehouses:
        store.warehouses.save(connection, warehouse, by=by)
    for destination, is_on in plan.lanes.items():
        store.connections.set_lane(connection, destination, is_on, by=by)


COMMANDS = (export, apply)
