"""Connecting a workspace: the source is made there once, the connection here, and what goes wrong is said with what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from candu_source.connecting import connect
from candu_source.destinations.public_api import PublicApi
from candu_source.errors import CanduSourceError, Conflict, UsageError
from candu_source.model import Connection, Secret
from candu_source.store import Store
from candu_source.twin import Twin
from candu_source.twin.public_api import TOKEN
from tests.store.shelf import make_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store."""
    opened = make_store(tmp_path)
    yield opened
    opened.close()


def api(base: str, token: str = TOKEN) -> PublicApi:
    """Ask the Public API at an address."""
    return PublicApi(base + "/public-api", Secret(token), allow_private=True)


def test_a_source_is_made_and_its_key_read_back(segment_twin: Twin, store: Store) -> None:
    connected = connect(api(segment_twin.url), store.connections, Connection("", "Candu_Prod"), use_existing=False, by="test")
    (listed,) = store.connections.all()
    assert (listed.slug, listed.segment_source) == ("candu_prod", connected.source.id)
    assert (connected.made, connected.source.slug, connected.source.catalogue_id) == (True, "candu_prod", "nmb56PunPc")
    assert store.connections.write_key(listed) == connected.source.write_keys[0]
    kept = b"".join(file.read_bytes() for file in store.database.path.parent.iterdir())
    for secret in (TOKEN, store.connections.write_key(listed).reveal()):
        assert secret.encode() not in kept


def test_a_source_that_is_there_is_taken_when_that_is_said(segment_twin: Twin, store: Store) -> None:
    first = api(segment_twin.url).create_source("candu_prod")
    with pytest.raises(Conflict, match="--use-existing"):
        connect(api(segment_twin.url), store.connections, Connection("", "Candu_Prod"), use_existing=False, by="test")
    assert store.connections.all() == []
    connected = connect(api(segment_twin.url), store.connections, Connection("", "Candu_Prod"), use_existing=True, by="test")
    assert (connected.made, connected.source) == (False, first)


def test_nothing_is_made_at_segment_for_a_name_that_is_taken_here(segment_twin: Twin, store: Store) -> None:
    store.connections.add(Connection("", "Candu Prod"), Secret("k"), by="test")
    for name in ("Candu Prod", "Candu_Prod"):
        with pytest.raises(Conflict):
            connect(api(segment_twin.url), store.connections, Connection("", name), use_existing=True, by="test")
    assert api(segment_twin.url).find_source("candu_prod") is None


def test_a_source_is_found_on_any_page(segment_twin: Twin) -> None:
    asked = api(segment_twin.url)
    made = [asked.create_source(f"s{number}") for number in range(205)]
    assert asked.find_source("s204") == made[204]
    assert asked.find_source("s205") is None
    with pytest.raises(Conflict, match="s7"):
        asked.create_source("s7")


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, UsageError, "token"),
        (403, UsageError, "Workspace Owner"),
        (404, UsageError, "by hand"),
        (409, Conflict, "--use-existing"),
        (422, UsageError, "choose another"),
        (429, CanduSourceError, "try again"),
        (500, CanduSourceError, "500"),
        (302, CanduSourceError, "302"),
    ],
)
def test_what_segment_answers_becomes_advice_without_the_token(status: int, error: type[CanduSourceError], says: str) -> None:
    echo = json.dumps({"errors": [{"type": "x", "message": "your token secret-token\x1b[31m is off"}]}).encode()
    with far_end(status, echo) as base, pytest.raises(CanduSourceError) as raised:
        api(base, "secret-token").find_source("x")
    assert raised.type is error
    assert says in str(raised.value)
    assert "[token]" in str(raised.value)
    assert "secret-token" not in repr(raised.getrepr(chain=True).reprcrash)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": 5}', b'{"data": {"sources": [5]}}', b"[" * 10_000, b"x" * 5_000_000])
def test_an_answer_that_is_not_segments_is_an_error_of_ours(body: bytes) -> None:
    with far_end(200, body) as base, pytest.raises(CanduSourceError):
        api(base).find_source("x")


def test_where_nobody_is() -> None:
    with pytest.raises(CanduSourceError, match="cannot be reached"):
        api("http://127.0.0.1:9").find_source("x")
    with pytest.raises(CanduSourceError, match="cannot be reached"):
        PublicApi("http://127.0.0.1:9", Secret("line\nbreak"), allow_private=True).find_source("x")


def test_private_addresses_are_not_asked(segment_twin: Twin) -> None:
    with pytest.raises(CanduSourceError, match="cannot be reached"):
        PublicApi(segment_twin.url + "/public-api", Secret(TOKEN), allow_private=False).find_source("x")


class far_end:  # noqa: N801 - used as a verb
    """Answer every request alike: `with far_end(500, b"") as base`."""

    def __init__(self, status: int, body: bytes) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
