"""Searching: all that is meant and nothing else, newest first, in work that does not grow with the log."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from candu_source.deliveries import Advance, Batch, Bury, Delivery, Settlement
from candu_source.errors import Reason, UsageError
from candu_source.model import Admission, Connection, Event
from candu_source.periods import Period, window
from candu_source.store import Store
from candu_source.store.query import Query, Where
from candu_source.store.search import FRESH_MOST
from candu_source.terms import VERSION
from tests.store.findable import EVENTS, REFUSED, USERS, Findable, findable
from tests.store.shelf import ACCEPTED, add_connection, aside, claim, make_store, settlement

FEW, MANY, LEFT = 1_000, 30_000, 100


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Findable]:
    """Open a store to fill with random events."""
    opened = findable(tmp_path, getattr(request, "param", 1))
    yield opened
    opened.store.close()


def live(place: Findable) -> None:
    """Let events come, be delivered, indexed and pruned in any order, while the clock jumps now and then."""
    chance, at = place.chance, 0.0
    for _ in range(25):
        at = max(0.0, at + chance.uniform(-250, 500))
        connection = chance.choice(place.connections)
        place.add(connection, chance.choice([1, 1, 5, 40]), at=at)
        if chance.random() < 0.3:
            place.keep(connection, chance.randrange(1, 4), at=at)
        if chance.random() < 0.4:
            place.deliver(chance.randrange(1, 40))
        if chance.random() < 0.2:
            place.prune()
        if chance.random() < 0.4:
            place.index(chance.choice([1, 50, 10**9]))
    for connection in place.connections:
        place.raise_some(connection)


@pytest.mark.parametrize("place", range(12), indirect=True)
def test_a_search_finds_what_looking_at_every_event_finds(place: Findable) -> None:
    live(place)
    queries = [(place.chance.choice(place.connections), place.query()) for _ in range(60)]
    assert any(place.expected(*each) for each in queries)
    for connection, query in queries:
        assert place.found(connection, query, place.chance.choice([1, 7, 50])) == place.expected(connection, query), query
    place.store.database.run("set_reading", {"name": "index:rules", "read_to": VERSION - 1})
    place.index()
    for connection, query in queries:
        assert place.found(connection, query) == place.expected(connection, query), query


def test_events_of_another_connection_are_never_found(place: Findable) -> None:
    ours, theirs = place.connections
    for at in range(10):
        place.add(theirs, 30, at=float(at))
    place.index()
    place.add(theirs, 5, at=11.0)
    wanted = [Query(), *(Query(user=user) for user in USERS), *(Query(event=event) for event in EVENTS), Query(properties=("pro",))]
    for query in [replace(query, where=where) for query in wanted for where in (None, *Where)]:
        assert place.found(ours, query) == []
    for each in place.known[theirs.id]:
        assert place.found(ours, Query(message_id=each.message_id)) == []
        assert place.found(theirs, Query(message_id=each.message_id)) == [each.message_id]


def test_a_message_id_finds_what_was_filtered_too(store: Store, connection: Connection) -> None:
    store.log.append(aside(connection, filtered=("9",)))
    (hit,) = store.search.search(connection.id, Query(message_id="m9")).events
    assert (hit.seq, hit.event, hit.states) == (None, "candu.sdk.new", {"": ("filtered", "unknown_event")})
    assert store.search.search(connection.id, Query(message_id="m9", where=Where.PENDING)).events == ()
    assert store.search.search(connection.id, Query(message_id="m8")).events == ()


def test_the_newest_are_found_before_the_index_has_them_and_it_is_said_how_many_are_not(place: Findable) -> None:
    connection, _ = place.connections
    place.add(connection, 10, at=1.0)
    place.index()
    for at in range(3):
        place.add(connection, 1_000, at=2.0 + at)
    query = Query(event=EVENTS[0])
    pages = place.pages(connection, query, 100)
    assert {page.behind for page in pages[:-1]} == {3_000 - FRESH_MOST}
    known = place.known[connection.id]
    seen = [*known[:10], *known[-FRESH_MOST:]]
    assert [hit.message_id for page in pages for hit in page.events] == [
        each.message_id for each in reversed(seen) if each.message["event"] == EVENTS[0]
    ]
    place.index()
    assert place.found(connection, query) == place.expected(connection, query)
    assert place.pages(connection, query, 100)[0].behind == 0


def test_a_page_says_how_far_it_looked(place: Findable) -> None:
    connection, _ = place.connections
    for at in range(10):
        place.add(connection, 3, at=1_000.0 * at)
    pages = place.pages(connection, Query(), 6)
    assert [page.looked_to for page in pages] == [8_000.0, 6_000.0, 4_000.0, 2_000.0, None]
    within = place.pages(connection, Query(since=3_000.0, until=4_001.0), 50)[0].events
    assert [hit.accepted_at for hit in within] == [4_000.0] * 3 + [3_000.0] * 3


@pytest.mark.parametrize(
    ("since", "until", "times"),
    [(None, 150.0, [120.0, 100.0]), (380.0, None, [400.0, 390.0]), (110.0, 391.0, [120.0, 390.0]), (401.0, None, []), (None, 100.0, [])],
)
def test_a_clock_that_was_set_back_hides_nothing(place: Findable, since: float | None, until: float | None, times: list[float]) -> None:
    connection, _ = place.connections
    for at in (100.0, 390.0, 120.0, 400.0):
        place.add(connection, 1, at=at)
    assert [hit.accepted_at for hit in place.pages(connection, Query(since=since, until=until), 50)[0].events] == times


@pytest.mark.parametrize("before", ["", "x", "-1", "1" * 19, "١"])
def test_a_position_that_no_page_gave_is_refused(store: Store, connection: Connection, before: str) -> None:
    with pytest.raises(UsageError, match="before must be"):
        store.search.search(connection.id, Query(), before=before)


def test_a_connection_without_events_or_that_is_gone_finds_nothing(store: Store, connection: Connection) -> None:
    for where in (None, *Where):
        for name in (connection.id, "gone"):
            assert store.search.search(name, Query(where=where, user="anna")).events == ()
            assert store.search.search(name, Query(where=where)).next is None


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, tuple[Store, Connection]]]:
    """Open a small and a large store, all delivered but the last batch, one in a hundred asked for by name, and indexed."""
    made = {events: _store(tmp_path_factory.mktemp(str(events)), events) for events in (FEW, MANY)}
    yield made
    for store, _ in made.values():
        store.close()


def _store(directory: Path, events: int) -> tuple[Store, Connection]:
    store = make_store(directory)
    connection = add_connection(store)
    chance = random.Random(1)
    for start in range(0, events, 500):
        store.log.append(Admission(connection.id, "webhook", tuple(_event(number, chance) for number in range(start, start + 500))))
    store.log.append(aside(connection, filtered=("f1", "f2"), rejects=(b"r",)))
    while (delivery := claim(store)).batches[0].events[0].ref <= events - LEFT:
        store.lanes.settle([each for batch in delivery.batches for each in _settlements(delivery, batch, events - LEFT)])
    while store.index.read_on(1_000):
        pass
    return store, connection


def _settlements(delivery: Delivery, batch: Batch, last: int) -> Iterator[Settlement]:
    """Deliver a batch up to a seq, but bury one event in a hundred."""
    ended = [event for event in batch.events if event.ref <= last]
    for dies, some in itertools.groupby(ended, lambda event: event.ref % 100 == 0):
        decision = Bury(Reason.CONTENT_REFUSED) if dies else Advance()
        yield settlement(delivery, Batch(tuple(some)), decision, REFUSED if dies else ACCEPTED)


def _event(number: int, chance: random.Random) -> Event:
    """Make an event of one of two kinds that never carry the same plan, so that looking for both finds nothing."""
    rare = number // 100 if number % 100 == 0 else None
    properties = {
        "plan": "ab"[number % 2],
        "rare": rare,
        "size": chance.randrange(10),
        "all": "yes",
    }
    message = {"type": "track", "event": "xy"[number % 2], "userId": f"u{number % 50}", "properties": properties, "messageId": f"m{number}"}
    return Event(f"m{number}", json.dumps(message).encode(), b"{}")


_CALLS: dict[str, Callable[[Store, Connection], object]] = {
    "newest": lambda store, at: store.search.search(at.id, Query()),
    "user": lambda store, at: store.search.search(at.id, Query(user="u7")),
    "user and event": lambda store, at: store.search.search(at.id, Query(user="u7", event="y"), 10),
    "rare": lambda store, at: store.search.search(at.id, Query(properties=("rare=3",))),
    "nothing": lambda store, at: store.search.search(at.id, Query(user="nobody")),
    "message id": lambda store, at: store.search.search(at.id, Query(message_id="m500")),
    "pending": lambda store, at: store.search.search(at.id, Query(where=Where.PENDING)),
    "dead": lambda store, at: store.search.search(at.id, Query(where=Where.DEAD)),
    "confirmed": lambda store, at: store.search.search(at.id, Query(where=Where.CONFIRMED)),
    "filtered": lambda store, at: store.search.search(at.id, Query(where=Where.FILTERED)),
    "delivered of a user": lambda store, at: store.search.search(at.id, Query(user="u7", where=Where.DELIVERED)),
    "since": lambda store, at: store.search.search(at.id, Query(since=1.0, until=2.0)),
    "life": lambda store, at: store.trace.life(at.id, "m500"),
    "a day": lambda store, at: store.stats.series(at.id, window(Period.ONE_DAY, time.time())),
    "two weeks": lambda store, at: store.stats.series(at.id, window(Period.TWO_WEEKS, time.time())),
    "funnel": lambda store, at: store.stats.funnel(at.id),
    "health": lambda store, at: store.stats.health(at.id),
    "sparkline": lambda store, at: store.stats.sparkline(at.id, time.time()),
}


@pytest.mark.parametrize("call", _CALLS)
def test_no_call_costs_more_on_a_larger_log(sizes: dict[int, tuple[Store, Connection]], call: str) -> None:
    few, many = (_steps(store, partial(_CALLS[call], store, at)) for store, at in sizes.values())
    dead = (MANY - FEW) // 100
    assert many <= few * 3 + 2_000 + 20 * dead, (few, many)  # what stands aside is counted row by row, in an index


def _steps(store: Store, call: Callable[[], object]) -> int:
    """Count the steps that SQLite's machine takes for a call, in hundreds."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 100
        return 0

    with store.database.read() as db:
        db.set_progress_handler(count, 100)
    call()
    with store.database.read() as db:
        db.set_progress_handler(None, 100)
    return counted


def test_two_common_words_that_never_meet_are_looked_for_window_by_window(sizes: dict[int, tuple[Store, Connection]]) -> None:
    store, connection = sizes[MANY]
    assert store.search.search(connection.id, Query(event="x", properties=("plan=b",))).events == ()
    assert len(store.search.search(connection.id, Query(event="y", properties=("plan=b", "rare=298"))).events) == 0
    assert len(store.search.search(connection.id, Query(event="x", properties=("plan=a", "rare=298"))).events) == 1
    every = store.search.search(connection.id, Query(properties=("all=yes", "yes")), 200)
    assert [hit.seq for hit in every.events] == list(range(MANY, MANY - 200, -1))
    both = store.search.search(connection.id, Query(event="y", properties=("plan=b",)), 50)
    assert [hit.seq for hit in both.events] == list(range(MANY, MANY - 100, -2))
