"""Lanes: claimed by lease, settled exactly, waiting and held as decided."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from candu_source.deliveries import Advance, Again, Batch, Bisect, Bury, Decision, Hold, Outcome
from candu_source.errors import Reason
from candu_source.jobs import Wanted
from candu_source.limits import BATCH_BYTES, BATCH_EVENTS
from candu_source.model import Connection
from candu_source.store import Store
from tests.store.shelf import add_connection, admit, ask_dead, claim, make_store, refs, settlement

REFUSED = Outcome(Reason.CONTENT_REFUSED, 400, "no")


def test_an_empty_lane_is_not_claimed(store: Store, connection: Connection) -> None:
    assert store.lanes.claim("w", 10) == []


def test_batches_keep_to_segments_limits(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(7), size=BATCH_BYTES // 3))
    assert [refs(batch) for batch in claim(store).batches] == [[1, 2], [3, 4], [5, 6], [7]]


def test_batches_keep_to_segments_count(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(BATCH_EVENTS * 5), size=0))
    delivery = claim(store)
    assert [len(batch.events) for batch in delivery.batches] == [BATCH_EVENTS] * 4


def test_a_message_larger_than_a_batch_travels_alone(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1, size=BATCH_BYTES + 1))
    store.log.append(admit(connection, 2, 3))
    assert [refs(batch) for batch in claim(store).batches] == [[1], [2, 3]]


def test_the_cursor_follows_the_contiguous_prefix(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(4), size=BATCH_BYTES - 100))
    delivery = claim(store)
    one, two, three, four = delivery.batches
    store.lanes.settle([settlement(delivery, three, Advance()), settlement(delivery, two, Advance())])
    assert store.ledger.tallies()[0].pending == 2
    again = claim(store)
    assert [refs(batch) for batch in again.batches] == [[1], [4]]
    store.lanes.settle([settlement(again, one, Advance())])
    store.lanes.settle([settlement(again, four, Advance())])
    assert store.lanes.claim("w", 10) == []
    assert store.ledger.tallies(check=True)[0].holds


def test_a_claim_fences_the_one_before(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    old, new = claim(store), claim(store)
    assert store.lanes.settle([settlement(old, old.batches[0], Advance())]) == [False]
    assert store.lanes.renew([old, new]) == [False, True]
    assert store.lanes.settle([settlement(new, new.batches[0], Advance())]) == [True]
    assert store.ledger.tallies(check=True)[0].delivered == 1


def test_another_worker_waits_for_the_lease(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    claim(store, "first")
    assert store.lanes.claim("second", 10) == []
    store.lanes.release("first")
    assert claim(store, "second").batches


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0], ids=["back a day", "ahead a day"])
def test_a_clock_that_jumps_frees_lanes(store: Store, connection: Connection, jump: float) -> None:
    """What an earlier clock wrote must not hold a lane for a day: leases and waits written before a jump back count as over."""
    store.log.append(admit(connection, 1))
    delivery = claim(store, "first")
    store.lanes.settle([settlement(delivery, delivery.batches[0], Again(time.time() + 60), REFUSED)])
    with store.database.write() as db:
        db.execute(
            "UPDATE lanes SET leased_at = leased_at - :jump, leased_until = leased_until - :jump,"
            " waiting_since = waiting_since - :jump, due_at = due_at - :jump",
            {"jump": jump},
        )
    second = claim(store, "second")
    assert second.failures == 1
    store.lanes.settle([settlement(second, second.batches[0], Again(time.time() + 60), REFUSED)])
    with store.database.read() as db:
        ((due_at,),) = db.execute("SELECT due_at FROM lanes").fetchall()
    assert due_at < time.time() + 61, "the new wait counts, not the one that the jump has overtaken"


def test_again_waits_until_due_and_then_sends_one_batch(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(3), size=BATCH_BYTES - 100))
    delivery = claim(store)
    soon, late = Again(time.time() + 50), Again(time.time() + 100)
    store.lanes.settle([settlement(delivery, delivery.batches[0], late), settlement(delivery, delivery.batches[1], soon)])
    assert store.lanes.claim("w", 10) == []
    assert store.database.row("tallies", {"connection": None})[11] == pytest.approx(late.at)
    with store.database.write() as db:
        db.execute("UPDATE lanes SET due_at = 0")
    again = claim(store)
    assert (again.failures, len(again.batches)) == (1, 1)


def test_healthy_only_passes_over_failing_lanes(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Again(0))])
    assert store.lanes.claim("w", 10, healthy_only=True) == []
    assert store.lanes.claim("w", 10)


def test_hold_keeps_everything_until_a_person_lets_it_go(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    delivery = claim(store)
    store.lanes.settle([settlement(delivery, delivery.batches[0], Hold(Reason.KEY_REFUSED), Outcome(Reason.KEY_REFUSED, 401))])
    store.log.append(admit(connection, 2))
    assert store.lanes.claim("w", 10) == []
    assert (store.ledger.tallies()[0].held, store.ledger.tallies()[0].pending) == ("key_refused", 2)
    store.connections.unhold(connection, by="test")
    assert refs(claim(store).batches[0]) == [1, 2]


def test_dead_letters_are_replayed_and_leave_the_ledger_exact(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(1, 6)))
    delivery = claim(store)
    (batch,) = delivery.batches
    parts = [Batch(batch.events[:1]), Batch(batch.events[1:2]), Batch(batch.events[2:4]), Batch(batch.events[4:])]
    buried = Bury(Reason.CONTENT_REFUSED)
    reports = [settlement(delivery, batch, Bisect(), REFUSED), settlement(delivery, parts[0], Advance())]
    reports += [settlement(delivery, parts[1], buried, REFUSED), settlement(delivery, parts[2], Advance())]
    store.lanes.settle([*reports, settlement(delivery, parts[3], buried, REFUSED)])
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.delivered, tally.dead, tally.pending, tally.holds) == (3, 2, 0, True)
    assert ask_dead(store, connection, Wanted(message="m2")) == 1
    assert ask_dead(store, connection, Wanted(reason="content_refused")) == 1
    assert store.ledger.tallies(check=True)[0].pending == 2
    again = claim(store)
    assert [refs(each) for each in again.batches] == [[2, 5]]
    assert again.batches[0].replay
    first, second = again.batches[0].halves()
    store.lanes.settle([settlement(again, first, Advance()), settlement(again, second, buried, REFUSED)])
    tally = store.ledger.tallies(check=True)[0]
    assert (tally.delivered, tally.dead, tally.pending, tally.holds) == (4, 1, 0, True)


def test_random_outcomes_keep_the_ledger_exact(store: Store, connection: Connection) -> None:
    chance = random.Random(7)
    choices: list[Decision] = [Advance(), Advance(), Bury(Reason.EXPIRED), Bisect(), Again(0)]
    for _ in range(60):
        store.log.append(admit(connection, *(chance.randrange(10_000) for _ in range(20)), size=chance.choice([10, 100_000])))
        for delivery in store.lanes.claim("w", 5):
            batches = list(delivery.batches)
            chance.shuffle(batches)
            for batch in batches[: chance.randint(1, 4)]:
                store.lanes.settle([settlement(delivery, batch, chance.choice(choices))])
        if chance.random() < 0.2:
            ask_dead(store, connection)
        assert store.ledger.tallies(check=True)[0].faults == ()
        assert store.ledger.tallies(check=True)[0].holds


def test_a_paused_connection_gathers(store: Store, connection: Connection) -> None:
    with store.database.write() as db:
        db.execute("UPDATE connections SET paused = 1")
    store.log.append(admit(connection, 1))
    assert store.lanes.claim("w", 10) == []
    assert store.ledger.tallies()[0].pending == 1


def test_lanes_take_turns(store: Store) -> None:
    names = ["a", "b", "c"]
    for name in names:
        store.log.append(admit(add_connection(store, name), *range(10)))
    turns = [claim_one(store) for _ in range(6)]
    assert sorted(turns[:3]) == names
    assert turns[3:] == turns[:3]


def claim_one(store: Store) -> str:
    """Claim one lane, deliver nothing, and say whose it was."""
    (delivery,) = store.lanes.claim("w", 1)
    return delivery.connection_name


def test_busy_lanes_are_left_alone(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    assert store.lanes.claim("w", 10, busy=[(connection.id, "segment")]) == []


def test_a_key_that_does_not_decrypt_holds_its_lane(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection = add_connection(store)
    store.log.append(admit(connection, 1))
    store.close()
    (tmp_path / "store.db.key").unlink()
    other = make_store(tmp_path)
    assert other.lanes.claim("w", 10) == []
    assert other.ledger.tallies()[0].held == "key_unreadable"
    assert other.connections.unreadable_keys() == [connection.id]
    other.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM log WHERE last_seq = 3", "the log should hold seqs 1 to 5; it holds 2 from 4 to 5"),
        ("UPDATE log SET last_seq = 6 WHERE last_seq = 5", "the log should hold"),
        ("DELETE FROM log WHERE last_seq = 5", "5 events were written; the seqs of all connections account for 3"),
        ("DELETE FROM new_ids WHERE place = 3", "the log holds 5 events and 2 ids, 0 of them of no event"),
        ("UPDATE new_ids SET place = 4", "the log holds 5 events and 5 ids, 5 of them of no event"),
        ("DELETE FROM attempts", "no try ended seqs"),
        ("UPDATE lanes SET cursor = 5", "no try ended seqs 4 to 5"),
        ("DELETE FROM dead_letters", "dead letters do not match"),
        ("INSERT INTO attempts SELECT 99, connection, destination, 1, 2, 2, 0, 1, 0, 0, '', 0, '', 'advance' FROM lanes", "ended twice"),
    ],
)
def test_the_ledger_sees_damage(store: Store, connection: Connection, damage: str, said: str) -> None:
    store.log.append(admit(connection, 1, 2, 3))
    delivery = claim(store)
    (batch,) = delivery.batches
    store.lanes.settle([settlement(delivery, Batch(batch.events[:2]), Advance())])
    store.lanes.settle([settlement(delivery, Batch(batch.events[2:]), Bury(Reason.EXPIRED))])
    store.log.append(admit(connection, 4, 5))
    assert store.ledger.tallies(check=True)[0].holds
    with store.database.write() as db:
        db.execute(damage)
    (tally,) = store.ledger.tallies(check=True)
    assert not tally.holds
    assert said in "; ".join(tally.faults)
