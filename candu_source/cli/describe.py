"""Commands that describe the service: its settings, its doors."""

from __future__ import annotations

import json

import click

from candu_source.cli.show import emit, json_option
from candu_source.doors.openapi import document
from candu_source.settings import settings_page, settings_table


@click.command()
@json_option
@click.option("--markdown", is_flag=True, help="Print docs/settings.md.")
def settings(as_json: bool, markdown: bool) -> None:
    """List every setting with its default, unit and meaning."""
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    rows = [{"variable": name, "default": default, "unit": unit, "meaning": text} for name, default, unit, text in settings_table()]
    emit(rows, as_json=as_json, empty="")


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the doors."""
    click.echo(json.dumps(document(), indent=2))


COMMANDS = (settings, openapi)
