"""The command line: a noun, then a verb; `--json` beside every table; exit 2 and one line for what the caller can mend."""

from __future__ import annotations

import sys
from typing import Any

import click

from candu_source import __version__
from candu_source.cli import (
    aside,
    audit,
    connect,
    connections,
    contents,
    demo,
    doctor,
    events,
    history,
    notices,
    people,
    replay,
    run,
    shapes,
    stats,
)
from candu_source.errors import CanduSourceError, UsageError


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            click.echo(f"candu-source: {error}", err=True)
            sys.exit(2)
        except CanduSourceError as error:
            click.echo(f"candu-source: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="candu-source")
def commands() -> None:
    """Candu interactions in, Segment screen and track calls out, durably.

    Start with `candu-source demo`. Settings are environment variables; `candu-source settings` lists them.
    """


for command in (
    *run.COMMANDS,
    *connections.COMMANDS,
    *connect.COMMANDS,
    *audit.COMMANDS,
    *contents.COMMANDS,
    *events.COMMANDS,
    *aside.COMMANDS,
    *replay.COMMANDS,
    *stats.COMMANDS,
    *shapes.COMMANDS,
    *history.COMMANDS,
    *notices.COMMANDS,
    *people.COMMANDS,
    *doctor.COMMANDS,
    *demo.COMMANDS,
):
    commands.add_command(command)
