"""What counts as an integer: one table, held on both doors and by field."""

from __future__ import annotations

import json

import pytest

from candu_source.model import PortalRule, Rules
from tests.doors.items import encode, field, item, properties
from tests.doors.sender import Web, assert_problem, counts, rejected

FIELDS = [
    ("webhook", "documentId", "tutorialId"),
    ("webhook", "tutorialId", "tutorialId"),
    ("webhook", "portalId", "portalId"),
    ("interactions", "tutorialId", "tutorialId"),
    ("interactions", "portalId", "portalId"),
]
# JSON as it is written -> the integer it becomes.
TAKEN = {
    "0": 0,
    "-0": 0,
    "12": 12,
    "-12": -12,
    "12.0": 12,
    "-12.0": -12,
    "1.2e1": 12,
    "0.0": 0,
    "-0.0": 0,
    '"12"': 12,
    '"0"': 0,
    r'"\u0031\u0032"': 12,
    "9007199254740992": 2**53,
    "-9007199254740992": -(2**53),
    "9007199254740992.0": 2**53,
    "-9007199254740992.0": -(2**53),
    '"9007199254740992"': 2**53,
    '"9007199254740991"': 2**53 - 1,
}
REFUSED = [
    *("true", "false", "null", "12.5", "-0.5", "1e-3", "[]", "[12]", "{}", '{"id":12}'),
    *('""', '" 12"', '"12 "', '"12\\n"', '"012"', '"00"', '"+12"', '"-3"', '"-0"', '"1e3"', '"12.0"', '"1_000"', '"0x1f"', '"twelve"'),
    *('"１２"', '"١٢"', '"²"', '"12\\u200b"', '"true"', '"NaN"'),
    *("9007199254740993", "-9007199254740993", "9007199254740994.0", "-9007199254740994.0", "1e17", "1e300"),
    *('"9007199254740993"', '"90071992547409920"', "9" * 30, "-" + "9" * 30, "9" * 5000, "-" + "9" * 5000, f'"{"9" * 5000}"'),
]


def body(door: str, name: str, written: str) -> bytes:
    """Make an item with a field exactly as written."""
    drop = ("documentId",) if name == "tutorialId" and door == "webhook" else ()
    made = encode(item(door, properties=properties(door, *drop, **{name: "WRITTEN"})))
    return made.replace(b'"WRITTEN"', written.encode())


@pytest.mark.parametrize(("door", "name", "becomes"), FIELDS)
def test_what_is_an_integer(web: Web, door: str, name: str, becomes: str) -> None:
    sender = web.sender()
    for written in TAKEN:
        assert counts(sender.send(door, body(door, name, written))) == (1, 0, 0, 0), written
    numbers = [message["properties"][becomes] for message in sender.messages()]
    assert numbers == list(TAKEN.values())
    assert {type(number) for number in numbers} == {int}


@pytest.mark.parametrize(("door", "name", "_"), FIELDS)
def test_what_is_none(web: Web, door: str, name: str, _: str) -> None:
    sender = web.sender()
    for written in REFUSED:
        answer = sender.send(door, body(door, name, written))
        assert_problem(answer, 422, "invalid")
        [errors] = rejected(answer).values()
        assert errors.keys() == {field(door, f"properties.{name}")}, written
    assert sender.messages() == []


@pytest.mark.parametrize("door", ["webhook", "interactions"])
def test_one_that_is_none_costs_its_neighbours_nothing(web: Web, door: str) -> None:
    sender = web.sender()
    name = "documentId" if door == "webhook" else "tutorialId"
    written = [pair for refused in REFUSED for pair in (refused, "7")]
    answer = sender.send(door, b"[%b]" % b",".join(body(door, name, each) for each in written))
    assert counts(answer) == (len(REFUSED), 0, 0, len(REFUSED))
    assert list(rejected(answer)) == list(range(0, len(written), 2))


def test_an_integer_elsewhere_stays_what_it_is(web: Web) -> None:
    sender = web.sender(Rules(custom_events="send"))
    given = '{"a": "012", "b": 12.0, "c": 9007199254740992, "d": true, "e": 1e20, "f": null}'
    sent = b'{"payload": {"userId": "u", "eventName": "Custom", "properties": %b}}' % given.encode()
    assert counts(sender.send("webhook", sent)) == (1, 0, 0, 0)
    assert repr(sender.messages()[0]["properties"]) == repr(json.loads(given))


@pytest.mark.parametrize(
    ("rule", "content", "portal"),
    [
        (PortalRule(), "c-1", None),
        (PortalRule("constant", constant=0), "c-1", 0),
        (PortalRule("constant", constant=5), None, 5),
        (PortalRule("lookup", table={"c-1": 9}), "c-1", 9),
        (PortalRule("lookup", table={"c-1": 9}), "c-2", None),
        (PortalRule("lookup", table={"12": 9}), 12, None),
        (PortalRule("lookup", table={"c-1": 9}), ["c-1"], None),
    ],
)
def test_a_portal_comes_from_the_rule(web: Web, rule: PortalRule, content: object, portal: int | None) -> None:
    sender = web.sender(Rules(portal=rule))
    assert counts(sender.send("webhook", item("webhook", properties=properties("webhook", contentId=content)))) == (1, 0, 0, 0)
    assert sender.messages()[0]["properties"].get("portalId") == portal
