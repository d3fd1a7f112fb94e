"""Build integrations for tests: the smallest file that is fine, and changes of it."""

from __future__ import annotations

import json
from typing import Any

from candu_source.integrations.reading import read
from candu_source.integrations.tile import Integration

FINE: dict[str, Any] = {
    "connection": {"display_name": "Acme", "category": "other", "summary": "To Acme.", "description": "Everything to Acme."},
    "parameters": [{"name": "key", "display_name": "Key", "secret": True}],
    "mappings": [{"name": "id", "required": True}],
    "events": {
        "url": "https://acme.test/events",
        "headers": {"Content-Type": "application/json", "Authorization": "${parameters.key}"},
        "body": '{"id": "${mappedFields.id?json_string}", "name": "${input.event_type?json_string}"}',
    },
}


def file(**changes: Any) -> bytes:
    """Return the bytes of a JSON file, whole fields changed; None takes one away."""
    return json.dumps({name: value for name, value in (FINE | changes).items() if value is not None}).encode()


def draft(**changes: Any) -> Integration:
    """Return an integration, whole fields of its file changed."""
    return read(file(**changes), "acme.json")


def events(**changes: str) -> dict[str, Any]:
    """Return the events payload with some of its templates changed."""
    return {**FINE["events"], **changes}
