"""The command line: a noun, then a verb; `--json` beside every table; exit 2 and one line for what the caller can mend."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click

from candu_source import __version__
from candu_source.errors import CanduSourceError, UsageError

# module of this package -> the commands that it has: a command starts with what it needs and not with what all the others need.
_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "run": "serve web worker",
        "play": "twin",
        "describe": "settings openapi",
        "connect": "connect connections",
        "audit": "audit",
        "contents": "contents",
        "events": "events ledger",
        "aside": "rejects filtered dead",
        "replay": "replay",
        "stats": "stats",
        "warehouse": "warehouse",
        "shapes": "shapes",
        "history": "import",
        "integrations": "integrations",
        "streams": "syncs",
        "notices": "notices channels",
        "people": "users api-tokens",
        "doctor": "doctor",
        "demo": "demo",
    }
)
_HOMES = {command: module for module, names in _MODULES.items() for command in names.split()}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _HOMES:
            return None
        module = import_module(f"{__name__}.{_HOMES[cmd_name]}")
        known: dict[str, click.Command] = {command.name: command for command in module.COMMANDS}
        return known[cmd_name]

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
