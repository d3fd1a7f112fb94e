"""Commands that run processes: serve, web, worker, twin; and what describes them: settings, openapi."""

from __future__ import annotations

import json
import sys
from typing import Literal

import click

from candu_source import processes
from candu_source.cli.show import console_address, emit, json_option, opened
from candu_source.doors.openapi import document
from candu_source.settings import Settings, settings_page, settings_table, trial_environment
from candu_source.twin import Twin, serve_twin

_stdin_option = click.option("--stop-with-stdin", is_flag=True, hidden=True)


@click.command()
@click.option("--twin", "with_twin", is_flag=True, help="Run a twin of Segment, too, and offer it in the console for trials.")
@click.option("--twin-port", default=8090, show_default=True, help="Port of that twin.")
@click.pass_obj
def serve(settings: Settings, with_twin: bool, twin_port: int) -> None:
    """Accept and deliver events: web and worker, each in its own process, supervised."""
    processes.require_free_port(settings)
    click.echo(f"Listening on {settings.base_url()} · store {settings.store_path()} · stop with Ctrl-C", err=True)
    with opened(settings) as store:
        click.echo(f"Console: {console_address(settings, store)}", err=True)
    if not with_twin:
        sys.exit(processes.serve(settings))
    with Twin(port=twin_port) as twin:
        click.echo(f"Twin of Segment: {twin.url} (requests to private addresses are allowed for it)", err=True)
        sys.exit(processes.serve(settings, trial_environment(twin.url)))


@click.command()
@_stdin_option
@click.pass_obj
def web(settings: Settings, stop_with_stdin: bool) -> None:
    """Accept events only; a worker elsewhere delivers them."""
    if stop_with_stdin:
        processes.stop_with_stdin()
    processes.run_web(settings)


@click.command()
@_stdin_option
@click.pass_obj
def worker(settings: Settings, stop_with_stdin: bool) -> None:
    """Deliver events only."""
    if stop_with_stdin:
        processes.stop_with_stdin()
    processes.run_worker(settings)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port to listen on; 0 for any free one.")
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True, help="Region to play.")
def twin(host: str, port: int, region: Literal["us", "eu"]) -> None:
    """Play Segment's Tracking API offline, its lies included."""
    serve_twin(host, port, lambda url: click.echo(f"Twin of Segment's Tracking API ({region}) on {url}", err=True), region=region)


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


COMMANDS = (serve, web, worker, twin, settings, openapi)
