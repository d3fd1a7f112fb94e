"""Play the naive peer: a route that hands each item to the official client and answers, with nothing durable in between.

gunicorn loads `create_app()` in each of its processes; the client is the library's, at its defaults.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import Any

from flask import Flask, request
from segment.analytics.client import Client

SINK = "NAIVE_SINK"


def create_app() -> Flask:
    """Return the application with one client for the process."""
    logging.getLogger("segment").disabled = True  # in its favour: it would write a line for every message that it drops
    client = Client("naive-write-key", host=os.environ[SINK])
    app = Flask(__name__)

    @app.post("/v1/interactions")
    def receive() -> tuple[dict[str, Any], int]:
        data = request.get_json()
        items = data.get("batch", [data])
        for item in items:
            _enqueue(client, item)
        return {"accepted": len(items)}, 202

    return app


def _enqueue(client: Client, item: dict[str, Any]) -> None:
    common = {
        "user_id": item.get("userId"),
        "anonymous_id": item.get("anonymousId"),
        "properties": item["properties"],
        "context": item.get("context"),
        "timestamp": datetime.fromisoformat(item["timestamp"]) if "timestamp" in item else None,
        "message_id": item.get("messageId"),
    }
    if item["type"] == "tutorial.view":
        client.screen(name=item["type"], **common)
    else:
        client.track(event=item["type"], **common)
