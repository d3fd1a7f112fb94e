"""A connection's own limits: requests a minute, and events that may wait; and what doors say when it is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from candu_source.deliveries import Advance
from candu_source.model import Rules
from tests.acceptance.waiting import until
from tests.doors.items import VERSION, call, payload
from tests.doors.sender import ORIGIN, Sender, Web, assert_problem
from tests.store.shelf import admit, settlement

DOORS = ("webhook", "interactions", "browser", "rest", "amplitude")


def body(door: str, identifier: str) -> Any:
    """Make a well-formed item of a door."""
    properties = {"documentId": 7, "segmentId": "Everyone", "versionId": VERSION}
    detail = {"screenName": "candu.sdk.content", "properties": properties}
    heard = {"messageId": identifier, "timestamp": "2026-01-01T00:00:00Z", "type": "candu.sdk.screen", "detail": detail, "userId": "u1"}
    return {
        "webhook": payload(id=identifier),
        "interactions": call(messageId=identifier),
        "browser": heard,
        "rest": {"type": "track", "userId": "u1", "event": "e", "messageId": identifier},
        "amplitude": {"event_type": "e", "user_id": "u1", "uuid": identifier},
    }[door]


def send(sender: Sender, door: str, identifier: str = "m") -> TestResponse:
    """Post one item."""
    return sender.send(door, body(door, identifier))


def limited(web: Web, **limits: int) -> Sender:
    """Make a sender whose connection has limits of its own."""
    sender = web.sender(Rules(allowed_origins=(ORIGIN,)))
    return replace(sender, connection=web.store.connections.save(replace(sender.connection, **limits), by="test"))  # type: ignore[arg-type]


@pytest.mark.parametrize("door", DOORS)
def test_too_many_requests_to_a_connection_are_told_to_wait(web: Web, sender: Sender, door: str) -> None:
    busy = limited(web, requests_per_minute=2)
    assert [send(busy, door, str(number)).status_code // 100 for number in range(2)] == [2, 2]
    answer = send(busy, door, "third")
    assert "More than 2 requests a minute to this connection" in assert_problem(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 120
    assert len(busy.messages()) == 2
    assert busy.rejects() == []
    assert send(sender, door).status_code // 100 == 2


def test_all_doors_of_a_connection_share_its_requests(web: Web) -> None:
    busy = limited(web, requests_per_minute=len(DOORS))
    assert [send(busy, door, door).status_code // 100 for door in DOORS] == [2] * len(DOORS)
    assert send(busy, "webhook", "more").status_code == 429


@pytest.mark.parametrize("door", DOORS)
def test_a_full_quota_is_said_and_nothing_is_dropped(web: Web, sender: Sender, door: str) -> None:
    full = limited(web, pending_most=2)
    web.store.log.append(admit(full.connection, 1, 2))
    answer = send(full, door)
    assert "2 events of this connection wait to be delivered, and 2 may" in assert_problem(answer, 503, "quota_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert (len(full.messages()), full.rejects()) == (2, [])
    assert send(sender, door).status_code // 100 == 2


def test_a_quota_has_room_again_once_events_are_delivered(web: Web) -> None:
    full = limited(web, pending_most=2)
    web.store.log.append(admit(full.connection, 1, 2))
    assert send(full, "webhook").status_code == 503
    delivery = next(each for each in web.store.lanes.claim("w", 1_000) if each.connection_id == full.connection.id)
    assert web.store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())]) == [True]
    until(lambda: send(full, "webhook").status_code == 202, "the doors to see that there is room again")


@pytest.mark.parametrize("door", DOORS)
def test_a_connection_that_is_deleted_while_it_sends_is_unknown(web: Web, door: str) -> None:
    leaving = limited(web)
    assert send(leaving, door, "1").status_code // 100 == 2
    web.store.connections.delete(leaving.connection, by="test")
    assert_problem(send(leaving, door, "2"), 401, "unauthorized")
