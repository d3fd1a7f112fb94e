"""Commands that run the service's processes: serve, web, worker."""

from __future__ import annotations

import sys

import click

from candu_source import processes
from candu_source.cli.show import console_address, opened
from candu_source.ending import stop_with_stdin
from candu_source.settings import Settings, trial_environment

_stdin_option = click.option("--stop-with-stdin", "with_stdin", is_flag=True, hidden=True)


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
    from candu_source.twin import Twin  # noqa: PLC0415 - the service itself starts sooner without it

    with Twin(port=twin_port) as twin:
        click.echo(f"Twin of Segment: {twin.url} (requests to private addresses are allowed for it)", err=True)
        sys.exit(processes.serve(settings, trial_environment(twin.url)))


@click.command()
@_stdin_option
@click.pass_obj
def web(settings: Settings, with_stdin: bool) -> None:
    """Accept events only; a worker elsewhere delivers them."""
    if with_stdin:
        stop_with_stdin()
    processes.run_web(settings)


@click.command()
@_stdin_option
@click.pass_obj
def worker(settings: Settings, with_stdin: bool) -> None:
    """Deliver events only."""
    if with_stdin:
        stop_with_stdin()
    from candu_source.working import run_worker  # noqa: PLC0415 - the other commands start sooner without it

    run_worker(settings)


COMMANDS = (serve, web, worker)
