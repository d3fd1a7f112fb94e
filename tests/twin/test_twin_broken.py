"""The twin out of order, and healed."""

from __future__ import annotations

import socket

import pytest
import requests

from candu_source.twin import Twin
from candu_source.twin.wire import is_gone
from tests.twin.calls import KEY, LONG, in_background, post, post_body, track


@pytest.mark.parametrize("retry_after", [None, 3, "Wed, 21 Oct 2015 07:28:00 GMT"])
@pytest.mark.parametrize("status", [200, 401, 429, 500, 503])
def test_a_status_is_answered_and_nothing_stored(segment_twin: Twin, status: int, retry_after: int | str | None) -> None:
    segment_twin.fault(status=status, retry_after=retry_after, count=1)
    answer = post(segment_twin.url, track())
    assert answer.status_code == status
    assert answer.json()["code"] == "fault"
    assert answer.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert segment_twin.messages() == []
    assert segment_twin.stats()["by_status"] == {str(status): 1}
    assert post(segment_twin.url, track()).json() == {"success": True}


def test_an_outage_comes_before_the_reading(segment_twin: Twin) -> None:
    segment_twin.fault(status=503)
    assert post_body(segment_twin.url, b"not json").status_code == 503


def test_a_fault_meets_one_key_only(segment_twin: Twin) -> None:
    segment_twin.fault(status=500, key="broken")
    assert post(segment_twin.url, track(), key="broken").status_code == 500
    assert post(segment_twin.url, track(), key=None, writeKey="broken").status_code == 500
    assert post(segment_twin.url, track(), key="sound").status_code == 200
    assert post(segment_twin.url, track(), key=None).status_code == 200


def test_a_black_hole_lets_go_when_healed(segment_twin: Twin) -> None:
    segment_twin.fault(black_hole=True)
    held = [in_background(lambda: post(segment_twin.url, track())) for _ in range(3)]
    segment_twin.wait(requests=3)
    assert not any(future.done() for future in held)
    segment_twin.heal()
    for future in held:
        with pytest.raises(requests.ConnectionError):
            future.result(timeout=30)
    assert segment_twin.stats()["by_status"] == {"none": 3}
    assert segment_twin.messages() == []
    assert post(segment_twin.url, track()).status_code == 200


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("POST", {}), ("POST", {"status": 500})])
def test_a_black_hole_with_a_count_still_lets_go(segment_twin: Twin, method: str, body: dict[str, int] | None) -> None:
    segment_twin.fault(black_hole=True, count=1)
    held = in_background(lambda: post(segment_twin.url, track()))
    segment_twin.wait(requests=1)
    assert post(segment_twin.url, track()).status_code == 200
    assert not held.done()
    requests.request(method, f"{segment_twin.url}/__twin/faults", json=body, timeout=30)
    with pytest.raises(requests.ConnectionError):
        held.result(timeout=30)


def test_a_black_hole_lets_go_when_the_twin_stops() -> None:
    twin = Twin().start()
    twin.fault(black_hole=True)
    held = in_background(lambda: post(twin.url, track()))
    twin.wait(requests=1)
    twin.stop()
    with pytest.raises(requests.ConnectionError):
        held.result(timeout=30)


def test_a_client_that_left_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        assert not is_gone(ours)
        theirs.send(b"x")
        assert not is_gone(ours)
        assert ours.recv(1) == b"x"
        theirs.close()
        assert is_gone(ours)
    assert is_gone(ours)


def test_a_reset_comes_after_the_events_are_stored(segment_twin: Twin) -> None:
    segment_twin.fault(reset_after_body=True, count=1)
    with pytest.raises(requests.ConnectionError):
        post(segment_twin.url, track(messageId="m1"), track(event=None))
    assert segment_twin.ids() == ["m1"]
    assert segment_twin.stats()["by_status"] == {"none": 1}
    assert post(segment_twin.url, track(messageId="m1")).status_code == 200
    assert segment_twin.stats()["duplicates"] == 1


def test_a_reset_is_a_reset_and_not_an_orderly_end(segment_twin: Twin) -> None:
    segment_twin.fault(reset_after_body=True)
    host, port = segment_twin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"POST /v1/track HTTP/1.1\r\nHost: twin\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_reset_of_a_bad_request_is_no_answer_either(segment_twin: Twin) -> None:
    segment_twin.fault(reset_after_body=True)
    with pytest.raises(requests.ConnectionError):
        post_body(segment_twin.url, b"not json")
    assert segment_twin.stats()["by_status"] == {"none": 1}


def test_latency_delays_the_answer_and_not_the_storing(segment_twin: Twin) -> None:
    segment_twin.fault(latency_ms=LONG)
    late = in_background(lambda: post(segment_twin.url, track()))
    segment_twin.wait(stored=1)
    assert not late.done()
    segment_twin.heal()
    assert late.result(timeout=30).json() == {"success": True}


def test_latency_goes_with_a_status(segment_twin: Twin) -> None:
    segment_twin.fault(latency_ms=LONG, status=503)
    late = in_background(lambda: post(segment_twin.url, track()))
    segment_twin.wait(requests=1)
    assert not late.done()
    segment_twin.heal()
    assert late.result(timeout=30).status_code == 503


def test_a_little_latency_passes_by_itself(segment_twin: Twin) -> None:
    segment_twin.fault(latency_ms=1)
    assert post(segment_twin.url, track()).status_code == 200


@pytest.mark.parametrize(
    ("calls", "status"),
    [
        ([track(event="poison")], 400),
        ([track(), track(event="poison"), track()], 400),
        ([track(type="screen", event=None, name="poison")], 400),
        ([track(), track(properties={"event": "poison"})], 200),
    ],
)
def test_a_poisonous_event_spoils_its_request(segment_twin: Twin, calls: list[dict[str, object]], status: int) -> None:
    segment_twin.fault(refuse_event="poison")
    answer = post(segment_twin.url, *calls)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["code"] == "invalid"
        assert segment_twin.messages() == []
    else:
        assert segment_twin.stats()["stored"] == len(calls)


@pytest.mark.parametrize("fault", [{"stauts": 500}, {"status": 5}, {"count": 1}])
def test_a_wrong_fault_is_refused_by_name(segment_twin: Twin, fault: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(fault))):
        segment_twin.fault(**fault)


def test_a_fault_without_fields_heals(segment_twin: Twin) -> None:
    segment_twin.fault(status=500)
    segment_twin.fault()
    assert post(segment_twin.url, track(), key=KEY).status_code == 200
