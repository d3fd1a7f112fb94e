"""The command that plays Segment."""

from __future__ import annotations

from typing import Literal

import click

from candu_source.twin import serve_twin


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port to listen on; 0 for any free one.")
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True, help="Region to play.")
def twin(host: str, port: int, region: Literal["us", "eu"]) -> None:
    """Play Segment's Tracking API offline, its lies included."""
    serve_twin(host, port, lambda url: click.echo(f"Twin of Segment's Tracking API ({region}) on {url}", err=True), region=region)


COMMANDS = (twin,)
