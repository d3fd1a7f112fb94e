"""Who is let in, and what everybody else is told: problems in JSON, and nothing stored."""

from __future__ import annotations

import base64
import json
import threading
from http.client import HTTPConnection

import pytest
from werkzeug.serving import make_server

from candu_source.settings import Settings
from tests.doors.items import call, encode, payload
from tests.doors.sender import Sender, Web, assert_problem

JSON = {"Content-Type": "application/json"}


def basic(user: bytes) -> str:
    return "Basic " + base64.b64encode(user).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer cs_\xff\xfe",
        "Bearer " + "x" * 10_000,
        "Bearer ' OR 1=1 --",
        "Token unknown",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        "Basic \xe9",
        basic(b""),
        basic(b":"),
        basic(b":password"),
        basic(b"unknown:"),
        basic(b"\xff\xfe:"),
        basic(b"\x00:"),
        'Digest username="x"',
    ],
)
def test_a_stranger_is_refused_and_leaves_nothing(web: Web, authorization: str | None) -> None:
    before = web.table_sizes()
    for body in (encode(call()), b"broken", b""):
        headers = JSON if authorization is None else JSON | {"Authorization": authorization}
        answer = web.app.test_client().post("/v1/interactions", data=body, headers=headers)
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="candu-source", Basic realm="candu-source"'
    assert web.table_sizes() == before


@pytest.mark.parametrize(
    "token", ["unknown", "%00", "%ff%fe", "%ed%a0%80", "cs_%F0%9F%98%80", "%0d%0aSet-Cookie:%20a=b", "..", "'%20OR%201=1", "x" * 5_000]
)
def test_an_unknown_token_in_the_address_is_refused_and_leaves_nothing(web: Web, token: str) -> None:
    before = web.table_sizes()
    for body in (encode(payload()), b"broken", b""):
        assert_problem(web.app.test_client().post(f"/v1/webhook/{token}", data=body, headers=JSON), 401, "unauthorized")
    assert web.table_sizes() == before


def test_the_webhook_is_opened_by_its_address_only(web: Web, sender: Sender) -> None:
    headers = JSON | {"Authorization": f"Bearer {sender.token}"}
    assert_problem(web.app.test_client().post("/v1/webhook/unknown", json=payload(), headers=headers), 401, "unauthorized")
    assert (
        web.app.test_client().post(f"/v1/webhook/{sender.token}", json=payload(), headers={"Authorization": "Bearer x"}).status_code == 202
    )


def test_a_stranger_is_refused_before_the_body_is_read(web: Web) -> None:
    answer = web.app.test_client().post("/v1/interactions", data=b"x" * 300_000, headers={"Content-Encoding": "br"})
    assert_problem(answer, 401, "unauthorized")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FROB"])
@pytest.mark.parametrize("path", ["/v1/interactions", "/v1/webhook/unknown", "/v1/browser/unknown", "/api/eventWebhook", "/v1/amplitude"])
def test_another_method_is_a_problem_that_names_the_right_one(web: Web, method: str, path: str) -> None:
    answer = web.app.test_client().open(path, method=method)
    assert_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(("path", "status"), [("/v1/interactions", 200), ("/v1/webhook/unknown", 401)])
def test_head_and_options_have_no_body(web: Web, path: str, status: int) -> None:
    client = web.app.test_client()
    assert (client.head(path).status_code, client.head(path).get_data()) == (status, b"")
    assert (client.options(path).status_code, client.options(path).get_data()) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/webhook",
        "/v1/webhook/",
        "/v1/webhook/a/b",
        "/v1/interactions/",
        "/v1//interactions",
        "/V1/interactions",
        "/%00",
    ],
)
def test_another_address_is_a_problem(web: Web, method: str, path: str) -> None:
    assert_problem(web.app.test_client().open(path, method=method, headers=JSON), 404, "not_found")


def test_the_bare_address_leads_people_to_the_console_and_programs_nowhere(web: Web) -> None:
    assert web.app.test_client().get("/").location == "/console/"
    assert_problem(web.app.test_client().post("/", headers=JSON), 404, "not_found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_probes_answer_anybody_without_a_secret(web: Web, sender: Sender, path: str) -> None:
    assert sender.send("interactions", call()).status_code == 202
    answer = web.app.test_client().get(path)
    assert answer.status_code == 200
    assert sender.token not in answer.get_data(as_text=True)
    assert web.app.test_client().head(path).status_code == 200
    assert_problem(web.app.test_client().post(path), 405, "method_not_allowed")


def test_the_probe_says_when_nothing_can_be_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    full = Web(Settings(store_url=f"sqlite:///{tmp_path_factory.mktemp('full')}/store.db", min_free_mb=10**9))
    answer = full.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json and answer.json["status"]) == (503, "not ready")


def test_requests_are_counted_by_door_and_status(web: Web, sender: Sender) -> None:
    sender.send("interactions", call())
    metrics = web.app.test_client().get("/metrics").get_data(as_text=True)
    assert 'candu_source_requests_total{door="interactions",status="202"}' in metrics
    assert 'candu_source_events_total{door="interactions",result="accepted"}' in metrics


def test_no_token_and_no_content_is_written_to_the_log(web: Web, sender: Sender) -> None:
    sender.send("webhook", payload(userId="very-private"))
    sender.send("webhook", payload(userId="very-private", screenName=5))
    lines = [json.loads(line) for line in web.log.getvalue().splitlines()]
    told = [line for line in lines if line.get("connection") == sender.connection.name]
    assert [(line["fact"], line["accepted"], line["rejected"]) for line in told] == [("event.accepted", 1, 0), ("event.accepted", 0, 1)]
    assert sender.token not in web.log.getvalue()
    assert "very-private" not in web.log.getvalue()


@pytest.mark.parametrize("length", ["5", "abc", "-1", None])
def test_a_content_length_that_lies_is_no_error_of_ours(web: Web, sender: Sender, length: str | None) -> None:
    server = make_server("127.0.0.1", 0, web.app)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.server_port)
    connection.putrequest("POST", "/v1/interactions")
    for name, value in (
        JSON | {"Authorization": f"Bearer {sender.token}"} | ({} if length is None else {"Content-Length": length})
    ).items():
        connection.putheader(name, value)
    connection.endheaders(encode(call()))
    answer = connection.getresponse()
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    answer.close()
    connection.close()
    thread.join()
    server.server_close()
