"""The doors: every way in. A new door is a file and a line in DOORS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request

from candu_source.doors import health, interactions, webhook
from candu_source.doors.gate import Gate, Hear, answer_errors
from candu_source.observe import Telltale

# door -> how it reads a body; replays and imports go the same way as requests.
DOORS: Mapping[str, Hear] = MappingProxyType({webhook.DOOR: webhook.hear, interactions.DOOR: interactions.hear})


def create_doors(gate: Gate, store: Any, telltale: Telltale) -> Flask:
    """Return the Flask application with every door in it."""
    app = Flask("candu_source", static_folder=None)
    app.url_map.merge_slashes = False  # an address with a slash too many is wrong; a redirect would answer in HTML
    app.register_blueprint(webhook.blueprint(gate))
    app.register_blueprint(interactions.blueprint(gate))
    app.register_blueprint(health.blueprint(store.ledger, store.database.check_room, telltale.exposition))
    answer_errors(app, telltale)

    @app.after_request
    def count(response: Response) -> Response:
        telltale.count("requests", door=request.blueprint or "none", status=str(response.status_code))
        return response

    return app
