"""Whatever comes in: an answer in JSON, never an error of ours."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.doors import DOORS
from candu_source.model import Rules
from tests.doors.items import call, payload
from tests.doors.mutations import REST_CALLS, bodies, encoded, fuzz, refuse_constant
from tests.doors.sender import ORIGIN, Sender, Web

headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json", "application/json; charset=utf-16", "application/json;;;=", 'application/json; a="', "text/html", ","]
        )
        | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20),
        "Content-Encoding": st.sampled_from(["gzip", "GZIP ", "identity", "br", "gzip,gzip", ""])
        | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=9),
        "Authorization": st.sampled_from(["Bearer x", "Basic", "Basic =", "Basic eA==", "Basic //79", "bearer", "Bearer\t"])
        | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30),
        "Content-Length": st.sampled_from(["0", "-1", "99999999999999999999", "abc", "1"]),
        "Transfer-Encoding": st.sampled_from(["chunked", "gzip, chunked", "x"]),
        "X-HTTP-Method-Override": st.just("DELETE"),
    },
)


def assert_answered(web: Web, path: str, body: bytes, given_headers: dict[str, str]) -> None:
    """Post, and hold the answer to its form."""
    answer = web.app.test_client().post(path, data=body, headers=given_headers)
    assert answer.status_code in (200, 202, 400, 401, 403, 404, 413, 415, 422)
    said: Any = json.loads(answer.get_data(), parse_constant=refuse_constant)
    if answer.status_code == 200:
        assert (path, said) == ("/api/eventWebhook", {"success": True})
    elif answer.status_code == 202:
        assert answer.content_type == "application/json"
        assert said["accepted"] + said.get("duplicates", 0) + said.get("filtered", 0) > 0
    else:
        assert answer.content_type == "application/problem+json"
        assert said["status"] == answer.status_code
        assert said["detail"]


@pytest.fixture(scope="module")
def willing(web: Web) -> Sender:
    """Make one connection that sends all it can."""
    return web.sender(Rules(custom_events="send", allowed_origins=(ORIGIN,)))


@pytest.mark.parametrize("door", DOORS)
@fuzz(360)
@given(bodies | st.binary(max_size=99), st.booleans())
def test_a_door_answers_any_body(web: Web, willing: Sender, door: str, body: bytes, zipped: bool) -> None:
    path = willing.address(door)
    given_headers = {"Content-Type": "application/json", "Authorization": f"Bearer {willing.token}", "Origin": ORIGIN}
    if zipped:
        body, given_headers["Content-Encoding"] = gzip.compress(body, 1, mtime=0), "gzip"
    assert_answered(web, path, body, given_headers)


@pytest.mark.parametrize("door", DOORS)
@fuzz(240)
@given(
    headers,
    st.booleans(),
    st.sampled_from([encoded(call()), encoded(payload()), encoded(REST_CALLS), b"{", b"", gzip.compress(b"[]", mtime=0), b"\x1f\x8b"]),
)
def test_a_door_answers_any_headers(web: Web, willing: Sender, door: str, given_headers: dict[str, str], known: bool, body: bytes) -> None:
    path = willing.address(door)
    who = {"Authorization": f"Bearer {willing.token}", "Origin": ORIGIN} if known else {}
    assert_answered(web, path, body, {"Content-Type": "application/json"} | given_headers | who)


@fuzz(300)
@given(st.text(max_size=40))
def test_an_address_of_any_characters_is_answered(web: Web, token: str) -> None:
    address = f"/v1/webhook/x{token.replace('?', '%3F').replace('#', '%23')}"
    assert_answered(web, address, b"{}", {"Content-Type": "application/json"})
