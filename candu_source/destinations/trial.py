"""Let a twin of Segment send back what it stores, as a Webhooks destination would."""

from __future__ import annotations

import requests

from candu_source.destinations.egress import guarded_session
from candu_source.errors import UsageError
from candu_source.model import Connection

_SECONDS = 5.0


def ask_twin(twin_url: str, source: str, connection: Connection, readback_url: str) -> None:
    """Ask a twin to post what it stores for a source to a readback address; raise UsageError when it does not answer.

    The twin stands where the operator says, which is beside us more often than not.
    """
    try:
        wanted = {"url": readback_url, "source": source}
        answer = guarded_session(allow_private=True).post(f"{twin_url}/__twin/readback", json=wanted, timeout=_SECONDS)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise UsageError(
            f"twin: {twin_url} does not answer ({type(error).__name__}); {connection.name} is connected, without readback"
        ) from None
