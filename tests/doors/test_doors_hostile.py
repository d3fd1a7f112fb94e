"""What Segment, a warehouse or a browser would choke on is refused by its name, and costs its neighbours nothing."""

from __future__ import annotations

import asyncio

import pytest

from candu_source.doors import interactions, items
from candu_source.errors import Refused
from candu_source.model import Connection
from candu_source.waiting import Calls
from tests.doors.items import DOORS, brief, encode, field, item, properties
from tests.doors.sender import Sender, assert_problem, counts, rejected
from tests.looping import looped

# A value as it is written -> a word of the message that refuses it.
HOSTILE = {
    "NaN": "NaN",
    "Infinity": "infinite",
    "-Infinity": "infinite",
    "1e400": "infinite",
    "-1E+999": "infinite",
    "1.5e309": "infinite",
    r'"\u0000"': "NUL",
    r'"a\u0000b"': "NUL",
    r'"\ud800"': "surrogate",
    r'"\uDFFF"': "surrogate",
    r'"a\ud83d b"': "surrogate",
    r'"\ude00\ud83d"': "surrogate",
    "9007199254740993": "2^53",
    "-9007199254740993": "2^53",
    "1" + "0" * 400: "2^53",
    "9" * 10_000: "2^53",
}
NAMES = {r'"\u0000"': "NUL", r'"a\ud800"': "surrogate", r'"\udc00"': "surrogate"}
# Where it stands, by its dotted name; (place, JSON with a hole).
PLACES = [
    ("context.x", '"context": {"x": %s}'),
    ("context.page.deep.1", '"context": {"page": {"deep": [0, %s]}}'),
    ("userId", '"userId": %s'),
    ("other", '"other": %s'),
]
HARMLESS = [r'"\\u0000"', r'"\ud83d\ude00"', '"NaN"', "1e308", "-1e-400", "9007199254740992", '"9007199254740993"', '"\\u007f\\ufffe"']


def with_field(door: str, written: str) -> bytes:
    """Make an item with one more field, as written; it takes the place of one of the same name."""
    name = written.partition(":")[0].strip('"')
    made = item(door, name, HOLE=None)
    return encode(made).replace(b'"HOLE": null', written.encode())


def shapes(door: str, bad: bytes) -> list[tuple[bytes, int]]:
    """Put a bad item between good neighbours, in every shape the door takes; each with the bad one's index."""
    good = encode(item(door))
    lists = [(b"[%b,%b,%b]" % (good, bad, good), 1), (b" [ %b , %b , %b ] \n" % (bad, good, good), 0)]
    return lists if door == "webhook" else [*lists, (b'{"batch": [%b, %b, %b], "more": {}}' % (good, good, bad), 2)]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("place", "written"), PLACES)
def test_a_hostile_value_is_refused_by_its_name(sender: Sender, door: str, place: str, written: str) -> None:
    for value, word in HOSTILE.items():
        if (door, place) == ("webhook", "other") and word == "infinite" and "f" not in value and value != "NaN":
            continue  # nobody reads this field: see the test of what is never read
        answer = sender.send(door, with_field(door, written % value))
        assert_problem(answer, 422, "invalid")
        [message] = rejected(answer)[0][field(door, place)]
        assert word in message, value


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("name", "word"), NAMES.items())
def test_a_hostile_name_is_refused(sender: Sender, door: str, name: str, word: str) -> None:
    for written in ('"context": {%s: 1}', '"context": {"page": {%s: {}}}'):
        answer = sender.send(door, with_field(door, written % name))
        assert_problem(answer, 422, "invalid")
        [[message]] = rejected(answer)[0].values()
        assert message.startswith("The name holds"), name
        assert word in message


@pytest.mark.parametrize("door", DOORS)
def test_a_hostile_item_costs_its_neighbours_nothing(sender: Sender, door: str) -> None:
    own_id, number = ("id", "documentId") if door == "webhook" else ("messageId", "tutorialId")
    written = [f'"context": {{"page": {value}}}' for value in HOSTILE]
    written += [f'"userId": "{"u" * 256}"', f'"{own_id}": "{"i" * 65}"', f'"properties": {{"{number}": true}}', '"context": 5']
    for bad in (with_field(door, each) for each in written):
        for body, place in shapes(door, bad):
            answer = sender.send(door, body)
            assert (answer.status_code, counts(answer)) == (202, (2, 0, 0, 1)), bad
            assert rejected(answer).keys() == {place}
        assert sender.rejects()[-1].raw == bad


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("value", HARMLESS)
def test_what_only_looks_hostile_is_accepted(sender: Sender, door: str, value: str) -> None:
    bare = with_field(door, f'"context": {{"page": {{"x": {value}}}}}')
    assert counts(sender.send(door, bare)) == (1, 0, 0, 0)
    for body, _ in shapes(door, bare):
        assert counts(sender.send(door, body)) == (3, 0, 0, 0)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("levels", [33, 34, 35, 36, 100, 900, 5_000, 25_000])
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_depth_is_refused_by_its_name(sender: Sender, door: str, levels: int, brackets: str) -> None:
    opening, closing = brackets[:-1], brackets[-1]
    inner = levels - (2 if door == "interactions" else 3)  # the item, its context, and the payload around both
    deep = with_field(door, f'"context": {{"x": {opening * inner}0{closing * inner}}}')
    path = ".".join(["context", "x", *(("0" if brackets == "[]" else "a") for _ in range(32 - levels + inner))])
    answer = sender.send(door, deep)
    assert_problem(answer, 422, "invalid")
    assert rejected(answer) == {0: {field(door, path): ["Nested deeper than 32 levels."]}}
    for body, place in shapes(door, deep):
        answer = sender.send(door, body)
        assert (answer.status_code, counts(answer)) == (202, (2, 0, 0, 1))
        assert rejected(answer).keys() == {place}


