"""Integrations that anybody can define: what there is, what a file says, whether it always works, and how far it has come."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from candu_source.cli import preview
from candu_source.cli.preview import insist_on_templates, integration_argument, named, print_usages, usage_rows
from candu_source.cli.show import actor, clock, emit, emit_one, json_option, opened, plain, read_bytes
from candu_source.errors import UsageError
from candu_source.integrations.catalog import SHIPPED, is_name, shipped, shipped_file
from candu_source.integrations.checking import check
from candu_source.integrations.proving import prove
from candu_source.integrations.reading import read_file
from candu_source.integrations.tile import Integration
from candu_source.settings import Settings

_name = click.argument("name")


@click.group()
def integrations() -> None:
    """Define integrations without code: requests made of Amplitude's events and users by FreeMarker templates.

    INTEGRATION is a TOML or JSON file, whose name has a point or a slash in it, or the name of one that is shipped or was submitted.
    """


@integrations.command("list")
@json_option
@click.pass_obj
def list_integrations(settings: Settings, as_json: bool) -> None:
    """List the integrations that are shipped and those that people made, with how far each is and how many syncs use it."""
    with opened(settings) as store:
        uses, kept = store.integrations.uses(), store.integrations.all()
    rows = [{**_row(name, shipped(name)), "shipped": True, "released_at": None, "syncs": uses[name]} for name in SHIPPED]
    rows += [
        {**_row(each.name, each.integration), "shipped": False, "released_at": clock(each.released_at), "syncs": uses[each.name]}
        for each in kept
    ]
    emit(rows, as_json=as_json, empty="")


@integrations.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new(file: Path) -> None:
    """Write a file to begin with: Candu's own integration, as a draft."""
    text = shipped_file("candu").decode().replace('state = "released"', 'state = "draft"', 1)
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{file} is a draft; change it, then `candu-source integrations check {file}`.")


@integrations.command()
@integration_argument
@json_option
@click.pass_obj
def show(settings: Settings, integration: str, as_json: bool) -> None:
    """Show what an integration asks for and sends; of one that was released and changed since, what it is to become."""
    found = named(settings, integration)
    payloads: dict[str, Any] = {kind: f"{payload.method} {payload.url}" for kind, payload in found.payloads.items()}
    row = {
        **_row(integration, found),
        "summary": found.info.summary,
        "takes": sorted(found.takes),
        "parameters": [each._asdict() for each in found.parameters],
        "mappings": [each._asdict() for each in found.mappings],
        **payloads,
    }
    emit_one(row, as_json=as_json)


@integrations.command("check")
@integration_argument
@json_option
@click.pass_obj
def check_integration(settings: Settings, integration: str, as_json: bool) -> None:
    """Say what keeps an integration from working, with line and column; exit 1 if something does."""
    found = named(settings, integration)
    checked, rows = check(found), usage_rows(found)
    if as_json:
        flaws = [each._asdict() for each in checked.flaws]
        click.echo(json.dumps({"flaws": flaws, "parameters": rows}, indent=2, ensure_ascii=False))
    else:
        print_usages(rows)
        for flaw in checked.flaws:
            click.echo(plain(str(flaw)))
        if not checked.flaws:
            click.echo("Nothing is in the way.")
    sys.exit(1 if checked.blocking else 0)


@integrations.command("prove")
@integration_argument
@json_option
@click.pass_obj
def prove_integration(settings: Settings, integration: str, as_json: bool) -> None:
    """Try the templates on all that they may be given; exit 1 and show the smallest example that fails, if one does."""
    found = named(settings, integration)
    insist_on_templates(found)
    if flaws := check(found).blocking:
        raise UsageError(f"{plain(str(flaws[0]))} (`candu-source integrations check {integration}` shows all)")
    proofs = {kind: prove(found, kind) for kind in found.payloads}
    if as_json:
        rows = {
            kind: {"holds": proof.holds, "tried": proof.tried, "because": proof.because, "fault": proof.fault or None}
            for kind, proof in proofs.items()
        }
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for kind, proof in proofs.items():
            click.echo(plain(f"{kind}: {proof}"))
    sys.exit(0 if all(proof.holds for proof in proofs.values()) else 1)


@integrations.command()
@integration_argument
@click.option("--name", metavar="NAME", help="What to call that of a file; the file's name without its ending when left out.")
@click.pass_obj
def submit(settings: Settings, integration: str, name: str | None) -> None:
    """Keep a file, or take the draft that is kept, and submit it, unless a flaw or a proof that fails is in the way.

    Example: candu-source integrations submit acme.toml
    """
    with opened(settings) as store:
        if is_name(integration):
            kept = store.integrations.submit(integration, by=actor())
        else:
            file = Path(integration)
            draft = store.integrations.save(name or file.stem.lower(), read_bytes(file), read_file(file).info.logo, by=actor())
            kept = store.integrations.submit(draft.name, by=actor())
    click.echo(f"{kept.name}: submitted. `candu-source integrations release {kept.name}` lets syncs use it.")


@integrations.command()
@_name
@click.pass_obj
def release(settings: Settings, name: str) -> None:
    """Let syncs use what was submitted; those that use an earlier release go on with this one."""
    with opened(settings) as store:
        kept = store.integrations.release(name, by=actor())
        uses = store.integrations.uses()[name]
    click.echo(f"{kept.name}: released. {uses} syncs use it; `candu-source syncs add` makes one.")


@integrations.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(settings: Settings, name: str, yes: bool) -> None:
    """Forget an integration that no sync uses."""
    with opened(settings) as store:
        if not yes:
            click.confirm(f"Forget {plain(name)}?", abort=True)
        store.integrations.remove(name, by=actor())
    click.echo(f"{name}: removed.")


def _row(name: str, found: Integration) -> dict[str, Any]:
    info = found.info
    return {"integration": name, "display_name": info.display_name, "category": info.category, "state": found.state.value}


for command in preview.COMMANDS:
    integrations.add_command(command)

COMMANDS = (integrations,)
