"""The readback address: whose events it confirms, what it takes, what it refuses, and that nothing of it is told."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from candu_source.model import TokenUse
from tests.readback.stage import Stage


def counts(body: dict[str, Any]) -> tuple[int, int, int]:
    """Return (confirmed, known, unmatched) of an answer."""
    return body["confirmed"], body["known"], body["unmatched"]


def test_each_event_is_confirmed_once(river: Stage) -> None:
    connection = river.connect("key-none", posting=river.eu)
    address = river.address(connection)
    ids = river.send(connection, 5)
    assert counts(river.post(address, {"messageId": ids[0], "type": "track", "unknown": [1]}).json()) == (1, 0, 0)
    assert counts(river.post(address, {"messageId": ids[0]}).json()) == (0, 1, 0)
    assert counts(river.post(address, [{"messageId": each} for each in [*ids[:3], ids[2], "other"]]).json()) == (2, 1, 1)
    assert river.confirmed(connection) == 3
    with river.store.database.read() as db:
        lane = db.execute("SELECT confirmed, first_confirmed_at FROM lanes WHERE connection = ?", (connection.id,)).fetchone()
        hours = "SELECT name, amount FROM counts WHERE connection = ? AND step = 3600 AND topic = 'readback'"
        counted = dict(db.execute(hours, (connection.id,)))
    assert lane[0] == 3
    assert lane[1] <= time.time()
    assert counted == {"confirmed": 3, "unmatched": 1}
    life = river.store.trace.life(connection.id, ids[1])
    assert list(life.confirmed) == ["segment"]


def test_no_address_confirms_another_connections_events(river: Stage) -> None:
    mine, other = river.connect("key-a", posting=river.eu), river.connect("key-b", posting=river.eu)
    foreign = river.send(other, 20)
    own = river.send(mine, 1)
    body = [{"messageId": each} for each in foreign]
    assert counts(river.post(river.address(mine), body).json()) == (0, 0, 20)
    assert (river.confirmed(mine), river.confirmed(other)) == (0, 0)
    # Nor does the same id, said in the words of the other connection.
    renamed = [{"messageId": each.replace(mine.id, other.id)} for each in own]
    assert counts(river.post(river.address(other), renamed).json()) == (0, 0, 1)
    assert counts(river.post(river.address(other), body).json()) == (20, 0, 0)
    assert (river.confirmed(mine), river.confirmed(other)) == (0, 20)


@pytest.mark.parametrize("use", [TokenUse.SERVER, TokenUse.BROWSER])
def test_tokens_of_other_doors_are_strangers_here(river: Stage, use: TokenUse) -> None:
    connection = river.connect("key-x", posting=river.eu)
    token = river.store.tokens.add(connection, use, by="test").reveal()
    address = f"{river.base}/v1/readback/{token}"
    for answer in (river.post(address, {}), river.post(address + "x", {})):
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b" {  ", 400),
        (b'{"messageId": "\xff"', 400),
        (b"[" * 100_000, 400),
        (b"null", 200),
        (b"5", 200),
        (b"[]", 200),
        (b"[[], 1, null, {}, {}]", 200),
        (b'{"messageId": 5}', 200),
        (b'{"messageId": ""}', 200),
        (b'{"messageId": "\\u0000"}', 200),
        (b'{"messageId": "\\ud800"}', 400),
        (b'[{"messageId": "\\ud800"}]', 200),
        (b'{"messageId": "' + b"x" * 100_000 + b'"}', 200),
        (b'{"messageId": "a", "properties": ' + b"[" * 500 + b"]" * 500 + b"}", 200),
        (b'{"messageId": "a", "n": ' + b"9" * 5_000 + b"}", 200),
        (b"[" + b"{}," * 10_000 + b"{}]", 413),
        (b" " * 5_000_001, 413),
    ],
    ids=lambda each: repr(each[:30]) if isinstance(each, bytes) else str(each),
)
def test_hostile_bodies_confirm_nothing_and_break_nothing(river: Stage, body: bytes, status: int) -> None:
    connection = river.connect("key-h", posting=river.eu)
    answer = river.post(river.address(connection), body)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    assert river.confirmed(connection) == 0
    assert not river.store.shelves.rejects(connection.id, 10), "nothing of it is kept"


def test_gzip_and_other_content(river: Stage) -> None:
    connection = river.connect("key-g", posting=river.eu)
    address = river.address(connection)
    (sent,) = river.send(connection, 1)
    body = json.dumps({"messageId": sent}).encode()
    assert river.post(address, body, **{"Content-Type": "text/plain"}).status_code == 415
    assert river.post(address, b"no gzip", **{"Content-Encoding": "gzip"}).status_code == 400
    assert counts(river.post(address, gzip.compress(body), **{"Content-Encoding": "gzip"}).json()) == (1, 0, 0)


def test_a_person_who_looks_sees_a_page(river: Stage) -> None:
    connection = river.connect("key-p", posting=river.eu)
    page = requests.get(river.address(connection), timeout=30)
    assert (page.status_code, connection.name in page.text) == (200, False)
    assert requests.get(f"{river.base}/v1/readback/rb_nobody", timeout=30).status_code == 401


def test_the_token_is_told_nowhere(river: Stage) -> None:
    connection = river.connect("key-t", posting=river.eu)
    address = river.address(connection)
    token = address.rpartition("/")[2]
    for body in ({"messageId": "x"}, b"{", b"5"):
        assert token not in river.post(address, body).text
    assert token not in river.log.getvalue()
    assert token.encode() not in b"".join(file.read_bytes() for file in river.settings.store_path().parent.iterdir() if file.is_file())


def test_many_at_once_are_committed_together(river: Stage) -> None:
    connection = river.connect("key-m", posting=river.eu)
    address = river.address(connection)
    ids = river.send(connection, 200)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda each: counts(river.post(address, {"messageId": each}).json()), [*ids, *ids]))
    assert sum(confirmed for confirmed, _, _ in answers) == 200
    assert sum(known for _, known, _ in answers) == 200
    assert river.confirmed(connection) == 200


def test_what_comes_back_before_it_is_settled_counts(river: Stage) -> None:
    """Segment may be quicker than our own commit: an event that no try has ended yet is confirmed all the same."""
    connection = river.connect("key-q", posting=river.eu)
    river.store.connections.set_lane(connection, "segment", False, by="test")
    answer = river.post(river.address(connection), {"messageId": river.accept(connection, 1)[0]})
    assert counts(answer.json()) == (1, 0, 0)
    assert river.evidence(connection).first_confirmed_at is not None


def test_a_deleted_connection_is_a_stranger(river: Stage) -> None:
    connection = river.connect("key-d", posting=river.eu)
    ids = river.send(connection, 3)
    river.store.connections.delete(connection, by="test")
    confirmed = river.store.confirmations.confirm(connection.id, ids, time.time())
    assert (confirmed.new, confirmed.unmatched) == (0, 3)
    assert river.confirmed(connection) == 0
