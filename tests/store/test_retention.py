"""Retention: only what every lane has passed goes, in small steps, and the ledger stays exact."""

from __future__ import annotations

from pathlib import Path

from candu_source.deliveries import Advance, Batch, Bury, Outcome
from candu_source.errors import Reason
from candu_source.store import Store
from tests.store.shelf import add_connection, admit, aside, ask_dead, claim, make_store, settlement

REFUSED = Outcome(Reason.CONTENT_REFUSED, 400, "no")


def prune_all(store: Store) -> int:
    """Prune until nothing is left to do."""
    deleted = 0
    while step := store.keeper.prune():
        deleted += step
    return deleted


def test_nothing_goes_before_its_time(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.log.append(admit(add_connection(store), 1))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    assert prune_all(store) == 0
    store.close()


def test_what_lanes_have_passed_goes_and_what_waits_stays(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0)
    connection = add_connection(store)
    store.log.append(admit(connection, *range(2_500), size=0))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, Batch(delivery.batches[0].events[:2_200]), Advance())])
    assert prune_all(store) == 2  # whole chunks only: 1 024 events each
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.accepted, tally.delivered, tally.pending, tally.holds) == (2_500, 2_200, 300, True)
    assert [event.seq for event in store.trace.tail(connection.id, most=3_000)] == list(range(2_049, 2_501))
    assert claim(store).batches[0].events[0].ref == 2_201
    store.close()


def test_dead_letters_keep_their_events_for_longer(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0)
    connection = add_connection(store)
    store.log.append(admit(connection, 1, 2, 3))
    delivery = claim(store)
    events = delivery.batches[0].events
    store.lanes.settle(
        [settlement(delivery, Batch(events[:2]), Advance()), settlement(delivery, Batch(events[2:]), Bury(Reason.EXPIRED), REFUSED)]
    )
    prune_all(store)
    assert [letter.message_id for letter in store.shelves.dead(connection.id, 10)] == ["m3"]
    ask_dead(store, connection)
    again = claim(store)
    store.lanes.settle([settlement(again, again.batches[0], Advance())])
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.delivered, tally.dead, tally.holds) == (3, 0, True)
    assert store.trace.tail(connection.id) == [], "nothing needs the events any more"
    store.close()


def test_what_went_aside_goes_last_and_is_still_counted(tmp_path: Path) -> None:
    store = make_store(tmp_path, retention_days=0, reject_retention_days=0)
    connection = add_connection(store)
    store.log.append(admit(connection, 1, 2))
    store.log.append(aside(connection, filtered=("7",), rejects=(b"x",)))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Bury(Reason.EXPIRED), REFUSED)])
    prune_all(store)
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.accepted, tally.dead, tally.filtered, tally.holds) == (3, 2, 1, True)
    assert store.shelves.dead(connection.id, 10) == []
    assert store.groups.filtered(connection.id) == []
    assert store.shelves.reject_count(connection.id) == (0, 0)
    assert store.trace.tail(connection.id) == []
    store.close()
