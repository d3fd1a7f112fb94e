"""Play the naive peer: a route that hands each item to the official client and answers, with nothing durable in between.

gunicorn loads `create_app()` in each of its processes; the client is the library's, at its defaults.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from flask import Flask, request
from marshmallow import INCLUDE, Schema, fields, validate
from segment.analytics.client import Client

SINK = "NAIVE_SINK"


class Properties(Schema):
    """The properties of Segment's Candu source page, as anyone would write them down."""

    tutorialId = fields.Integer(required=True)  # noqa: N815
    segmentId = fields.String(required=True)  # noqa: N815
    portalId = fields.Integer(required=True)  # noqa: N815
    versionId = fields.String(required=True)  # noqa: N815
    eventName = fields.String()  # noqa: N815


class Interaction(Schema):
    """One item."""

    type = fields.String(required=True, validate=validate.OneOf(["tutorial.view", "tutorial.interaction"]))
    userId = fields.String()  # noqa: N815
    anonymousId = fields.String()  # noqa: N815
    properties = fields.Nested(Properties, required=True)
    messageId = fields.String()  # noqa: N815
    timestamp = fields.DateTime()
    context = fields.Dict()


def create_app() -> Flask:
    """Return the application with one client for the process."""
    schema = Interaction(many=True, unknown=INCLUDE)
    logging.getLogger("segment").disabled = True  # in its favour: it would write a line for every message that it drops
    client = Client("naive-write-key", host=os.environ[SINK])
    app = Flask(__name__)

    @app.post("/v1/interactions")
    def receive() -> tuple[dict[str, Any], int]:
        data = request.get_json()
        items = schema.load(data.get("batch", [data]))
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
        "timestamp": item.get("timestamp"),
        "message_id": item.get("messageId"),
    }
    if item["type"] == "tutorial.view":
        client.screen(name=item["type"], **common)
    else:
        client.track(event=item["type"], **common)
