"""The index: every event once, with its counts, whatever is killed; nothing stays of what has left the log."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from candu_source.deliveries import Advance, Batch, Bury
from candu_source.errors import Reason, StaleLease, StoreFull
from candu_source.model import Admission, Connection, Event
from candu_source.periods import Period, window
from candu_source.store import Store
from candu_source.store.index import SqlIndex
from candu_source.store.query import Query
from candu_source.store.retention import SqlKeeper
from candu_source.store.sqlite import Database
from candu_source.terms import EVENT, USER, VERSION, Word, block, term
from tests.store.findable import REFUSED
from tests.store.shelf import add_connection, admit, aside, claim, make_store, settlement

HEAR = b'{"type": "track", "event": "heard", "userId": "anna", "properties": {"plan": "pro"}, "messageId": "%d"}'


def heard(connection: Connection, count: int, *, start: int = 0) -> Admission:
    """Make an admission of events that are all found by the same words."""
    return Admission(connection.id, "webhook", tuple(Event(str(n), HEAR % n, b"{}") for n in range(start, start + count)))


def read_all(store: Store, step: int = 500) -> None:
    """Read on until nothing is left."""
    while store.index.read_on(step):
        pass


def indexed(store: Store, connection: Connection) -> int:
    """Count what the index holds for the word that every event has."""
    with store.database.read() as db:
        wanted = (term(connection.id, Word(EVENT, "heard")),)
        return int(db.execute("SELECT count(*) FROM terms WHERE terms MATCH ?", wanted).fetchone()[0])


def accepted(store: Store, connection: Connection) -> int:
    """Return how many events were counted in the last hour."""
    return sum(point.accepted.total() for point in store.stats.series(connection.id, window(Period.ONE_HOUR, time.time())))


def assert_sound(store: Store) -> None:
    """Let FTS5 check its own structure."""
    with store.database.write() as db:
        db.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")


def deliver(store: Store) -> None:
    """Deliver all that is claimed at once."""
    delivery = claim(store)
    assert all(store.lanes.settle([settlement(delivery, batch, Advance()) for batch in delivery.batches]))


def test_each_input_is_counted_by_its_door_and_the_last_is_remembered(store: Store, connection: Connection) -> None:
    store.log.append(heard(connection, 3))
    store.log.append(aside(connection, filtered=("1", "2"), rejects=(b"a", b"b", b"a")))
    read_all(store)
    store.log.append(Admission(connection.id, "browser", (Event("b", HEAR % 99, b"{}"),)))
    read_all(store)
    points = store.stats.series(connection.id, window(Period.TEN_MINUTES, time.time()))
    assert sum((point.accepted for point in points), points[0].accepted.__class__()) == {"webhook": 3, "browser": 1}
    assert (sum(point.filtered for point in points), sum(point.rejected for point in points)) == (2, 2)
    assert set(store.stats.health(connection.id).last_seen) == {"webhook", "browser"}
    assert sum(store.stats.sparkline(connection.id, time.time())) == 4


def test_a_killed_reader_leaves_nothing_half_done(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    for start in range(0, 4_000, 100):
        store.log.append(heard(connection, 100, start=start))
    chance = random.Random(3)
    program = "import sys, tests.store.shelf as s, pathlib\nstore = s.make_store(pathlib.Path(sys.argv[1]))\nprint('up', flush=True)\n"
    program += "while store.index.read_on(100): pass\n"
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as reader:
            assert reader.stdout
            assert reader.stdout.readline() == b"up\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                reader.wait(chance.uniform(0.005, 0.06))
            reader.kill()
        assert indexed(store, connection) == accepted(store, connection)
    read_all(store)
    assert (indexed(store, connection), accepted(store, connection)) == (4_000, 4_000)
    assert_sound(store)
    store.close()


def test_of_two_readers_one_writes(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    store.log.append(heard(connection, 10))

    class Overtaken(Database):
        """Let another read on between reading and writing."""

        def check_room(self) -> None:
            read_all(store)

    late = Overtaken(tmp_path / "store.db")
    with pytest.raises(StaleLease, match="another has read on"):
        SqlIndex(late).read_on(100)
    assert (indexed(store, connection), accepted(store, connection)) == (10, 10)
    late.close()
    store.close()


def test_what_retention_takes_while_it_is_read_does_not_stay_in_the_index(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    store.log.append(heard(connection, 10))
    deliver(store)
    store.log.append(heard(connection, 5, start=10))

    class Pruned(Database):
        """Let retention go on between reading and writing."""

        def check_room(self) -> None:
            assert SqlKeeper(store.database, retention_days=0, reject_retention_days=1).prune()

    late = Pruned(tmp_path / "store.db")
    SqlIndex(late).read_on(100)
    assert (indexed(store, connection), accepted(store, connection)) == (5, 15)
    late.close()
    store.close()


def test_nothing_is_written_when_there_is_no_room(tmp_path: Path) -> None:
    store = make_store(tmp_path, min_free_mb=2**40)
    connection = add_connection(store)
    roomy = make_store(tmp_path)
    roomy.log.append(heard(connection, 10))
    with pytest.raises(StoreFull):
        store.index.read_on(100)
    assert indexed(store, connection) == 0
    store.close()
    roomy.close()


def test_what_leaves_the_log_leaves_the_index(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0, reject_retention_days=0)
    connection, other = add_connection(store), add_connection(store, "Other")
    store.log.append(heard(other, 7))
    store.log.append(heard(connection, 1_500))
    store.log.append(heard(connection, 10, start=1_500))
    store.log.append(heard(connection, 500, start=1_510))
    while store.index.read_on(1):
        if indexed(store, connection) >= 1_510:
            break
    for delivery in store.lanes.claim("w", 10):
        events = delivery.batches[0].events
        dead = tuple(event for event in events if event.ref == 1_505)
        rest = [event for event in events if event.ref != 1_505]
        runs = [Batch(tuple(event for event in rest if (event.ref > 1_505) is beyond)) for beyond in (False, True)]
        store.lanes.settle([settlement(delivery, batch, Advance()) for batch in runs if batch.events])
        if dead:
            store.lanes.settle([settlement(delivery, Batch(dead), Bury(Reason.CONTENT_REFUSED), REFUSED)])
    while SqlKeeper(store.database, retention_days=0, reject_retention_days=1).prune():
        pass
    assert indexed(store, connection) == 10, "the chunk of the dead letter stays"
    assert indexed(store, other) == 0
    assert [hit.seq for hit in store.search.search(connection.id, Query(user="anna")).events] == list(range(1_510, 1_500, -1))
    while store.keeper.prune():
        pass
    assert indexed(store, connection) == 0
    read_all(store)
    assert (indexed(store, connection), accepted(store, connection)) == (0, 1_510)
    assert_sound(store)
    store.close()


def test_a_term_that_stands_at_a_foreign_or_missing_place_finds_nothing(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    store.log.append(heard(connection, 1))
    store.log.append(heard(other, 1))
    read_all(store)
    ours = " ".join(term(connection.id, word) for word in (Word(EVENT, "heard"), Word(USER, "anna")))
    with store.database.write() as db:
        db.executemany("INSERT INTO terms (rowid, term) VALUES (?, ?)", [(place, f"{ours} {block(place)}") for place in (2, 3)])
    for query in (Query(event="heard"), Query(event="heard", user="anna")):
        assert [hit.seq for hit in store.search.search(connection.id, query).events] == [1]


def test_other_rules_make_the_index_anew_and_count_nothing_twice(store: Store, connection: Connection) -> None:
    store.log.append(heard(connection, 2_000))
    read_all(store)
    store.database.run("set_reading", {"name": "index:rules", "read_to": VERSION - 1})
    store.log.append(heard(connection, 10, start=2_000))
    store.index.read_on(100)
    assert indexed(store, connection) < 2_000, "the old one is gone"
    read_all(store)
    assert (indexed(store, connection), accepted(store, connection)) == (2_010, 2_010)
    assert_sound(store)


def test_events_that_say_nothing_are_counted_and_can_go(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0)
    connection = add_connection(store)
    odd = (b'{"messageId": "m"}', b"[1]", b"x")
    store.log.append(Admission(connection.id, "webhook", tuple(Event(f"m{n}", raw, b"") for n, raw in enumerate(odd))))
    store.log.append(admit(connection, 7))
    read_all(store)
    assert accepted(store, connection) == 4
    deliver(store)
    assert store.keeper.prune()
    assert_sound(store)
    store.close()
