"""Requests render as they are sent, and the cURL command sends the same from a shell, whatever is in them."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from candu_source.integrations.curl import curl
from candu_source.integrations.fields import HOSTILE
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.reading import read_file
from candu_source.integrations.rendering import USUAL_HEADERS, Given, Rendered, compile_payload
from tests.integrations.drafts import draft, events

_EVENT = {"event_type": 'Clicked "Start"', "event_time": "2026-11-02 20:07:01.795000", "user_id": "ann"}
_GIVEN = Given(_EVENT, {"key": "k1"}, {"plan": '"pro"'}, {"id": "ann"})


def _render(given: Given = _GIVEN, **changes: str) -> Rendered:
    return compile_payload(draft(events=events(**changes)).payloads["events"]).render(given, now=0)


@pytest.fixture
def heard() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Listen on loopback; yield the address, and what came: method, path and authorization, body."""
    came: list[tuple[str, str, bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((f"{self.command} {self.path}", self.headers["Authorization"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_is_rendered_from_all_that_is_given() -> None:
    rendered = _render()
    assert (rendered.method, rendered.url) == ("POST", "https://acme.test/events")
    assert rendered.headers == {"User-Agent": "Amplitude/Webhook/1.0", "Content-Type": "application/json", "Authorization": "k1"}
    assert json.loads(rendered.body) == {"id": "ann", "name": 'Clicked "Start"'}
    assert rendered.json_fault() == ""


def test_amplitudes_headers_go_with_it_unless_the_integration_has_its_own() -> None:
    own = {"user-agent": "Acme/2", "CONTENT-TYPE": "text/plain"}
    for headers, sent in (({}, dict(USUAL_HEADERS)), (own, own)):
        payload = draft(events=events() | {"headers": headers}, parameters=[]).payloads["events"]
        assert compile_payload(payload).render(_GIVEN, now=0).headers == sent


def test_candu_is_told_of_the_sample_events() -> None:
    candu = compile_payload(read_file(Path("candu_source/integrations/candu.toml")).payloads["events"])
    event = json.loads(Path("samples/amplitude/event.json").read_bytes())
    given = Given(event, {"apiKey": "k", "endpoint": "https://api.candu.ai"}, {"newPlan": '"Business+"'}, {"userId": "ann"})
    rendered = candu.render(given, now=0)
    assert rendered.url == "https://api.candu.ai/api/eventWebhook"
    assert rendered.headers["Authorization"] == "Bearer k"
    assert json.loads(rendered.body) == {
        "type": "track",
        "messageId": event["uuid"],
        "userId": "ann",
        "event": "Upgraded plan",
        "properties": {"newPlan": "Business+"},
        "timestamp": "2026-11-02T20:07:01Z",
    }


@pytest.mark.parametrize("url", ["acme.test", "ftp://acme.test", "https://", "https://a b", "https://acme.test/\u00e4\n", "http://[1"])
def test_an_address_that_is_none_is_not_rendered(url: str) -> None:
    with pytest.raises(TemplateError, match="the URL renders as"):
        _render(url=url)


def test_no_header_ends_early() -> None:
    with pytest.raises(TemplateError, match="Authorization"):
        _render(Given(_EVENT, {"key": "a\r\nX-Other: b"}, {}, {"id": "ann"}))


def test_the_part_that_fails_is_named() -> None:
    with pytest.raises(TemplateError, match=r"input.nope is missing.*\(in body\)"):
        _render(body="${input.nope}")


def test_a_comma_too_many_is_named_with_its_line() -> None:
    fault = _render(body='{\n  "a": {\n    "b": 1\n  },\n}').json_fault()
    assert fault.endswith("take away the one at the end of line 4")
    assert "comma" not in _render(body='{"a" 1, }').json_fault()


def test_curl_has_the_form_of_amplitudes() -> None:
    assert curl(_render(body="{}")) == (
        'curl --verbose --request POST "https://acme.test/events" \\\n'
        "-H 'User-Agent:Amplitude/Webhook/1.0' \\\n"
        "-H 'Content-Type:application/json' \\\n"
        "-H 'Authorization:k1' \\\n"
        "--data '{}'"
    )


@pytest.mark.parametrize("text", [HOSTILE.replace("\x01", "").replace("\x7f", ""), "@/etc/passwd", "it's $HOME `id` !! \\", "a\nb\n"])
def test_pasted_into_bash_it_sends_the_very_bytes(heard: tuple[str, list[tuple[str, str, bytes]]], text: str) -> None:
    address, came = heard
    rendered = Rendered("POST", f"{address}/it's?a=$HOME&b=!", {"Authorization": "it's $HOME", "Content-Type": "text/plain"}, text)
    subprocess.run(["bash", "-c", curl(rendered)], check=True, capture_output=True, timeout=30)
    assert came == [("POST /it's?a=$HOME&b=!", "it's $HOME", text.encode())]
