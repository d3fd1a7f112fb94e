"""Look at the requests that an integration makes, without sending any: integrations preview, curl."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from candu_source.cli.show import emit, json_option, opened, plain, read_bytes
from candu_source.errors import UsageError
from candu_source.integrations.catalog import SHIPPED, is_name, shipped
from candu_source.integrations.checking import check
from candu_source.integrations.curl import curl as curl_command
from candu_source.integrations.reading import read_file
from candu_source.integrations.rendering import Compiled, Given, Rendered, compile_payload
from candu_source.integrations.tile import Integration, Kind
from candu_source.settings import Settings

integration_argument = click.argument("integration", metavar="INTEGRATION")
_Command = Callable[..., Any]


def named(settings: Settings, name: str) -> Integration:
    """Return the integration of a file, or of a name that is shipped or kept; raise UsageError and NotFound."""
    if not is_name(name):
        return read_file(Path(name))
    if name in SHIPPED:
        return shipped(name)
    with opened(settings) as store:
        return store.integrations.named(name).integration


def insist_on_templates(found: Integration) -> None:
    """Raise UsageError for an integration that has none."""
    if found.by_code:
        raise UsageError("its requests are written by code; `candu-source syncs test` shows what a sync sends")


def _of_an_event(command: _Command) -> _Command:
    """Add what a request is made of."""
    for option in (
        click.option("--users", "kind", flag_value="users", help="The request for a user, not the one for an event."),
        click.option(
            "--event",
            "sample",
            type=click.Path(path_type=Path, dir_okay=False),
            help="A JSON file with Amplitude's event or user, or a list of them, of which the first.",
        ),
        click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="The value of a parameter."),
        click.option("--field", "-f", "fields", multiple=True, metavar="NAME=VALUE", help="The value of a mapped field."),
        click.option("--property", "properties", multiple=True, metavar="NAME=VALUE", help="A property to send."),
    ):
        command = option(command)
    return integration_argument(command)


@click.command()
@_of_an_event
@json_option
@click.pass_obj
def preview(settings: Settings, /, integration: str, as_json: bool, **event: Any) -> None:
    """Show the request that an event makes; nothing is sent. What is not given is made up. Exit 1 when its body is no JSON.

    Example: candu-source integrations preview candu --event samples/amplitude/event.json -p apiKey=k
    """
    rendered = _rendered(named(settings, integration), **event)
    fault = rendered.json_fault()
    if as_json:
        click.echo(json.dumps({**rendered.data(), "json_fault": fault or None}, indent=2, ensure_ascii=False))
    else:
        click.echo(request_text(rendered))
    _end(fault, said=not as_json)


@click.command()
@_of_an_event
@click.pass_obj
def curl(settings: Settings, /, integration: str, **event: Any) -> None:
    """Print the cURL command of Amplitude's Test Payload: pasted into bash it sends the very bytes. Exit 1 when its body is no JSON.

    Example: candu-source integrations curl candu --event samples/amplitude/event.json -p apiKey=k
    """
    rendered = _rendered(named(settings, integration), **event)
    click.echo(curl_command(rendered))
    _end(rendered.json_fault(), said=True)


def request_text(rendered: Rendered) -> str:
    """Return a request as HTTP writes it; what could command a terminal is replaced."""
    lines = [f"{rendered.method} {rendered.url}", *(f"{name}: {value}" for name, value in rendered.headers.items()), ""]
    return "\n".join(plain(line) for line in [*lines, *rendered.body.split("\n")])


def usage_rows(integration: Integration) -> list[dict[str, Any]]:
    """Return the table PARAMETERS, DECLARED and USED."""
    return [{"parameter": each.name, "declared": each.declared, "used": list(each.used_in)} for each in check(integration).usages]


def print_usages(rows: list[dict[str, Any]]) -> None:
    """Print that table, which may have further columns."""
    emit([{**row, "used": ", ".join(row["used"]) or None} for row in rows], as_json=False, empty="No parameters.")


def _end(fault: str, *, said: bool) -> None:
    if fault and said:
        click.echo(f"The body is no JSON: {plain(fault)}", err=True)
    sys.exit(1 if fault else 0)


def _rendered(
    found: Integration,
    kind: Kind | None,
    sample: Path | None,
    parameters: tuple[str, ...],
    fields: tuple[str, ...],
    properties: tuple[str, ...],
) -> Rendered:
    given = Given(
        _sample(sample),
        {each.name: each.test_value() for each in found.parameters} | pairs(parameters),
        {name: json.dumps(value, ensure_ascii=False) for name, value in pairs(properties).items()},
        {each.name: f"some {each.name}" for each in found.mappings} | pairs(fields),
    )
    return _compiled(found, kind or "events").render(given, now=int(time.time() * 1000))


def _compiled(found: Integration, kind: Kind) -> Compiled:
    insist_on_templates(found)
    if kind not in found.payloads:
        raise UsageError(f"this integration has no payload for {kind}")
    return compile_payload(found.payloads[kind])


def _sample(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {"event_type": "some event type", "event_time": "2022-02-28 20:07:01.795000", "user_id": "some user id"}
    try:
        event = json.loads(read_bytes(file), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None
    first = event[0] if isinstance(event, list) and event else event
    if not isinstance(first, dict):
        raise UsageError(f"{file} holds no event: an object, or a list of objects")
    return first


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=VALUE each; raise UsageError."""
    split = [each.partition("=") for each in given]
    if wrong := next((name for name, equals, _ in split if not equals), None):
        raise UsageError(f"{wrong!r} has no value; write NAME=VALUE")
    return {name: value for name, _, value in split}


COMMANDS = (preview, curl)
