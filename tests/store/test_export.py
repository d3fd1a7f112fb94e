"""Everything that a connection has is written out, secrets aside, however much it is."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

from candu_source.deliveries import Advance, Bury
from candu_source.draft import SETTINGS
from candu_source.errors import Reason
from candu_source.model import Admission, Connection, Content, Event, Secret
from candu_source.store import Store
from tests.store.shelf import add_connection, admit, aside, claim, settlement


def lines(store: Store, connection: Connection) -> list[dict[str, Any]]:
    """Return the export, read."""
    return [json.loads(line) for line in store.export.lines(connection)]


def test_everything_is_in_it_and_nothing_of_another(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    for each in (connection, other):
        store.log.append(
            Admission(each.id, "webhook", (Event(f"m-{each.name}", b'{"messageId":"m1","of":"%s"}' % each.name.encode(), b"{ }"),))
        )
        store.log.append(admit(each, 2, 3))
        store.log.append(aside(each, filtered=(f"f-{each.name}",), rejects=(b"\xff\x00", b"text")))
    store.contents.tell(connection, [Content("c-1", portal_id=7)], by="anna")
    delivery = next(each for each in store.lanes.claim("w", 10) if each.connection_id == connection.id)
    first, rest = delivery.batches[0].halves()
    store.lanes.settle([settlement(delivery, first, Bury(Reason.CONTENT_REFUSED)), settlement(delivery, rest, Advance())])
    found = lines(store, connection)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in found:
        by_kind.setdefault(line.pop("kind"), []).append(line)
    assert {kind: len(rows) for kind, rows in by_kind.items()} == {
        "connection": 1,
        "token": 2,
        "content": 1,
        "event": 3,
        "filtered": 1,
        "reject": 2,
        "attempt": 2,
        "dead_letter": 1,
        "audit": 2,
    }
    assert set(SETTINGS) < set(by_kind["connection"][0])
    event = by_kind["event"][0]
    assert (event["seq"], event["message"], event["raw"]) == (1, {"messageId": "m1", "of": connection.name}, "{ }")
    assert [reject.get("raw") or reject["raw_base64"] for reject in by_kind["reject"]] == ["/wA=", "text"]
    assert by_kind["reject"][0]["errors"] == {"field": ["is off"]}
    assert by_kind["dead_letter"][0]["reason"] == "content_refused"
    assert {row["outcome"] for row in by_kind["attempt"]} == {"accepted"}
    assert "Other" not in json.dumps(found)


def test_no_secret_is_in_it(store: Store) -> None:
    connection, token = store.connections.add(Connection("", "Prod"), Secret("CANARY-KEY"), by="test")
    store.connections.set_identity_secret(connection, Secret("CANARY-PROOF"), by="test")
    text = b"".join(store.export.lines(store.connections.named("Prod")))
    assert b"CANARY" not in text
    assert token.reveal().encode() not in text


def test_it_needs_no_more_memory_for_more_events(store: Store, connection: Connection) -> None:
    def peak(events: range) -> int:
        for number in events:
            store.log.append(admit(connection, number, size=400_000))
        tracemalloc.start()
        for _ in store.export.lines(connection):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(range(20)) * 1.5 > peak(range(20, 80))


def test_what_comes_meanwhile_may_be_in_it(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    walk = store.export.lines(connection)
    assert json.loads(next(walk))["kind"] == "connection"
    store.log.append(admit(connection, 2))
    assert [line["message_id"] for line in map(json.loads, walk) if line["kind"] == "event"] == ["m1", "m2"]
    assert claim(store)
