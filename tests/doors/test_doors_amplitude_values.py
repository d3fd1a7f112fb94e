"""All of an item is held to the rules, also what the door does not read: templates read its bytes again."""

from __future__ import annotations

import json

import pytest

from candu_source.doors.items import DEPTH
from tests.doors.amplitude_items import event
from tests.doors.items import encode
from tests.doors.sender import Sender, counts, rejected

HOSTILE = {
    "NaN": "NaN",
    "1e400": "infinite",
    r'"\u0000"': "NUL",
    r'"\ud800"': "surrogate",
    "1" + "0" * 400: "2^53",
    "-" + "9" * 10_000: "2^53",
    "[" * DEPTH + "]" * DEPTH: "deeper",
}
PLACES = {
    "event_properties": '"event_properties": %s',
    "event_properties.a.0": '"event_properties": {"a": [%s]}',
    "user_properties.a": '"user_properties": {"a": %s}',
    "location_lat": '"location_lat": %s',
    "not.known": '"not": {"known": %s}',
    "amplitude_id": '"amplitude_id": %s',
    "user_id": '"user_id": %s',
}
LONGS = [0, 918273645546, -5, 2**53 + 1, 2**63 - 1, -(2**63)]


def with_field(written: str) -> bytes:
    """Make an event with one more field, as written; it takes the place of one of the same name."""
    name = written.partition(":")[0].strip('"')
    return encode(event(name, HOLE=None)).replace(b'"HOLE": null', written.encode())


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_value_is_refused_by_its_name_and_costs_its_neighbours_nothing(sender: Sender, place: str) -> None:
    for value, word in HOSTILE.items():
        answer = sender.send("amplitude", b"[%b,%b]" % (with_field(PLACES[place] % value), encode(event())))
        assert counts(answer) == (1, 0, 0, 1), value[:20]
        [(path, [said])] = rejected(answer)[0].items()
        assert path.startswith(place)
        assert word in said


@pytest.mark.parametrize("name", ["app", "event_id", "amplitude_id", "session_id"])
def test_long_integers_stay_in_the_bytes_and_are_not_sent_on(sender: Sender, name: str) -> None:
    for number in LONGS:
        assert counts(sender.send("amplitude", event(**{name: number}))) == (1, 0, 0, 0), number
    assert [json.loads(raw)[name] for raw in sender.raws()] == LONGS
    assert all(name not in json.dumps(message) for message in sender.messages())


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**20, -(10**20)])
def test_longer_integers_are_refused(sender: Sender, number: int) -> None:
    assert rejected(sender.send("amplitude", event(amplitude_id=number)))[0].keys() == {"amplitude_id"}


@pytest.mark.parametrize("fields", [{"amplitude_id": {"deep": 2**60}}, {"other_id": 2**60}, {"event_properties": {"app": 2**60}}])
def test_long_integers_elsewhere_are_refused(sender: Sender, fields: dict[str, object]) -> None:
    assert "2^53" in next(iter(rejected(sender.send("amplitude", event(**fields)))[0].values()))[0]


def test_what_is_not_read_may_be_anything_else(sender: Sender) -> None:
    odd = event(app="a", paying="true", groups=None, data=[1], city={"x": 1}, insert_id=5, location_lat="52.5", added={"by": "Amplitude"})
    assert counts(sender.send("amplitude", odd)) == (1, 0, 0, 0)
    assert json.loads(sender.raws()[0]) == odd
