"""The twin as Segment's Webhooks destination and Public API, and its fault of dropping a share silently."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from candu_source.twin.public_api import CANDU_SOURCE, TOKEN
from tests.acceptance.waiting import until
from tests.twin.calls import KEY, post, track


class Ear:
    """Hear what is posted; answer with the statuses to come, then 200."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        lock = threading.Lock()
        ear = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    status = ear.statuses.pop(0) if ear.statuses else 200
                    ear.headers.append(dict(self.headers))
                    if status == 200:
                        ear.heard += body if isinstance(body, list) else [body]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook/secret"

    def ids(self) -> list[str]:
        """Return the messageIds heard, sorted."""
        return sorted(call["messageId"] for call in self.heard)


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Listen on a loopback port."""
    listening = Ear()
    thread = threading.Thread(target=listening.server.serve_forever, args=(0.02,))
    thread.start()
    yield listening
    listening.server.shutdown()
    thread.join()
    listening.server.server_close()


def ids(number: int) -> list[str]:
    return [f"m{place:03}" for place in range(number)]


def shown(twin: Twin) -> dict[str, Any]:
    body: dict[str, Any] = requests.get(f"{twin.url}/__twin/readback", timeout=30).json()
    return body


def send(twin: Twin, *names: str, key: str = KEY) -> None:
    post(twin.url, *(track(messageId=name) for name in names), key=key)


@pytest.mark.parametrize("batch", [1, 7])
def test_what_is_stored_is_posted_and_what_is_dropped_is_not(segment_twin: Twin, ear: Ear, batch: int) -> None:
    segment_twin.readback(ear.url, batch=batch)
    post(segment_twin.url, *(track(messageId=name) for name in ids(20)), track(event=None), track(messageId="m000", writeKey=KEY))
    until(lambda: len(ear.heard) == 20, "everything to be posted")
    assert ear.ids() == ids(20)
    assert all(call["version"] == 2 and call["event"] for call in ear.heard)
    assert {(each["User-Agent"], each["Content-Type"]) for each in ear.headers} == {("Segment.io/1.0", "application/json")}
    assert KEY not in json.dumps(ear.heard)


def test_a_failing_address_is_posted_to_again_and_a_refusing_one_is_not(segment_twin: Twin, ear: Ear) -> None:
    ear.statuses = [503, 500, 400]
    segment_twin.readback(ear.url)
    send(segment_twin, *ids(3))
    until(lambda: (shown(segment_twin)["posted"], shown(segment_twin)["given_up"]) == (2, 1), "two to arrive and one to be given up")
    assert len(ear.ids()) == 2
    assert "secret" not in json.dumps(shown(segment_twin)), "the end of the address is a token"


def test_each_source_has_its_own_destination(segment_twin: Twin, ear: Ear) -> None:
    segment_twin.readback(ear.url, key="mine")
    send(segment_twin, "a", key="mine")
    send(segment_twin, "b", key="other")
    until(lambda: ear.heard, "the one to be posted")
    assert ear.ids() == ["a"]
    requests.delete(f"{segment_twin.url}/__twin/readback", timeout=30)
    send(segment_twin, "c", key="mine")
    assert shown(segment_twin) == {"readback": [], "waiting": 0, "posted": 1, "given_up": 0}


def test_it_posts_late_when_told_so_and_goes_on_after_a_stop(segment_twin: Twin, ear: Ear) -> None:
    segment_twin.readback(ear.url, delay_ms=300)
    send(segment_twin, "a")
    assert not ear.heard
    segment_twin.stop()
    segment_twin.start()
    until(lambda: ear.ids() == ["a"], "the call to be posted after all")


@pytest.mark.parametrize(
    "body", [{}, {"url": "ftp://x"}, {"url": "http://x/", "delay_ms": -1}, {"url": "http://x/", "batch": 0}, {"uri": ""}]
)
def test_a_destination_that_is_off_is_refused(segment_twin: Twin, body: dict[str, object]) -> None:
    assert requests.post(f"{segment_twin.url}/__twin/readback", json=body, timeout=30).status_code == 400
    with pytest.raises(ValueError, match=r".+"):
        segment_twin.readback("ftp://x")


def test_a_share_is_dropped_and_it_is_always_the_same(segment_twin: Twin) -> None:
    segment_twin.fault(drop_share=0.3)
    send(segment_twin, *ids(500))
    lost = {call["messageId"] for call in segment_twin.messages(status="dropped")}
    assert {call["reason"] for call in segment_twin.messages(status="dropped")} == {"lost"}
    assert 100 < len(lost) < 200
    assert segment_twin.stats()["by_status"] == {"200": 1}
    segment_twin.clear()
    send(segment_twin, *ids(500))
    assert {call["messageId"] for call in segment_twin.messages(status="dropped")} == lost
    segment_twin.heal()
    send(segment_twin, *lost)
    assert set(segment_twin.ids()) == set(ids(500)), "what was lost is not remembered as a duplicate"


def ask(twin: Twin, method: str, path: str, body: object = None, token: str = TOKEN, **params: str) -> requests.Response:
    url, headers = f"{twin.url}/public-api{path}", {"Authorization": f"Bearer {token}"}
    return requests.request(method, url, json=body, params=params, headers=headers, timeout=30)


def test_a_source_made_by_the_public_api_is_known(segment_twin: Twin) -> None:
    assert ask(segment_twin, "GET", "/").json()["data"]["workspace"]["slug"] == "twin"
    wanted = {"slug": "candu", "enabled": True, "metadataId": CANDU_SOURCE}
    answer = ask(segment_twin, "POST", "/sources", wanted)
    assert answer.status_code == 201
    source = answer.json()["data"]["source"]
    assert ask(segment_twin, "GET", "/sources").json()["data"]["sources"] == [source]
    send(segment_twin, "a", key=source["writeKeys"][0])
    send(segment_twin, "b", key="stranger")
    assert segment_twin.ids() == ["a"]


def test_the_public_api_refuses_as_segment_does(segment_twin: Twin) -> None:
    wanted = {"slug": "candu", "enabled": True, "metadataId": CANDU_SOURCE}
    assert ask(segment_twin, "GET", "/sources", token="x").status_code == 401
    assert ask(segment_twin, "POST", "/sources", {**wanted, "metadataId": "other"}).status_code == 404
    assert ask(segment_twin, "POST", "/sources", {**wanted, "slug": "no blanks"}).status_code == 422
    assert ask(segment_twin, "POST", "/sources", wanted).status_code == 201
    refused = ask(segment_twin, "POST", "/sources", wanted)
    assert (refused.status_code, list(refused.json())) == (409, ["errors"])


def test_pages_of_sources(segment_twin: Twin) -> None:
    for number in range(5):
        ask(segment_twin, "POST", "/sources", {"slug": f"s{number}", "enabled": True, "metadataId": CANDU_SOURCE})
    seen, cursor = [], "0"
    while cursor is not None:
        page = ask(segment_twin, "GET", "/sources", **{"pagination[count]": "2", "pagination[cursor]": cursor}).json()["data"]
        seen += [source["slug"] for source in page["sources"]]
        cursor = page["pagination"]["next"]
    assert seen == [f"s{number}" for number in range(5)]
