"""Statistics: what the charts and the funnel say is what happened, on this connection alone."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from candu_source.deliveries import Advance, Again, Batch, Bury, Decision, Hold, Outcome, Settlement, Stored
from candu_source.errors import Reason
from candu_source.jobs import Wanted
from candu_source.latency import middle
from candu_source.model import Connection
from candu_source.periods import DAY, HOUR, MINUTE, Period, window
from candu_source.store import Store
from candu_source.store.counts import Counted, add_counts, ended_by
from candu_source.store.stats import Point, metrics_of
from tests.store.findable import REFUSED
from tests.store.shelf import add_connection, admit, aside, ask_dead, claim, make_store, settlement

BUSY = Outcome(Reason.SERVER_ERROR, 500)


def read_all(store: Store) -> None:
    """Count what came in."""
    while store.index.read_on(500):
        pass


def day(store: Store, connection: Connection) -> dict[str, float | int | None]:
    """Return the metrics of the day."""
    return metrics_of(store.stats.series(connection.id, window(Period.ONE_DAY, time.time())))


def test_deliveries_are_counted_by_how_they_ended(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(10)))
    first = claim(store)
    events = first.batches[0].events
    store.lanes.settle([settlement(first, Batch(events[:4]), Advance())])
    store.lanes.settle([settlement(first, Batch(events[4:]), Again(0.0), BUSY)])
    second = claim(store)
    events = second.batches[0].events
    store.lanes.settle(
        [
            settlement(second, Batch(events[:3]), Advance()),
            settlement(second, Batch(events[3:4]), Bury(Reason.CONTENT_REFUSED), REFUSED),
            settlement(second, Batch(events[4:]), Bury(Reason.EXPIRED), BUSY),
        ]
    )
    found = day(store, connection)
    assert found.pop("latencyInSeconds") == pytest.approx(0.5, abs=0.5)
    assert found == {
        "eventsDelivered": 7,
        "eventsNotDelivered": 3,
        "deliveryRate": 0.7,
        "successOnFirstAttempt": 4,
        "successAfterRetry": 3,
        "eventsExpired": 2,
        "eventsDiscarded": 1,
    }


def test_an_outcome_whose_lease_was_lost_is_not_counted(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    old, new = claim(store), claim(store)
    assert store.lanes.settle([settlement(old, old.batches[0], Advance())]) == [False]
    assert day(store, connection)["eventsDelivered"] == 0
    assert store.lanes.settle([settlement(new, new.batches[0], Advance())]) == [True]
    assert day(store, connection)["eventsDelivered"] == 1


def test_nothing_delivered_has_no_rate(store: Store, connection: Connection) -> None:
    found = day(store, connection)
    assert (found["deliveryRate"], found["latencyInSeconds"], found["eventsDelivered"]) == (None, None, 0)


def test_metrics_are_those_of_all_points_together() -> None:
    points = [
        Point(0, ended=Counter(first_attempt=2, expired=1), buckets=Counter({3: 2})),
        Point(60, ended=Counter(after_retry=1, discarded=1), buckets=Counter({90: 1})),
        Point(120),
    ]
    assert metrics_of(points) == {
        "eventsDelivered": 3,
        "eventsNotDelivered": 2,
        "deliveryRate": 0.6,
        "latencyInSeconds": middle(90),
        "successOnFirstAttempt": 2,
        "successAfterRetry": 1,
        "eventsExpired": 1,
        "eventsDiscarded": 1,
    }


def test_latency_is_from_acceptance_to_the_settlement(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(100)))
    delivery = claim(store)
    chance, now = random.Random(1), time.time()
    took = sorted(chance.lognormvariate(1, 1) for _ in range(100))
    events = tuple(event._replace(accepted_at=now - seconds) for event, seconds in zip(delivery.batches[0].events, took, strict=True))
    counted = ended_by(settlement(delivery, Batch(events), Advance()), now)
    with store.database.write() as db:
        add_counts(db, store.database.sql, {Counted(connection.id, "lane:segment", name, now): amount for name, amount in counted.items()})
    (point,) = [each for each in store.stats.series(connection.id, window(Period.TEN_MINUTES, now)) if each.delivered]
    for share in (0.5, 0.95, 0.99):
        assert point.latency(share) == pytest.approx(took[int(100 * share) - 1], rel=0.05)
    assert day(store, connection)["latencyInSeconds"] == point.latency(0.95)


def test_a_dead_letter_sent_again_counts_once_and_without_its_time(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    delivery = claim(store)
    buried = settlement(delivery, delivery.batches[0], Bury(Reason.CONTENT_REFUSED), REFUSED)
    again = replace(buried, batch=replace(buried.batch, replay=True))
    assert ended_by(buried, 1e9) == {"discarded": 1}
    assert ended_by(again, 1e9) == {}
    assert ended_by(replace(again, decision=Advance()), 1e9) == {"after_retry": 1}


def test_points_hold_what_was_counted_within_them(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    chance, now = random.Random(2), 1_800_000_000.0
    facts = [(chance.uniform(now - 14 * DAY, now), chance.choice(["a", "b"]), chance.randrange(1, 5)) for _ in range(300)]
    with store.database.write() as db:
        for at, door, amount in facts:
            add_counts(db, store.database.sql, {Counted(connection.id, f"door:{door}", "accepted", at): amount})
            add_counts(db, store.database.sql, {Counted(other.id, f"door:{door}", "accepted", at): 1_000})
    for period in (Period.TWO_WEEKS, Period.ONE_WEEK, Period.ONE_DAY, Period.FOUR_HOURS):
        wanted = window(period, now)
        for point in store.stats.series(connection.id, wanted):
            within = [fact for fact in facts if point.start <= fact[0] < point.start + wanted.width]
            for door in "ab":
                assert point.accepted[door] == sum(amount for _, at, amount in within if at == door)


def test_the_funnel_says_where_everything_is(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    store.log.append(admit(other, *range(50)))
    store.log.append(admit(connection, *range(10)))
    store.log.append(aside(connection, filtered=("a", "b"), rejects=(b"x", b"y", b"x")))
    (delivery,) = [each for each in store.lanes.claim("w", 10) if each.connection_id == connection.id]
    events = delivery.batches[0].events
    decisions: list[tuple[tuple[Stored, ...], Decision]] = [
        (events[:5], Advance()),
        (events[5:6], Bury(Reason.EXPIRED)),
        (events[6:8], Bury(Reason.CONTENT_REFUSED)),
    ]
    store.lanes.settle([settlement(delivery, Batch(some), decision, REFUSED) for some, decision in decisions])
    ask_dead(store, connection, Wanted(reason="expired"))
    found = store.stats.funnel(connection.id)
    assert (found.accepted, found.filtered, found.rejected) == (12, {"unknown_event": 2}, {"invalid": (2, 3)})
    (lane,) = found.lanes
    assert (lane.delivered, lane.dead, lane.pending) == (5, {"content_refused": 2}, {"turn": 2, "replay": 1})
    (tally,) = store.ledger.tallies(connection.id, check=True)
    assert (tally.accepted, tally.delivered, tally.dead, tally.pending, tally.holds) == (12, 5, 2, 3, True)


def test_what_waits_says_for_what(store: Store, connection: Connection) -> None:
    def pending() -> dict[str, int]:
        return dict(store.stats.funnel(connection.id).lanes[0].pending)

    assert pending() == {}
    store.log.append(admit(connection, 1, 2))
    assert pending() == {"turn": 2}
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Again(time.time() + 60), BUSY)])
    assert pending() == {"retrying": 2}
    health = store.stats.health(connection.id)
    assert (health.lanes[0].failures, health.lanes[0].pending) == (1, 2)
    assert health.lanes[0].oldest_pending == pytest.approx(time.time(), abs=60)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Hold(Reason.KEY_REFUSED), BUSY)])
    assert pending() == {"key_refused": 2}
    with store.database.write() as db:
        db.execute("UPDATE lanes SET enabled = 0")
    assert pending() == {"off": 2}
    store.connections.save(replace(connection, paused=True), by="test")
    assert pending() == {"paused": 2}


def test_what_retention_deleted_stays_in_the_funnel(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0, reject_retention_days=0)
    connection = add_connection(store)
    store.log.append(admit(connection, 1, 2, 3))
    store.log.append(aside(connection, filtered=("a",)))
    delivery = claim(store)
    events = delivery.batches[0].events
    dead = settlement(delivery, Batch(events[:2]), Bury(Reason.EXPIRED), REFUSED)
    store.lanes.settle([dead, settlement(delivery, Batch(events[2:]), Advance())])
    while store.keeper.prune():
        pass
    found = store.stats.funnel(connection.id)
    assert (found.accepted, found.filtered) == (4, {"released": 1})
    assert (found.lanes[0].delivered, found.lanes[0].dead, found.lanes[0].pending) == (1, {"released": 2}, {})
    store.close()


def test_counts_go_when_no_chart_needs_them(store: Store, connection: Connection) -> None:
    now = time.time()
    with store.database.write() as db:
        for ago in range(100, 100 * DAY, 6 * HOUR):
            add_counts(db, store.database.sql, {Counted(connection.id, "door:a", "accepted", now - ago): 1})
    while store.keeper.prune():
        pass
    with store.database.read() as db:
        kept = dict(db.execute("SELECT step, count(*) FROM counts WHERE connection = ? GROUP BY step", (connection.id,)).fetchall())
    assert kept == {MINUTE: 8, HOUR: 360}


def test_a_settlement_writes_few_counts(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(2_000), size=0))
    delivery = claim(store)
    reported: list[Settlement] = [settlement(delivery, batch, Advance()) for batch in delivery.batches]
    store.lanes.settle(reported)
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM counts").fetchone()[0] <= 2 * (1 + len(reported) * 2)


def test_confirmations_go_with_their_events(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0)
    connection = add_connection(store)
    store.log.append(admit(connection, 1, 2))
    store.log.append(admit(connection, 3))
    delivery = claim(store)
    events = delivery.batches[0].events
    dead = settlement(delivery, Batch(events[2:]), Bury(Reason.EXPIRED), REFUSED)
    store.lanes.settle([settlement(delivery, Batch(events[:2]), Advance()), dead])
    with store.database.write() as db:
        db.executemany("INSERT INTO confirmations VALUES (?, 'segment', ?, 7.0)", [(connection.id, seq) for seq in (1, 2, 3)])
    assert store.trace.life(connection.id, "m2").confirmed == {"segment": 7.0}
    while store.keeper.prune():
        pass
    with store.database.read() as db:
        assert db.execute("SELECT seq FROM confirmations").fetchall() == [(3,)]
    assert store.trace.life(connection.id, "m3").confirmed == {"segment": 7.0}
    store.close()


def test_a_life_has_all_tries_of_its_event_and_no_other(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(40)))
    chance = random.Random(4)
    choices: tuple[Decision, ...] = (Advance(), Again(0.0))
    expected: dict[int, list[str]] = {seq: [] for seq in range(1, 41)}
    while deliveries := store.lanes.claim("w", 1):
        events = deliveries[0].batches[0].events
        some = events[: chance.randrange(1, 1 + len(events))]
        decision = chance.choice(choices)
        store.lanes.settle([settlement(deliveries[0], Batch(some), decision)])
        for event in some:
            expected[event.ref].append(type(decision).__name__.lower())
    for seq, decisions in expected.items():
        life = store.trace.life(connection.id, f"m{seq - 1}")
        assert ([each.decision for each in life.tries], life.states) == (decisions, {"segment": ("delivered", None)})
