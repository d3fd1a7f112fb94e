"""The doors: every way in. A new door is a file and a line in DOORS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Flask, Response
from flask.globals import request_ctx
from werkzeug.middleware.proxy_fix import ProxyFix

from candu_source.doors import amplitude, browser, health, interactions, readback, rest, webhook
from candu_source.doors.answers import answer_errors
from candu_source.doors.gate import Gate, Hear
from candu_source.doors.quota import Quota
from candu_source.doors.receiver import Receiver
from candu_source.observe import Telltale
from candu_source.settings import Settings

# door -> how it reads a body; replays and imports go the same way as requests.
# Where posts wait for nothing but the log, so that an event loop can serve them.
QUICK = ("/v1/interactions", "/v1/webhook/", "/v1/browser/", "/v1/amplitude", "/api/eventWebhook")
DOORS: Mapping[str, Hear] = MappingProxyType({door.DOOR: door.hear for door in (webhook, interactions, browser, rest, amplitude)})


def create_doors(gate: Gate, store: Any, telltale: Telltale, settings: Settings) -> Flask:
    """Return the Flask application with every door in it."""
    app = Receiver("candu_source", static_folder=None)
    app.url_map.merge_slashes = False  # an address with a slash too many is wrong; a redirect would answer in HTML
    app.register_blueprint(webhook.blueprint(gate))
    app.register_blueprint(interactions.blueprint(gate))
    app.register_blueprint(browser.blueprint(gate, Quota(settings.browser_address_limit, settings.browser_token_limit)))
    app.register_blueprint(rest.blueprint(gate, store.contents))
    app.register_blueprint(amplitude.blueprint(gate))
    app.register_blueprint(readback.blueprint(gate, store.confirmer, telltale))
    app.register_blueprint(health.blueprint(store.ledger, store.database.check_room, store.notices.causes, telltale.exposition))
    answer_errors(app, telltale)

    @app.after_request
    def count(response: Response) -> Response:
        telltale.count("requests", door=request_ctx.request.blueprint or "none", status=str(response.status_code))
        return response

    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    return app
