"""Tell the addresses and tokens of a connection's doors."""

from __future__ import annotations

from typing import Any

from candu_source.model import Connection, Secret
from candu_source.settings import Settings


def addresses(settings: Settings, connection: Connection, token: Secret) -> dict[str, Any]:
    """Return what a new connection, or a new token of its server, is told with; `token` is shown this once."""
    base = settings.base_url()
    return {
        "id": connection.id,
        "name": connection.name,
        "token": token.reveal(),
        "webhook_url": f"{base}/v1/webhook/{token.reveal()}",
        "interactions_url": f"{base}/v1/interactions",
        **public(settings, connection),
    }


def public(settings: Settings, connection: Connection) -> dict[str, Any]:
    """Return what stands in web pages."""
    return {"public_token": connection.public_token, "script": script(settings, connection)}


def script(settings: Settings, connection: Connection) -> str:
    """Return the script tag of the collector."""
    return f'<script async src="{settings.base_url()}/v1/collector.js" data-token="{connection.public_token}"></script>'


def readback_url(settings: Settings, token: Secret) -> str:
    """Return the address to which Segment sends back what it stored; it is shown this once."""
    return f"{settings.base_url()}/v1/readback/{token.reveal()}"
