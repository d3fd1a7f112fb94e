"""Integrations that anybody can define: see what there is, check a file, look at what it would send, prove that it always can."""

from __future__ import annotations

import json
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import click

from candu_source.cli.show import emit, emit_one, json_option, plain, read_bytes
from candu_source.errors import UsageError
from candu_source.integrations.checking import Flaw, check, usages
from candu_source.integrations.curl import curl
from candu_source.integrations.proving import prove
from candu_source.integrations.reading import read, read_file
from candu_source.integrations.rendering import Compiled, Given, Rendered, compile_payload
from candu_source.integrations.tile import Integration

_SHIPPED = ("candu",)
_file = click.argument("integration", metavar="FILE")
_kind = click.option("--users", "kind", flag_value="users", help="The request for a user, not the one for an event.")


@click.group()
def integrations() -> None:
    """Define integrations without code: requests made of Amplitude's events and users by FreeMarker templates.

    FILE is a TOML or JSON file, or the name of one that is shipped: candu.
    """


@integrations.command("list")
@json_option
def list_integrations(as_json: bool) -> None:
    """List the integrations that are shipped."""
    emit([_row(name, _named(name)) for name in _SHIPPED], as_json=as_json, empty="")


@integrations.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new(file: Path) -> None:
    """Write a file to begin with: Candu's own integration, as a draft."""
    text = _shipped("candu").decode().replace('state = "released"', 'state = "draft"', 1)
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"{file} is a draft; change it, then `candu-source integrations check {file}`.")


@integrations.command()
@_file
@json_option
def show(integration: str, as_json: bool) -> None:
    """Show what an integration asks for and sends."""
    found = _named(integration)
    payloads = {kind: f"{payload.method} {payload.url}" for kind, payload in found.payloads.items()}
    row = {
        **_row(integration, found),
        "summary": found.info.summary,
        "parameters": [each._asdict() for each in found.parameters],
        "mappings": [each._asdict() for each in found.mappings],
        **payloads,
    }
    emit_one(row, as_json=as_json)


@integrations.command("check")
@_file
@json_option
def check_integration(integration: str, as_json: bool) -> None:
    """Say what keeps an integration from working, with line and column; exit 1 if something does."""
    found = _named(integration)
    flaws = check(found)
    if as_json:
        table = [{"parameter": each.name, "declared": each.declared, "used": list(each.used_in)} for each in usages(found)]
        click.echo(json.dumps({"flaws": [each._asdict() for each in flaws], "parameters": table}, indent=2, ensure_ascii=False))
    else:
        rows = [{"parameter": each.name, "declared": each.declared, "used": ", ".join(each.used_in) or None} for each in usages(found)]
        emit(rows, as_json=False, empty="No parameters.")
        for flaw in flaws:
            click.echo(_said(flaw))
        if not flaws:
            click.echo("Nothing is in the way.")
    sys.exit(1 if any(flaw.blocks for flaw in flaws) else 0)


@integrations.command()
@_file
@_kind
@click.option(
    "--event", "sample", type=click.Path(path_type=Path, dir_okay=False), help="A JSON file with an event (or user); its first line."
)
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="The value of a parameter.")
@click.option("--field", "-f", "fields", multiple=True, metavar="NAME=VALUE", help="The value of a mapped field.")
@click.option("--property", "properties", multiple=True, metavar="NAME=VALUE", help="A property to send.")
@click.option("--curl", "as_curl", is_flag=True, help="Print the cURL command of Amplitude's Test Payload.")
@json_option
def preview(
    integration: str,
    kind: str | None,
    sample: Path | None,
    parameters: tuple[str, ...],
    fields: tuple[str, ...],
    properties: tuple[str, ...],
    as_curl: bool,
    as_json: bool,
) -> None:
    """Show the request that an event makes; nothing is sent. What is not given is made up. Exit 1 when its body is no JSON."""
    found = _named(integration)
    given = Given(
        _sample(sample),
        {each.name: each.default or "https://localhost:3000" for each in found.parameters} | _pairs(parameters),
        {name: json.dumps(value, ensure_ascii=False) for name, value in _pairs(properties).items()},
        {each.name: f"some {each.name}" for each in found.mappings} | _pairs(fields),
    )
    rendered = _compiled(found, kind or "events").render(given, now=int(time.time() * 1000))
    fault = rendered.json_fault()
    if as_json:
        shown: dict[str, Any] = {"method": rendered.method, "url": rendered.url, "headers": dict(rendered.headers), "body": rendered.body}
        click.echo(json.dumps({**shown, "json_fault": fault or None}, indent=2, ensure_ascii=False))
    else:
        click.echo(curl(rendered) if as_curl else _request(rendered))
        if fault:
            click.echo(f"The body is no JSON: {plain(fault)}", err=True)
    sys.exit(1 if fault else 0)


@integrations.command("prove")
@_file
@json_option
def prove_integration(integration: str, as_json: bool) -> None:
    """Try the templates on all that they may be given; exit 1 and show the smallest example that fails, if one does."""
    found = _named(integration)
    flaws = [flaw for flaw in check(found) if flaw.blocks]
    if flaws:
        raise UsageError(f"{_said(flaws[0])} (`candu-source integrations check {integration}` shows all)")
    proofs = {kind: prove(found, kind) for kind in found.payloads}
    if as_json:
        rows = {
            kind: {"holds": proof.holds, "tried": proof.tried, "because": proof.because, "fault": proof.fault or None}
            for kind, proof in proofs.items()
        }
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for kind, proof in proofs.items():
            why = " and ".join(proof.because) or "nothing is unusual"
            told = "always renders" if proof.holds else f"fails where {why}: {proof.fault}"
            click.echo(plain(f"{kind}: {told} ({proof.tried:,} requests tried)"))
    sys.exit(0 if all(proof.holds for proof in proofs.values()) else 1)


def _row(name: str, found: Integration) -> dict[str, Any]:
    info = found.info
    return {"integration": name, "display_name": info.display_name, "category": info.category, "state": found.state.value}


def _said(flaw: Flaw) -> str:
    where = f"{flaw.where}, line {flaw.line}, column {flaw.column}" if flaw.line else flaw.where
    return plain(f"{where}: {flaw.message}")


def _request(rendered: Rendered) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in rendered.headers.items())
    return f"{rendered.method} {rendered.url}\n{headers}\n\n{rendered.body}"


def _compiled(found: Integration, kind: str) -> Compiled:
    if kind not in found.payloads:
        raise UsageError(f"this integration has no payload for {kind}")
    return compile_payload(found.payloads[kind])


def _named(name: str) -> Integration:
    return read(_shipped(name), f"{name}.toml") if name in _SHIPPED else read_file(Path(name))


def _shipped(name: str) -> bytes:
    return resources.files("candu_source.integrations").joinpath(f"{name}.toml").read_bytes()


def _sample(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {"event_type": "some event type", "event_time": "2022-02-28 20:07:01.795000", "user_id": "some user id"}
    lines = read_bytes(file).splitlines()
    try:
        event = json.loads(lines[0] if file.suffix == ".ndjson" and lines else b"\n".join(lines))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None
    first = event[0] if isinstance(event, list) and event else event
    if not isinstance(first, dict):
        raise UsageError(f"{file} holds no event: an object, or a list of objects")
    return first


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise UsageError(f"{wrong!r} has no value; write NAME=VALUE")
    return {name: value for name, _, value in pairs}


COMMANDS = (integrations,)
