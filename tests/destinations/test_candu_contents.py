"""Ask for the list of contents: our own door answers it for real, and far ends that answer anything else are told of in one line."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from candu_source.destinations.candu_api import Dialect
from candu_source.destinations.candu_contents import fetch_contents
from candu_source.errors import CanduSourceError, UsageError
from candu_source.model import Content, Secret
from candu_source.streams import CANDU_API
from tests.cli.terminal import Run, read
from tests.doors.sender import Web

KEY = Secret("canary-key")
ALLOWED = {"CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES": "yes"}


@contextlib.contextmanager
def candu(body: bytes = b"[]", status: int = 200, **headers: str) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Answer every request alike on loopback; yields the base address, and path and headers of what was asked."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def fetched(base: str, dialect: Dialect = Dialect.BEARER) -> list[Content]:
    """Ask with the key, private addresses allowed."""
    return fetch_contents(base, KEY, dialect, allow_private=True)


def test_contents_of_our_own_door_come_into_the_table(door: tuple[Web, str], run: Run) -> None:
    web, base = door
    far = web.sender()
    web.store.contents.tell(far.connection, [Content("c1", "welcome", "Welcome"), Content("c2", "b-only"), Content("c3")], by="test")
    run("connections", "add", "A", "--write-key", "k")
    run("connections", "add", "B", "--write-key", "k")
    for dialect in Dialect:
        words = ("contents", "fetch", "--connection", "A", "--base", base, "--dialect", dialect.value, "--json")
        assert read(run(*words, stdin=f"{far.token}\n", **ALLOWED)) == [
            {"slug": "b-only", "name": "b-only"},
            {"slug": "welcome", "name": "Welcome"},
        ]
    assert [(row["slug"], row["name"]) for row in read(run("contents", "list", "-c", "A", "--json"))] == [
        ("b-only", "b-only"),
        ("welcome", "Welcome"),
    ]
    assert read(run("contents", "list", "-c", "B", "--json")) == []
    told = run("audit", "--json").stdout
    assert json.loads(told)[0]["action"] == "contents.told"
    assert far.token not in told
    sync = ("syncs", "add", "mine", "-c", "A", "--integration", CANDU_API, "-p", f"endpoint={base}", "-p", f"apiKey={far.token}")
    run(*sync)
    assert len(read(run("contents", "fetch", "-c", "A", "--sync", "mine", "--json", **ALLOWED))) == 2
    assert "has no sync 'other'" in run("contents", "fetch", "-c", "A", "--sync", "other", code=2).stderr
    refused = run("contents", "fetch", "-c", "A", "--base", base, stdin="wrong-key\n", code=2, **ALLOWED).stderr
    assert "/api/contentMetadata does not take the key (401); look at it, and at --dialect. It begins: {" in refused
    assert "wrong-key" not in refused


def test_the_command_shows_a_table_or_says_that_there_is_none(run: Run) -> None:
    run("connections", "add", "A", "--write-key", "k")
    with candu(b'[{"name": "We\\u001b[31mlcome", "slug": "welcome"}]') as (base, _):
        shown = run("contents", "fetch", "--base", base, stdin="k\n", **ALLOWED).stdout
    assert "welcome" in shown
    assert "\x1b" not in shown
    before = len(read(run("audit", "--json")))
    with candu() as (base, _):
        assert "Candu lists no content" in run("contents", "fetch", "--base", base, stdin="k\n", **ALLOWED).stdout
    assert len(read(run("audit", "--json"))) == before
    assert "the API key is one word" in run("contents", "fetch", stdin="\n", code=2).stderr


@pytest.mark.parametrize(
    ("dialect", "shown"),
    [
        (Dialect.BEARER, "Bearer canary-key"),
        (Dialect.BASIC_COLON, "Basic Y2FuYXJ5LWtleTo="),
        (Dialect.BASIC, "Basic Y2FuYXJ5LWtleQ=="),
    ],
)
def test_the_request(dialect: Dialect, shown: str) -> None:
    with candu() as (base, asked):
        assert fetched(base + "/", dialect) == []
    ((path, headers),) = asked
    assert path == "/api/contentMetadata"
    assert headers["Authorization"] == shown
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("listed", "contents"),
    [
        ([{"name": "Welcome", "slug": "welcome"}], [Content(slug="welcome", name="Welcome")]),
        ([{"slug": "a", "id": 7, "more": {"b": [1]}}], [Content(slug="a")]),
        ([{"slug": "a", "name": None}, {"slug": "b", "name": ""}], [Content(slug="a"), Content(slug="b")]),
        ([{"slug": None, "name": "x"}, {"slug": "", "name": "y"}, {"slug": "é"}], [Content(slug="é")]),
    ],
)
def test_what_a_list_tells(listed: Any, contents: list[Content]) -> None:
    with candu(json.dumps(listed).encode()) as (base, _):
        assert fetched(base) == contents


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "no"}', 'answers no list of {name, slug}: Expected `array`, got `object`. It begins: {"error": "no"}'),
        (b'[{"name": "x"}]', "Object missing required field `slug` - at `$[0]`"),
        (b'[{"slug": "a"}, {"slug": 5}]', "Expected `str | null`, got `int` - at `$[1].slug`"),
        (b'[{"slug": "a", "name": ["b"]}]', "Expected `str | null`, got `array` - at `$[0].name`"),
        (b'[{"slug": "a\\u0000"}]', "matching regex"),
        (b'[{"slug": "\\ud800"}]', "answers no list of {name, slug}: "),
        (json.dumps([{"slug": "s" * 256}]).encode(), "Expected `str` of length <= 255"),
        (b"<!DOCTYPE html>\n<title>\x1b[2J", "It begins: <!DOCTYPE html> <title> [2J"),
        (b"\xff\xfe[", "answers no list of {name, slug}: "),
        (b"[" * 100_000, "answers no list of {name, slug}: "),
        (b"", "answers no list of {name, slug}: "),
        (b'"canary-key Y2FuYXJ5LWtleQ== canary-key"', 'It begins: "[secret] '),
    ],
)
def test_an_answer_of_another_shape_is_shown_with_its_beginning(body: bytes, said: str) -> None:
    with candu(body) as (base, _), pytest.raises(UsageError) as caught:
        fetched(base)
    text = str(caught.value)
    assert text.startswith(f"{base}/api/contentMetadata answers no list")
    assert said in text
    assert text.isprintable()
    assert len(text) < 600
    assert "canary-key" not in text


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, UsageError, "does not take the key (401); look at it, and at --dialect. It begins: [secret]"),
        (403, UsageError, "does not take the key (403)"),
        (404, UsageError, "answers 404 in place of a list of contents; look at --base"),
        (201, UsageError, "answers 201 in place of a list"),
        (302, UsageError, "redirects, which is not followed; write where it leads to as --base"),
        (429, CanduSourceError, "answers 429; try again later"),
        (503, CanduSourceError, "answers 503; try again later"),
    ],
)
def test_a_status_that_is_no_success(status: int, kind: type[CanduSourceError], said: str) -> None:
    with candu(b"canary-key", status, Location="http://127.0.0.1:9/elsewhere") as (base, asked), pytest.raises(kind) as caught:
        fetched(base)
    assert type(caught.value) is kind
    assert said in str(caught.value)
    assert "canary-key" not in str(caught.value)
    assert len(asked) == 1


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    with candu(b"[" + b" " * (8 * 2**20) + b"]") as (base, _), pytest.raises(UsageError, match="answers more than 4194304 bytes"):
        fetched(base)


def test_what_is_packed_without_having_been_asked_for_is_not_unpacked() -> None:
    packed: dict[str, Any] = {"Content-Encoding": "gzip"}
    with candu(gzip.compress(b"[]"), **packed) as (base, asked), pytest.raises(UsageError, match="answers no list"):
        fetched(base)
    assert asked[0][1]["Accept-Encoding"] == "identity"


def test_a_private_address_is_reached_only_where_that_is_allowed() -> None:
    with candu() as (base, asked), pytest.raises(CanduSourceError, match="is not a public address; CANDU_SOURCE_ALLOW_PRIVATE"):
        fetch_contents(base, KEY, Dialect.BEARER, allow_private=False)
    assert asked == []


def test_nobody_there_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CanduSourceError, match=f"^http://127.0.0.1:{port}/api/contentMetadata cannot be reached: ConnectionRefusedError$"):
        fetched(f"http://127.0.0.1:{port}")
