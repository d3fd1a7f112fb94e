"""What the doors answer, and what stays behind in the store."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from candu_source.settings import Settings
from tests.doors.items import DOORS, brief, encode, field, item, properties
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

LIMIT = 200_000  # of the application that the fixture builds
EMPTY = gzip.compress(b"{}", mtime=0)  # without the time of day, which would make every run another


@pytest.mark.parametrize("door", DOORS)
def test_a_receipt_counts_what_became_of_each_item(sender: Sender, door: str) -> None:
    answer = sender.send(door, [item(door, id="a"), item(door, id="a"), item(door, "properties"), item(door)])
    assert (answer.status_code, answer.content_type) == (202, "application/json")
    assert answer.json is not None
    assert {name: answer.json[name] for name in answer.json if name != "rejected"} == {"accepted": 2, "duplicates": 1, "filtered": 0}
    [refused] = answer.json["rejected"]
    assert (refused["index"], refused["code"]) == (2, "invalid")
    assert all(isinstance(message, str) for messages in refused["errors"].values() for message in messages)


@pytest.mark.parametrize("door", DOORS)
def test_nothing_accepted_is_a_problem_with_the_receipt_in_it(sender: Sender, door: str) -> None:
    answer = sender.send(door, [item(door, userId=5), item(door, userId=6)])
    detail = assert_problem(answer, 422, "invalid")
    assert field(door, "userId") in detail
    assert "2 items were refused" in detail
    assert counts(answer) == (0, 0, 0, 2)


def test_several_reasons_have_one_code_of_their_own(sender: Sender) -> None:
    answer = sender.send("webhook", [{"text": "slack"}, {"payload": None}])
    assert_problem(answer, 422, "nothing_accepted")
    assert answer.json is not None
    assert [each["code"] for each in answer.json["rejected"]] == ["slack_format", "invalid"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "line 1, column 1"),
        (b"   ", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "line 1, column 9"),
        (b'{"a": 1}\n{"b": 2}', "line 2, column 1"),
        (b'\n\n  {"a": tru}', "line 3, column 9"),
        (b'\r\n[{"a": 1},\r\n {"b" 2}]', "line 3, column 7"),
        (b'[{"a": 01}]', "line 1, column 9"),
        (b'{"\xc3\xa9\xc3\xa9": x}', "line 1, column 8"),
        (b'{"a": "tab\there"}', "line 1, column 11"),
        (b"{'a': 1}", "line 1, column 2"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
        (b'[{"a": NaN}, nan]', "line 1, column 14"),
        (b"{\xff}", "byte 1"),
        (b"[1] [2]", "line 1, column 5"),
        (b"userId=u1&type=tutorial.view", "line 1, column 1"),
    ],
)
def test_broken_json_is_refused_saying_where(sender: Sender, door: str, body: bytes, where: str) -> None:
    assert where in assert_problem(sender.send(door, body), 400, "broken_json")
    [reject] = sender.rejects()
    assert (reject.raw, reject.code, reject.door) == (body.rstrip(), "broken_json", door)


@pytest.mark.parametrize("door", DOORS)
def test_a_reject_keeps_the_very_bytes_and_counts_them(sender: Sender, door: str) -> None:
    bad = b'{ "text\\u0041":1.50,\t"x" : [ ] }'
    good = encode(item(door))
    for body in (bad, b"[" + bad + b", " + good + b" ,\n" + bad + b"\n]", b"[%b,%b,%b]" % (good, bad, b'{"z": NaN}')):
        sender.send(door, body)
    [first, other] = sender.rejects()
    assert (first.raw, first.times, first.code) == (bad, 4, "invalid")
    assert (other.raw, other.times) == (b'{"z": NaN}', 1)
    assert "z" in json.loads(other.errors)


def test_rejects_are_kept_apart_by_door_and_by_sender(web: Web, sender: Sender) -> None:
    for each in (sender, sender, web.sender()):
        for door in DOORS:
            each.send(door, b"[]x")
    assert [(reject.door, reject.times) for reject in sender.rejects()] == [("webhook", 2), ("interactions", 2)]


@pytest.mark.parametrize("door", DOORS)
def test_a_body_within_the_limit_is_read_and_one_over_it_is_not(web: Web, sender: Sender, door: str) -> None:
    good = encode(item(door))
    for body in (good.ljust(LIMIT), gzip.compress(good.ljust(LIMIT))):
        encoding = "identity" if len(body) == LIMIT else "gzip"
        assert counts(sender.send(door, body, Content_Encoding=encoding)) == (1, 0, 0, 0)
    before = web.table_sizes()
    bomb = gzip.compress(b"[" * 200_000_000, compresslevel=1)
    for body in (good.ljust(LIMIT + 1), gzip.compress(good.ljust(LIMIT + 1)), bomb[:LIMIT], bomb):
        encoding = "gzip" if body[:2] == b"\x1f\x8b" else "identity"
        detail = assert_problem(sender.send(door, body, Content_Encoding=encoding), 413, "body_too_large")
        assert str(LIMIT) in detail
        assert "CANDU_SOURCE_MAX_BODY_KB" in detail
    assert web.table_sizes() == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not gzip",
        EMPTY[:-1],
        EMPTY + b"x",
        EMPTY * 2,
        b"\x1f\x8b\x08\x00" + b"\xff" * 30,
    ],
    ids=brief,
)
def test_gzip_that_does_not_unpack_is_refused_and_kept(sender: Sender, door: str, body: bytes) -> None:
    assert_problem(sender.send(door, body, Content_Encoding="gzip"), 400, "broken_encoding")
    [reject] = sender.rejects()
    assert (reject.code, reject.raw, reject.times) == ("broken_encoding", body, 1)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, 202),
        ({"Content-Type": "APPLICATION/JSON"}, 202),
        ({"Content-Type": "application/vnd.candu+json"}, 202),
        ({"Content-Encoding": "identity"}, 202),
        ({"Content-Encoding": ""}, 202),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "json"}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Encoding": "gzip, gzip"}, 415),
    ],
)
def test_media_types_and_encodings(web: Web, sender: Sender, door: str, headers: dict[str, str], status: int) -> None:
    before = web.table_sizes()
    answer = sender.send(door, item(door), **headers)
    assert answer.status_code == status
    if status == 415:
        assert_problem(answer, 415, "unsupported_media_type")
        assert web.table_sizes() == before


@pytest.mark.parametrize("door", DOORS)
def test_gzip_is_accepted(sender: Sender, door: str) -> None:
    body = gzip.compress(encode([item(door), item(door)]))
    assert counts(sender.send(door, body, Content_Encoding=" GZip ")) == (2, 0, 0, 0)


@pytest.mark.parametrize("door", DOORS)
def test_a_message_over_32_kb_is_refused_and_its_neighbours_are_not(sender: Sender, door: str) -> None:
    large = item(door, context={"page": {"title": "é" * 6_000}})  # 36 KB as the official library writes it
    answer = sender.send(door, [large, item(door)])
    assert (answer.status_code, counts(answer)) == (202, (1, 0, 0, 1))
    assert "32 KB" in rejected(answer)[0]["message"][0]
    [reject] = sender.rejects()
    assert (reject.code, reject.raw) == ("message_too_large", encode(large))


@pytest.mark.parametrize("door", DOORS)
def test_a_full_store_says_when_to_come_back(tmp_path: Path, door: str) -> None:
    full = Web(Settings(store_url=f"sqlite:///{tmp_path}/store.db", min_free_mb=10**9)).sender()
    answer = full.send(door, item(door))
    assert "send it again" in assert_problem(answer, 503, "store_full")
    assert int(answer.headers["Retry-After"]) > 1
    assert full.messages() == []


@pytest.mark.parametrize("door", DOORS)
def test_a_store_that_does_not_commit_in_time_says_when_to_come_back(tmp_path: Path, door: str) -> None:
    slow = Web(Settings(store_url=f"sqlite:///{tmp_path}/store.db", commit_deadline_ms=20)).sender()
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = slow.send(door, item(door, id="m1", properties=properties(door)))
    assert_problem(answer, 503, "store_busy")
    assert int(answer.headers["Retry-After"]) >= 1
    other.execute("ROLLBACK")
    other.close()
