"""Put the twin's parts together as a WSGI application."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from candu_source.twin.faults import Faults
from candu_source.twin.inspection import inspection_routes, problem
from candu_source.twin.memory import KEEP, Memory
from candu_source.twin.public_api import Workspace, public_api_routes
from candu_source.twin.readback import Readbacks
from candu_source.twin.sources import Region, Sources
from candu_source.twin.tracking import segment_error, tracking_routes


@dataclass(frozen=True)
class State:
    """Hold everything a twin knows."""

    memory: Memory
    faults: Faults
    sources: Sources
    workspace: Workspace
    readbacks: Readbacks


def create_state(region: Region = "us", keep: int = KEEP) -> State:
    """Build the state of a fresh twin in a region, keeping at most `keep` calls for inspection."""
    sources, readbacks = Sources(region), Readbacks()
    return State(Memory(keep, readbacks.add), Faults(), sources, Workspace(sources, region), readbacks)


def create_app(state: State) -> Flask:
    """Build the application. Dropping connections needs the twin's own server (wire.py); the rest runs on any."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # an address with a slash too many is wrong, and is not redirected
    app.register_blueprint(tracking_routes(state.memory, state.faults, state.sources))
    app.register_blueprint(public_api_routes(state.workspace))
    app.register_blueprint(inspection_routes(state.memory, state.faults, state.sources, state.readbacks))
    app.register_error_handler(HTTPException, _answer_error)
    return app


def _answer_error(error: HTTPException) -> Response:
    status, detail = error.code or 500, error.description or error.name
    if not request.path.startswith("/v1/"):
        response = problem(status, detail)
    else:
        response = segment_error(status, error.name.lower().replace(" ", "_"), detail)
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response
