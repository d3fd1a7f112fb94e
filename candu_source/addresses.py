"""Tell the addresses of a connection's doors, and the script tag of its pages: pure."""

from __future__ import annotations

from typing import Any

from candu_source.model import Connection, Secret
from candu_source.settings import Settings


def addresses(settings: Settings, connection: Connection, token: Secret) -> dict[str, Any]:
    """Return what a new connection, or a new token of its server, is told with; `token` is shown this once."""
    return {**for_server(settings, connection, token), **for_pages(settings, connection)}


def for_server(settings: Settings, connection: Connection, token: Secret) -> dict[str, Any]:
    """Return what a server sends with; `token` is shown this once."""
    return {
        "id": connection.id,
        "name": connection.name,
        "token": token.reveal(),
        "webhook_url": webhook_url(settings, token),
        "interactions_url": interactions_url(settings),
        "amplitude_url": amplitude_url(settings, token),
    }


def for_pages(settings: Settings, connection: Connection) -> dict[str, Any]:
    """Return what stands in web pages."""
    return {"public_token": connection.public_token, "script": script(settings, connection)}


def script(settings: Settings, connection: Connection) -> str:
    """Return the script tag of the collector."""
    return f'<script async src="{settings.base_url()}/v1/collector.js" data-token="{connection.public_token}"></script>'


def webhook_url(settings: Settings, token: Secret) -> str:
    """Return the address to which Candu's outgoing webhook posts; it is shown this once."""
    return f"{settings.base_url()}/v1/webhook/{token.reveal()}"


def interactions_url(settings: Settings) -> str:
    """Return the address that takes interactions directly; the token goes in a header."""
    return f"{settings.base_url()}/v1/interactions"


def rest_url(settings: Settings) -> str:
    """Return the address that takes calls of Candu's REST API; the token goes in a header."""
    return f"{settings.base_url()}/api/eventWebhook"


def amplitude_url(settings: Settings, token: Secret) -> str:
    """Return the address to which Amplitude's Webhook destination posts; it is shown this once."""
    return f"{settings.base_url()}/v1/amplitude/{token.reveal()}"


def readback_url(settings: Settings, token: Secret) -> str:
    """Return the address to which Segment sends back what it stored; it is shown this once."""
    return f"{settings.base_url()}/v1/readback/{token.reveal()}"
