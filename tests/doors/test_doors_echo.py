"""An event that one of our destinations sent out and that comes back in by a door is an echo, however far round it went."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from candu_source.mapping import EVENT_ID_CHARACTERS, bounded_id
from tests.doors.amplitude_items import event
from tests.doors.rest_calls import call
from tests.doors.sender import Sender, Web

DOORS = ("rest", "amplitude")
OWN = ["e4b1a2f0-98b1-11ef-9b1e-0242ac120002", "x" * EVENT_ID_CHARACTERS]


def send(sender: Sender, door: str, identifier: str) -> str | None:
    """Send an event under an id, as a destination does with a message's own; return the id that it has now, or None for an echo."""
    item = call("track", messageId=identifier) if door == "rest" else event(uuid=identifier)
    before = len(sender.messages())
    assert sender.send(door, item).status_code in (200, 202)
    messages = sender.messages()
    if len(messages) == before:
        assert {reason for _, reason in sender.filtered()} == {"echo"}
        return None
    made: str = messages[-1]["messageId"]
    assert len(made) < 100
    return made


def stations(door: str, identifier: str, senders: Sequence[Sender]) -> int:
    """Send an event from one connection to the next, and count those that take it before it is an echo."""
    for passed, sender in enumerate(senders):
        made = send(sender, door, identifier)
        if made is None:
            return passed
        identifier = made
    return len(senders)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("around", [1, 2, 3])
def test_a_round_of_connections_ends_where_it_began(web: Web, door: str, own: str, around: int) -> None:
    senders = [web.sender() for _ in range(around)]
    assert stations(door, own, senders * 2) == around


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("own", OWN)
def test_a_round_that_ids_are_too_short_for_ends_too(web: Web, door: str, own: str) -> None:
    way_in, senders = [web.sender(), web.sender()], [web.sender() for _ in range(2)]
    assert stations(door, own, way_in + senders * 3) == 3


@pytest.mark.parametrize("identifier", ["candu:other:x", "candu:", "candu:0123456789:x", "candu:0123456789:candu:9876543210:x"])
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_echo(sender: Sender, door: str, identifier: str) -> None:
    assert send(sender, door, identifier) == f"candu:{sender.connection.id}:{identifier}"


@pytest.mark.parametrize("passed", range(9))
def test_an_id_is_bounded_however_many_connections_it_names(passed: int) -> None:
    identifier = "candu:0123456789:" * passed + "é" * 900
    assert len(bounded_id(identifier)) <= EVENT_ID_CHARACTERS
    assert bounded_id(identifier) != bounded_id(identifier + "é")
