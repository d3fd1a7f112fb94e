"""Syncs of the real service: from Amplitude to Candu to Segment through kills, nothing round and round, and nobody waits for another."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from tests.acceptance.hands import connect, stream
from tests.acceptance.load import interaction
from tests.acceptance.proof import rows, stored_ids
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import SOAK, until
from tests.destinations.listening import Listener, always, dripping

# Which process is killed in which round, while events are on their way.
_VICTIMS = ("worker", "web", "worker") * (10 if SOAK else 1)
_EACH = 60
_AGENT = {"User-Agent": "Amplitude/Webhook/1.0"}

River = tuple[Service, Twin]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin for the whole file; each test has its own connections, whose names are their keys."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("streams"), send_timeout_seconds=2) as service:
        yield service.serve(), twin


def _event(number: int, name: str = "Upgraded plan") -> dict[str, Any]:
    properties = {"plan": "team", "number": number, "list": [1, 2]}
    return {"event_type": f"{name} {number}", "user_id": f"u-{number}", "uuid": f"{name}-{number}", "event_properties": properties}


def _user(number: int) -> dict[str, Any]:
    return {"user_id": f"u-{number}", "uuid": f"user-{number}", "user_properties": {"plan": "team"}}


def _accept(address: str, items: list[dict[str, Any]], **headers: str) -> None:
    """Post until somebody takes it, as Amplitude does."""

    def taken() -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.post(address, json=items, headers={**_AGENT, **headers}, timeout=30).ok
        return False

    until(taken, "the door to accept")


def _hurry(service: Service) -> None:
    """Let what is parked be due, its attempts not counted: the far end was away for a moment, and 28 s are long."""
    with contextlib.closing(sqlite3.connect(service.store, timeout=30)) as db, db:
        db.execute("UPDATE dead_letters SET due_at = 1, tries = 1 WHERE replay_at IS NOT NULL")
        db.execute("UPDATE lanes SET due_at = 0")


def _waiting(service: Service, door: Door) -> int:
    """Count what waits in all lanes of a connection, and what is parked."""
    lanes = "SELECT coalesce(sum(h.head - l.cursor), 0) FROM lanes l JOIN heads h ON h.connection = l.connection WHERE l.connection = ?"
    parked = "SELECT count(*) FROM dead_letters WHERE connection = ? AND replay_at IS NOT NULL"
    return sum(int(row[0]) for query in (lanes, parked) for row in rows(service, query, door.id))


def _drained(service: Service, *doors: Door) -> bool:
    _hurry(service)
    return not any(_waiting(service, door) for door in doors)


def _arrived(twin: Twin, door: Door) -> list[str]:
    return [str(kept["message"].get("event") or kept["message"]["userId"]) for kept in twin.messages(key=door.name, status="stored")]


def _arrives(river: River, door: Door, name: str) -> bool:
    service, twin = river
    _hurry(service)
    return name in _arrived(twin, door)


def test_from_amplitude_to_candu_to_segment_through_kills(river: River) -> None:
    service, twin = river
    source, by_template, natively = connect(service, dict.fromkeys(("Source", "By_Template", "Natively"), twin.url))
    stream(service, source, "templates", "candu", endpoint=service.url, apiKey=by_template.token)
    stream(service, source, "native", "candu-api", endpoint=service.url, apiKey=natively.token)
    for number, victim in enumerate(_VICTIMS):
        first = number * _EACH
        _accept(source.amplitude_url, [*map(_event, range(first, first + _EACH)), _user(first)])
        until(lambda first=first: _arrives(river, natively, f"Upgraded plan {first}"), "events to flow")  # type: ignore[misc]
        service.kill_child(victim)
    until(lambda: service.answers() and service.child("worker"), "everything to run again")
    until(lambda: _drained(service, source, by_template, natively), "everything to arrive")
    count = len(_VICTIMS) * _EACH
    sent = sorted([*(f"Upgraded plan {number}" for number in range(count)), *(f"u-{number}" for number in range(0, count, _EACH))])
    assert [sorted(_arrived(twin, door)) for door in (source, by_template, natively)] == [sent] * 3
    assert stored_ids(service, natively) == {f"candu:{natively.id}:{each}" for each in stored_ids(service, source)}
    _insist_exact(service, (source, len(sent), 0), (by_template, len(sent), 0), (natively, len(sent), 0))


def test_what_came_from_candu_reaches_segment_and_is_not_sent_back(river: River) -> None:
    service, twin = river
    source, candu = connect(service, dict.fromkeys(("From_Candu", "Back_At_Candu"), twin.url))
    stream(service, source, "templates", "candu", endpoint=service.url, apiKey=candu.token)
    stream(service, source, "native", "candu-api", endpoint=service.url, apiKey=candu.token)
    assert source.post(interaction("one"), interaction("two")).status_code == 202
    assert source.post(interaction("two")).status_code == 202
    until(lambda: len(_arrived(twin, source)) == 2 and _drained(service, source), "the events to arrive")
    assert stored_ids(service, candu) == set()
    _insist_exact(service, (source, 2, 2))


def test_a_sync_to_its_own_door_comes_to_rest(river: River) -> None:
    service, twin = river
    (source,) = connect(service, {"Itself": twin.url})
    stream(service, source, "templates", "candu", endpoint=service.url, apiKey=source.token)
    stream(service, source, "native", "candu-api", endpoint=service.url, apiKey=source.token)
    _accept(source.amplitude_url, [_event(1), _user(1)])
    _accept(
        f"{service.url}/api/eventWebhook", [{"type": "track", "userId": "u", "event": "Called"}], Authorization=f"Bearer {source.token}"
    )
    until(lambda: _drained(service, source), "everything to come to rest")
    assert sorted(_arrived(twin, source)) == ["Called", "Upgraded plan 1", "u-1"]
    _insist_exact(service, (source, 3, 0))


def test_a_dead_far_end_keeps_nobody_waiting(river: River) -> None:
    """One that accepts and never answers, one that always fails, and syncs beside them on the same connection and on another."""
    service, twin = river
    sick, well = connect(service, dict.fromkeys(("Sick", "Well"), twin.url))
    with Listener(dripping(b"", b"", b"")) as silent, Listener(always("500 Odd")) as failing, Listener(always("200 OK")) as listener:
        for door, name, far_end in (
            (sick, "silent", silent),
            (sick, "failing", failing),
            (sick, "beside", listener),
            (well, "other", listener),
        ):
            stream(service, door, name, "candu", endpoint=f"http://127.0.0.1:{far_end.port}/{name}", apiKey="key")
        for door in (sick, well):
            _accept(door.amplitude_url, [_event(number) for number in range(_EACH)])
        until(lambda: silent.heard and failing.heard, "the dead far ends to be tried")
        until(lambda: len(listener.heard) == 2 * _EACH, "the others to drain")
        assert len(silent.heard) + len(failing.heard) < 2 * _EACH
    (waiting,) = (line for line in service.read("ledger", "--check") if line["connection"] == sick.name and line["destination"] == "silent")
    assert (waiting["pending"], waiting["holds"]) == (_EACH, True)


def _insist_exact(service: Service, *expected: tuple[Door, int, int]) -> None:
    """Assert that every lane of a connection has accepted so many events, its syncs passed over so many, and nothing waits or is dead."""
    lines = service.read("ledger", "--check")
    for door, accepted, passed_over in expected:
        for line in (line for line in lines if line["connection"] == door.name):
            filtered = 0 if line["destination"] == "segment" else passed_over
            counts = {"delivered": accepted - filtered, "dead": 0, "pending": 0, "holds": True}
            assert {name: line[name] for name in counts} == counts, line
