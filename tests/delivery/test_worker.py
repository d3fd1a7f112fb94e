"""The worker against the twin: delivered, bisected, held, waiting, each settled exactly."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from candu_source import intake
from candu_source.app import build_worker
from candu_source.model import Connection, Heard, Rules, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.twin import Twin

PATIENCE_SECONDS = 20.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings whose worker may reach loopback and is not paced."""
    return Settings(
        store_url=f"sqlite:///{tmp_path / 'store.db'}",
        min_free_mb=0,
        allow_private_addresses=True,
        requests_per_second=100_000,
        key_requests_per_second=100_000,
        send_timeout_seconds=5,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Open the store."""
    opened = open_store(settings)
    yield opened
    opened.close()


def connect(store: Store, twin: Twin, name: str = "Candu_Test", rules: Rules | None = None) -> Connection:
    """Make a connection that delivers to the twin under a key of its own."""
    rules = rules or Rules(custom_events="send")
    connection, _ = store.connections.add(Connection("", name, segment_host=twin.url, rules=rules), Secret(f"key-{name}"), by="test")
    return connection


def send(store: Store, connection: Connection, *names: str) -> None:
    """Accept custom events of these names, with ids by their place."""
    heard = [Heard(place, b"{}", name, "u", None, {}, {}, id=f"{place}") for place, name in enumerate(names)]
    intake.accept(connection, "webhook", heard, store.log, Telltale(io.StringIO()))


@contextmanager
def working(settings: Settings, store: Store) -> Iterator[io.StringIO]:
    """Run a worker in a thread; stop it gently afterwards and raise what it died of."""
    stop, log = threading.Event(), io.StringIO()
    worker = build_worker(settings, Telltale(log), store)
    died: list[BaseException] = []

    def run() -> None:
        try:
            worker.run(stop)
        except BaseException as error:
            died.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield log
    finally:
        stop.set()
        thread.join()
    assert not died


def until(happened: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it is not so in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def drained(store: Store) -> bool:
    """Tell whether nothing is pending."""
    return not any(tally.pending for tally in store.ledger.tallies())


def test_every_event_arrives_once(settings: Settings, store: Store, segment_twin: Twin) -> None:
    connection = connect(store, segment_twin)
    send(store, connection, *(f"e{number}" for number in range(3_000)))
    with working(settings, store):
        until(lambda: drained(store))
    arrived = [kept["message"]["event"] for kept in segment_twin.messages(status="stored")]
    assert sorted(arrived) == sorted(f"e{number}" for number in range(3_000))
    assert segment_twin.stats()["duplicates"] == 0
    assert store.ledger.tallies(check=True)[0].holds


def test_poison_is_isolated_in_few_requests(settings: Settings, store: Store, segment_twin: Twin) -> None:
    connection = connect(store, segment_twin)
    names = ["good"] * 100
    for place in (3, 41, 97):
        names[place] = "poison"
    segment_twin.fault(refuse_event="poison")
    send(store, connection, *names)
    with working(settings, store):
        until(lambda: drained(store))
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.delivered, tally.dead, tally.holds) == (97, 3, True)
    assert segment_twin.stats()["requests"] <= 45
    assert {letter.reason for letter in store.shelves.dead(connection.id, 10)} == {"content_refused"}


def test_an_endpoint_that_refuses_everything_holds_the_lane(settings: Settings, store: Store, segment_twin: Twin) -> None:
    connection = connect(store, segment_twin)
    segment_twin.fault(status=400)
    send(store, connection, *["x"] * 200)
    with working(settings, store):
        until(lambda: store.ledger.tallies()[0].held is not None)
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.held, tally.dead, tally.pending, tally.holds) == ("refuses_everything", 20, 180, True)


@pytest.mark.parametrize(("status", "reason"), [(401, "key_refused"), (403, "key_refused"), (404, "endpoint_wrong")])
def test_what_only_a_person_can_mend_holds_after_one_request(
    settings: Settings, store: Store, segment_twin: Twin, status: int, reason: str
) -> None:
    connection = connect(store, segment_twin)
    segment_twin.fault(status=status)
    send(store, connection, "a", "b")
    with working(settings, store):
        until(lambda: store.ledger.tallies()[0].held == reason)
        assert segment_twin.stats()["requests"] == 1
        segment_twin.heal()
        store.connections.unhold(connection, by="test")
        until(lambda: drained(store))
    assert len(segment_twin.ids()) == 2


@pytest.mark.parametrize("fault", [{"status": 500}, {"reset_after_body": True}, {"status": 429, "retry_after": 0}])
def test_what_passes_is_tried_again(settings: Settings, store: Store, segment_twin: Twin, fault: dict[str, object]) -> None:
    connection = connect(store, segment_twin)
    segment_twin.fault(**fault, count=2)
    send(store, connection, *["x"] * 10)
    with working(settings, store):
        until(lambda: drained(store))
    assert len(segment_twin.ids()) == 10
    tries = store.trace.life(connection.id, store.trace.tail(connection.id)[0].message_id).tries
    assert [each.decision for each in tries] == ["again", "again", "advance"]


def test_giving_up_is_a_setting(tmp_path: Path, settings: Settings, segment_twin: Twin) -> None:
    store = open_store(settings)
    connection = connect(store, segment_twin)
    segment_twin.fault(status=500)
    send(store, connection, "a", "b")
    worker = build_worker(settings, Telltale(io.StringIO()), store)
    worker.give_up_after = 1e-9
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    until(lambda: store.ledger.tallies()[0].dead == 2)
    stop.set()
    thread.join()
    assert {letter.reason for letter in store.shelves.dead(connection.id, 10)} == {"expired"}
    store.close()


def test_a_sick_lane_leaves_the_others_alone(settings: Settings, store: Store, segment_twin: Twin) -> None:
    sick = [connect(store, segment_twin, f"sick{number}") for number in range(5)]
    well = [connect(store, segment_twin, f"well{number}") for number in range(5)]
    for connection in sick:
        segment_twin.fault(black_hole=True, key=f"key-{connection.name}")
    for connection in (*sick, *well):
        send(store, connection, "a", "b")
    with working(settings, store):
        until(lambda: all(not store.ledger.tallies(each.id)[0].pending for each in well))
        assert all(store.ledger.tallies(each.id)[0].pending == 2 for each in sick)
        segment_twin.heal()
        until(lambda: drained(store))
    assert len(segment_twin.ids()) == 20


def test_stopping_finishes_what_is_in_flight(settings: Settings, store: Store, segment_twin: Twin) -> None:
    connection = connect(store, segment_twin)
    segment_twin.fault(latency_ms=200)
    send(store, connection, "a")
    with working(settings, store):
        segment_twin.wait(requests=1)
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.delivered, tally.holds) == (1, True)
    assert store.database.row("tallies", {"connection": None}) is not None
    assert segment_twin.stats()["requests"] == 1


def test_outcomes_outlast_a_store_that_is_away(settings: Settings, store: Store, segment_twin: Twin, tmp_path: Path) -> None:
    """A store that refuses to settle for a while must not make events be sent twice."""
    connection = connect(store, segment_twin)
    segment_twin.fault(latency_ms=100)
    send(store, connection, "a", "b")
    with working(settings, store) as log:
        segment_twin.wait(requests=1)
        store.database._writer.execute("PRAGMA query_only = ON")
        until(lambda: "store.failed" in log.getvalue())
        store.database._writer.execute("PRAGMA query_only = OFF")
        until(lambda: drained(store))
    assert segment_twin.stats()["requests"] == 1


def test_a_lane_taken_over_is_left_at_once(settings: Settings, store: Store, segment_twin: Twin) -> None:
    connection = connect(store, segment_twin)
    segment_twin.fault(latency_ms=300)
    send(store, connection, "a")
    with working(settings, store) as log:
        segment_twin.wait(requests=1)
        with store.database.write() as db:
            db.execute("UPDATE lanes SET epoch = epoch + 1, worker = 'another', leased_until = leased_until + 60")
        until(lambda: "lease.lost" in log.getvalue())
    assert store.ledger.tallies()[0].pending == 1


def test_the_pace_is_kept(settings: Settings, store: Store, segment_twin: Twin) -> None:
    """With one request a second allowed, the burst is one: the second lane waits for its turn."""
    for name in ("a", "b"):
        send(store, connect(store, segment_twin, name), "x")
    worker = build_worker(settings, Telltale(io.StringIO()), store)
    worker.pace = type(worker.pace)(rate=1e-6, key_rate=1, now=time.monotonic())
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    until(lambda: sum(tally.delivered for tally in store.ledger.tallies()) == 1)
    stop.set()
    thread.join()
    assert segment_twin.stats()["requests"] == 1
    assert sum(tally.pending for tally in store.ledger.tallies()) == 1
