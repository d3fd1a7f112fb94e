"""Looking inside the twin, and steering it, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from tests.twin.calls import KEY, post, post_body, track


def get(twin: Twin, path: str, **params: str) -> requests.Response:
    return requests.get(twin.url + path, params=params, timeout=30)


def send(twin: Twin, method: str, path: str, body: object = None) -> requests.Response:
    return requests.request(method, twin.url + path, json=body, timeout=30)


def test_the_first_page_says_what_it_is(segment_twin: Twin) -> None:
    answer = get(segment_twin, "/")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "stand-in" in answer.text
    for path in ("/__twin/messages", "/__twin/ids", "/__twin/stats", "/__twin/sources", "/__twin/faults", "/healthz"):
        assert path in answer.text


def test_it_is_healthy(segment_twin: Twin) -> None:
    assert get(segment_twin, "/healthz").status_code == 200
    head = send(segment_twin, "HEAD", "/healthz")
    assert (head.status_code, head.content) == (200, b"")


def test_messages_are_shown_whole_and_the_write_key_is_not(segment_twin: Twin) -> None:
    post(segment_twin.url, track(messageId="m1", timestamp="2024-05-01T12:00:00Z", writeKey=KEY), track(event=None), writeKey=KEY)
    answer = get(segment_twin, "/__twin/messages")
    assert answer.headers["Content-Type"] == "application/json"
    assert KEY not in answer.text
    shown = answer.json()
    assert shown["next"] is None
    stored, dropped = shown["messages"]
    source = segment_twin.source_id(KEY)
    assert stored == {
        "seq": 1,
        "status": "stored",
        "reason": None,
        "source": source,
        "type": "track",
        "messageId": "m1",
        "receivedAt": stored["receivedAt"],
        "sentAt": None,
        "originalTimestamp": "2024-05-01T12:00:00Z",
        "timestamp": "2024-05-01T12:00:00.000Z",
        "message": track(messageId="m1", timestamp="2024-05-01T12:00:00Z", writeKey=source),
    }
    assert (dropped["seq"], dropped["status"], dropped["reason"]) == (2, "dropped", "no_event")
    assert shown["messages"] == segment_twin.messages()


def test_the_write_key_is_shown_nowhere(segment_twin: Twin) -> None:
    send(segment_twin, "POST", "/__twin/sources", {"key": KEY})
    requests.post(f"{segment_twin.url}/v1/track", json=track(writeKey=KEY), timeout=30)
    segment_twin.fault(status=500, key=KEY)
    for path in ("messages", "ids", "stats", "sources", "faults"):
        assert KEY not in get(segment_twin, f"/__twin/{path}").text


def test_messages_come_in_pages(segment_twin: Twin) -> None:
    post(segment_twin.url, *(track(messageId=f"m{number}") for number in range(5)))
    ids, after = [], "0"
    for expected in (2, 2, 1):
        page = get(segment_twin, "/__twin/messages", limit="2", after=after).json()
        assert len(page["messages"]) == expected
        ids += [message["messageId"] for message in page["messages"]]
        after = str(page["next"])
    assert after == "None"
    assert ids == ["m0", "m1", "m2", "m3", "m4"]


def test_a_page_has_a_thousand_messages_unless_asked_otherwise(segment_twin: Twin) -> None:
    post(segment_twin.url, *[track()] * 1_001)
    assert len(get(segment_twin, "/__twin/messages").json()["messages"]) == 1_000
    assert get(segment_twin, "/__twin/messages").json()["next"] == 1_000


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"status": "stored"}, ["m1", "m3"]),
        ({"status": "dropped"}, ["m2"]),
        ({"type": "screen"}, ["m3"]),
        ({"type": "page"}, []),
        ({"source": Twin.source_id("another")}, ["m3"]),
        ({"after": "1", "status": "stored"}, ["m3"]),
        ({"since": "2024-05-01T12:00:00Z"}, ["m1", "m2", "m3"]),
        ({"since": "2999-05-01T12:00:00+02:00"}, []),
    ],
)
def test_messages_are_filtered(segment_twin: Twin, params: dict[str, str], expected: list[str]) -> None:
    post(segment_twin.url, track(messageId="m1"), track(messageId="m2", event=None))
    post(segment_twin.url, track(messageId="m3", type="screen"), key="another")
    found = get(segment_twin, "/__twin/messages", **params).json()["messages"]
    assert [message["messageId"] for message in found] == expected


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("messages", {"status": "lost"}, "status"),
        ("messages", {"since": "yesterday"}, "since"),
        ("messages", {"since": ""}, "since"),
        ("messages", {"limit": "0"}, "limit"),
        ("messages", {"limit": "10001"}, "limit"),
        ("messages", {"limit": "many"}, "limit"),
        ("messages", {"limit": "²"}, "limit"),
        ("messages", {"after": "-1"}, "after"),
        ("messages", {"after": "9" * 5_000}, "after"),
        ("messages", {"key": "wk"}, "key"),
        ("ids", {"key": "wk"}, "key"),
    ],
)
def test_a_bad_parameter_is_named(segment_twin: Twin, path: str, params: dict[str, str], named: str) -> None:
    answer = get(segment_twin, f"/__twin/{path}", **params)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 400
    assert answer.json()["detail"].startswith(named)


def test_all_ids_are_listed(segment_twin: Twin) -> None:
    post(segment_twin.url, *(track(messageId=f"m{number}") for number in range(2_500)), track(messageId="late", event=None))
    assert get(segment_twin, "/__twin/ids").text == ""
    for start in range(0, 12_500, 2_500):
        post(segment_twin.url, *(track(messageId=f"m{number}") for number in range(start, start + 2_500)))
    post(segment_twin.url, track(messageId="other"), track(messageId="dropped", event=None), key="another")
    assert get(segment_twin, "/__twin/ids").text.splitlines() == [*(f"m{number}" for number in range(12_500)), "other"]
    assert get(segment_twin, "/__twin/ids", source=segment_twin.source_id("another")).text == "other\n"


def test_stats_are_exact(segment_twin: Twin) -> None:
    post(segment_twin.url, track(messageId="m1"), track(messageId="m1"), track(event=None))
    post_body(segment_twin.url, b"{")
    segment_twin.fault(status=503, count=1)
    post(segment_twin.url, track())
    expected = {
        "requests": 3,
        "stored": 1,
        "dropped": {"duplicate": 1, "no_event": 1},
        "duplicates": 1,
        "by_status": {"200": 1, "400": 1, "503": 1},
        "by_source": {segment_twin.source_id(KEY): 1},
    }
    assert get(segment_twin, "/__twin/stats").json() == expected
    assert segment_twin.stats() == expected


def test_messages_are_cleared(segment_twin: Twin) -> None:
    post(segment_twin.url, track(messageId="m1"))
    answer = send(segment_twin, "DELETE", "/__twin/messages")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (segment_twin.messages(), segment_twin.ids()) == ([], [])
    assert segment_twin.stats()["requests"] == 0
    post(segment_twin.url, track(messageId="m1"))
    assert segment_twin.ids() == ["m1"]


def test_sources_are_listed_one_by_one_or_together(segment_twin: Twin) -> None:
    send(segment_twin, "POST", "/__twin/sources", {"key": "k1"})
    answer = send(segment_twin, "POST", "/__twin/sources", [{"key": "k2", "region": "eu"}, {"key": "k3", "enabled": False}])
    expected = [
        {"source": segment_twin.source_id("k1"), "region": "us", "enabled": True},
        {"source": segment_twin.source_id("k2"), "region": "eu", "enabled": True},
        {"source": segment_twin.source_id("k3"), "region": "us", "enabled": False},
    ]
    assert answer.json() == {"sources": expected}
    assert get(segment_twin, "/__twin/sources").json() == {"sources": expected}
    assert send(segment_twin, "DELETE", "/__twin/sources").status_code == 204
    assert get(segment_twin, "/__twin/sources").json() == {"sources": []}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("sources", {}, "key"),
        ("sources", {"key": ""}, "key"),
        ("sources", {"key": "k", "region": "uk"}, "region"),
        ("sources", [{"key": "k", "enabled": 1}], "enabled"),
        ("sources", {"key": "k", "regoin": "us"}, "regoin"),
        ("faults", {"stauts": 500}, "stauts"),
        ("faults", {"status": "500"}, "status"),
        ("faults", {"count": 5}, "count"),
        ("faults", [], "object"),
        ("faults", None, "truncated"),
    ],
)
def test_a_bad_field_is_named(segment_twin: Twin, path: str, body: Any, named: str) -> None:
    answer = send(segment_twin, "POST", f"/__twin/{path}", body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert named in answer.json()["detail"]


def test_faults_are_shown_and_healed(segment_twin: Twin) -> None:
    source = segment_twin.source_id(KEY)
    send(segment_twin, "POST", "/__twin/faults", {"status": 429, "retry_after": 3, "count": 5})
    answer = send(segment_twin, "POST", "/__twin/faults", {"black_hole": True, "source": source})
    expected = [{"status": 429, "retry_after": 3, "count": 5, "left": 5}, {"black_hole": True, "source": source}]
    assert answer.json() == {"faults": expected}
    assert get(segment_twin, "/__twin/faults").json() == {"faults": expected}
    assert send(segment_twin, "DELETE", "/__twin/faults").status_code == 204
    assert get(segment_twin, "/__twin/faults").json() == {"faults": []}
    send(segment_twin, "POST", "/__twin/faults", {"status": 500})
    assert send(segment_twin, "POST", "/__twin/faults", {}).json() == {"faults": []}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nonsense", 404), ("PUT", "/__twin/stats", 405)])
def test_other_addresses_are_problems(segment_twin: Twin, method: str, path: str, status: int) -> None:
    answer = send(segment_twin, method, path, {})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