@pytest.mark.parametrize("door", DOORS)
def test_depth_32_is_accepted_wherever_the_item_stands(sender: Sender, door: str) -> None:
    inner = 30 if door == "interactions" else 29
    deep = with_field(door, f'"context": {{"page": {"[" * inner + "]" * inner}}}')
    brackets_in_text = with_field(door, f'"context": {{"page": "{"[" * 99}", "{"{" * 99}": 1}}')
    for bare in (deep, brackets_in_text):
        assert counts(sender.send(door, bare)) == (1, 0, 0, 0)
        for body, _ in shapes(door, bare):
            assert counts(sender.send(door, body)) == (3, 0, 0, 0)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("byte", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
@pytest.mark.parametrize("written", ['"userId": "%s"', '"other": "%s"', '"context": {"page": "%s"}'])
def test_bytes_that_are_not_utf8_break_the_item(sender: Sender, door: str, byte: bytes, written: str) -> None:
    bad = with_field(door, written % "BYTES").replace(b"BYTES", byte)
    assert "not UTF-8" in assert_problem(sender.send(door, bad), 400, "broken_json")
    for body, place in shapes(door, bad):
        answer = sender.send(door, body)
        assert (answer.status_code, counts(answer)) == (202, (2, 0, 0, 1))
        assert rejected(answer).keys() == {place}
    assert [reject.raw for reject in sender.rejects()] == [bad]


@pytest.mark.parametrize("number", ["1e400", "-1e999"])
def test_a_number_beyond_a_double_in_what_is_never_read_is_left_alone(sender: Sender, number: str) -> None:
    """Only the raw bytes keep it; no message can hold it."""
    assert counts(sender.send("webhook", with_field("webhook", f'"other": {number}'))) == (1, 0, 0, 0)
    assert number.encode() in sender.raws()[0]
    assert number not in str(sender.messages()[0])


@pytest.mark.parametrize("door", DOORS)
def test_a_hostile_item_gets_a_short_answer(sender: Sender, door: str) -> None:
    many = item(door, properties=properties(door, slug="x"), **{f"unknown{n}": None for n in range(2_000)})
    for body in (encode(many), encode(item(door, context={"x": ["HOLE"] * 20_000})).replace(b'"HOLE"', b"NaN")):
        assert len(sender.send(door, body).get_data()) < 10_000


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 90_000, b"[" * 190_000, b'{"a":' * 38_000, b"]" * 190_000, b'"' * 190_001, b"\\" * 190_000], ids=brief
)
def test_a_body_that_never_ends_is_read_once(sender: Sender, door: str, body: bytes) -> None:
    """Reading that starts anew at every quote would take hours here."""
    assert_problem(sender.send(door, body), 400, "broken_json")


@pytest.mark.parametrize("body", [b"[" + b",".join([b"{}"] * 10_001) + b"]", b'{"batch": [' + b",".join([b"1"] * 10_001) + b"]}"])
def test_too_many_items_are_refused_before_any_is_looked_at(body: bytes) -> None:
    with pytest.raises(Refused, match="10001 items are over the limit of 10000"):
        items.split(body, batch=True)


@pytest.mark.parametrize("body", [b"[{},{}]", b"[NaN]", b"[" * 30_000, b"{"])
def test_what_has_to_be_explained_is_explained_apart_from_the_loop(body: bytes) -> None:
    connection = Connection("0123456789", "Candu_Loop")

    async def beside() -> int:
        refused = asyncio.ensure_future(Calls().do(lambda: interactions.hear(body, connection)))
        turns = 0
        while not refused.done():
            turns += 1
            await asyncio.sleep(0)
        assert refused.result()
        return turns

    assert looped(beside()) > 1  # the first is taken before the work begins
