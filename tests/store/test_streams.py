"""Syncs: their lanes park, pass over and bury event by event, and the ledger stays exact."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from candu_source.deliveries import Advance, Bury, Delivery, Filter, LaneKind, Outcome, Park, Singly, StreamTarget, Tally, Verdict
from candu_source.errors import Conflict, NotFound, Reason, UsageError
from candu_source.jobs import ReplayKind, Wanted
from candu_source.model import Connection, Secret
from candu_source.store import Store
from candu_source.store.batches import STREAM_EVENTS
from candu_source.store.lanes import BATCHES_IN_FLIGHT
from candu_source.streams import Stream
from tests.store.shelf import admit, make_store, refs, settlement

_MET = {Advance: Reason.ACCEPTED, Filter: Reason.NOT_SELECTED, Park: Reason.SERVER_ERROR, Bury: Reason.DISCARDED}
_PASSED = Filter(Reason.NOT_SELECTED)
_LATER = time.time() + 3_600


@pytest.fixture
def sync(store: Store, connection: Connection) -> Stream:
    """Make a sync that is on, on a connection whose own lane is off; one event came before."""
    store.connections.set_lane(connection, "segment", enabled=False, by="test")
    store.log.append(admit(connection, "early"))
    draft = Stream("", "candu", "candu", {"events": True}, {"endpoint": "http://127.0.0.1:9"})
    made = store.streams.add(connection, draft, {"apiKey": Secret("CANARY")}, by="test")
    return store.streams.enable(connection, made, by="test")


def claim(store: Store) -> Delivery:
    """Claim the one lane that is due."""
    (delivery,) = store.lanes.claim("w", 10)
    return delivery


def settle(store: Store, delivery: Delivery, *verdicts: Verdict, failures: int = 0, at: float = 0.0, sooner: bool = False) -> None:
    """Settle the first batch with what was decided for each of its first events."""
    each = tuple(Outcome(_MET[type(verdict)], detail="so it was") for verdict in verdicts)
    decision = Singly(verdicts, failures, at, sooner)
    outcome = Outcome(Reason.ACCEPTED, each=each)
    assert store.lanes.settle([replace(settlement(delivery, delivery.batches[0], decision), outcome=outcome)]) == [True]


def tally(store: Store) -> Tally:
    """Return the sync's tally, which has to hold."""
    found = next(each for each in store.ledger.tallies(check=True) if each.destination == "candu")
    assert found.holds, found.faults
    return found


def counts(store: Store) -> tuple[int, int, int, int]:
    """Return what the ledger says: delivered, dead, filtered, pending."""
    found = tally(store)
    return found.delivered, found.dead, found.filtered, found.pending


def test_nothing_from_before_it_was_on_is_sent(store: Store, connection: Connection, sync: Stream) -> None:
    assert store.lanes.claim("w", 10) == []
    store.log.append(admit(connection, 1, 2))
    delivery = claim(store)
    assert (delivery.kind, [refs(batch) for batch in delivery.batches]) == (LaneKind.STREAM, [[2, 3]])
    assert isinstance(delivery.target, StreamTarget)
    assert (delivery.target.stream.parameters, delivery.target.secrets) == (sync.parameters, {"apiKey": Secret("CANARY")})
    assert {(event.door, event.raw) for event in delivery.batches[0].events} == {("webhook", b"{}")}


def test_what_comes_while_it_is_off_never_is(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1))
    off = store.streams.disable(connection, sync, by="test")
    store.log.append(admit(connection, *range(2, 5_003), size=0))
    assert (off.enabled, store.lanes.claim("w", 10)) == (False, [])
    assert counts(store) == (0, 0, 5_002, 0)
    assert store.streams.enable(connection, off, by="test").enabled
    assert store.lanes.claim("w", 10) == []
    store.log.append(admit(connection, "late"))
    assert refs(claim(store).batches[0]) == [5_004]
    assert counts(store) == (0, 0, 5_002, 1)
    (early,) = [event for event in store.trace.tail(connection.id, most=6_000) if event.message_id == "m1"]
    assert store.trace.states(early)["candu"] == ("filtered", Reason.NOT_ENABLED)


def test_each_event_ends_by_itself(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1, 2, 3, 4, 5))
    settle(store, claim(store), Advance(), _PASSED, Park(_LATER), Bury(Reason.DISCARDED))
    assert counts(store) == (1, 1, 1, 2)
    assert [refs(batch) for batch in claim(store).batches] == [[6]]
    states = {event.message_id: store.trace.states(event)["candu"] for event in store.trace.tail(connection.id)}
    assert states == {
        "mearly": ("delivered", None),
        "m1": ("delivered", None),
        "m2": ("filtered", Reason.NOT_SELECTED),
        "m3": ("pending", "parked"),
        "m4": ("dead", Reason.DISCARDED),
        "m5": ("pending", None),
    }


def test_a_parked_event_comes_again_when_its_time_has_come(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1, 2))
    settle(store, claim(store), Park(time.time() - 1), Advance())
    again = claim(store)
    assert [(refs(batch), batch.replay, batch.events[0].tries) for batch in again.batches] == [([2], True, 1)]
    settle(store, again, Park(_LATER))
    assert (store.lanes.claim("w", 10), counts(store)) == ([], (1, 0, 0, 1))
    with store.database.write() as db:
        assert db.execute("SELECT tries FROM dead_letters").fetchall() == [(2,)]
        db.execute("UPDATE dead_letters SET due_at = due_at - 7200")
    settle(store, claim(store), Advance())
    assert counts(store) == (2, 0, 0, 0)


def test_a_clock_that_jumps_back_strands_no_parked_event(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1))
    settle(store, claim(store), Park(_LATER))
    with store.database.write() as db:
        db.execute("UPDATE dead_letters SET due_at = due_at + 86400, replay_at = replay_at + 86400")
    assert refs(claim(store).batches[0]) == [2]


@pytest.mark.parametrize("verdict", [Advance(), _PASSED, Bury(Reason.EXPIRED)])
def test_a_parked_event_ends_once(store: Store, connection: Connection, sync: Stream, verdict: Verdict) -> None:
    store.log.append(admit(connection, 1))
    settle(store, claim(store), Park(time.time() - 1))
    settle(store, claim(store), verdict)
    delivered, dead, filtered, pending = counts(store)
    assert (delivered + dead + filtered, pending, store.lanes.claim("w", 10)) == (1, 0, [])


def test_a_dead_letter_that_is_asked_for_begins_anew(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1))
    settle(store, claim(store), Park(time.time() - 1))
    settle(store, claim(store), Bury(Reason.EXPIRED))
    with store.database.write() as db:
        db.execute(store.database.sql["ask_dead"], {"connection": connection.id, "destination": "candu", "seq": 2})
    (event,) = claim(store).batches[0].events
    assert (event.ref, event.tries) == (2, 0)


def test_events_of_the_log_cannot_be_sent_again_by_a_sync(store: Store, connection: Connection, sync: Stream) -> None:
    with pytest.raises(UsageError, match="candu is a sync"):
        store.replays.draft(connection, ReplayKind.EVENTS, Wanted(), destination="candu")


def test_a_lane_waits_until_a_parked_event_is_due(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1, 2))
    settle(store, claim(store), Park(time.time() - 1), failures=5, at=_LATER, sooner=True)
    again = claim(store)
    assert (again.failures, [refs(batch) for batch in again.batches]) == (5, [[2]])
    settle(store, again, Park(_LATER), failures=6, at=_LATER, sooner=True)
    assert store.lanes.claim("w", 10) == []


def test_a_lane_that_was_told_to_wait_does(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, 1, 2))
    settle(store, claim(store), Park(time.time() - 1), failures=1, at=_LATER)
    assert store.lanes.claim("w", 10) == []


def test_batches_are_small(store: Store, connection: Connection, sync: Stream) -> None:
    store.log.append(admit(connection, *range(STREAM_EVENTS * 5), size=0))
    assert [len(batch.events) for batch in claim(store).batches] == [STREAM_EVENTS] * BATCHES_IN_FLIGHT


def test_retention_keeps_the_ledger_exact(store_of_today: Store) -> None:
    store = store_of_today
    connection, _ = store.connections.add(Connection("", "Prod", segment_host="http://127.0.0.1:9"), Secret("k"), by="test")
    sync = store.streams.add(connection, Stream("", "candu", "candu"), {}, by="test")
    store.streams.enable(connection, sync, by="test")
    store.log.append(admit(connection, 1, 2, 3))
    segment, candu = sorted(store.lanes.claim("w", 10), key=lambda each: each.kind)
    store.lanes.settle([settlement(segment, segment.batches[0], Advance())])
    settle(store, candu, Advance(), _PASSED, Park(_LATER))
    store.streams.disable(connection, sync, by="test")
    store.log.append(admit(connection, 4))
    (segment,) = store.lanes.claim("w", 10)
    store.lanes.settle([settlement(segment, segment.batches[0], Advance())])
    while store.keeper.prune():
        pass
    assert counts(store) == (1, 0, 2, 1)
    assert store.database.row("log_span", {"connection": connection.id, "after": 0})[0] == 3  # the chunk of the parked event
    store.streams.enable(connection, sync, by="test")
    assert counts(store) == (1, 0, 2, 1)


@pytest.fixture
def store_of_today(tmp_path: Path) -> Store:
    """Open a store that keeps nothing."""
    return make_store(tmp_path, retention_days=0)


def test_a_name_is_taken_once(store: Store, connection: Connection, sync: Stream) -> None:
    with pytest.raises(Conflict):
        store.streams.add(connection, Stream("", "segment", "candu"), {}, by="test")
    with pytest.raises(UsageError, match="cannot be called"):
        store.streams.add(connection, Stream("", "../x", "candu"), {}, by="test")
    with pytest.raises(NotFound, match="it has candu"):
        store.streams.named(connection, "other")


def test_changes_are_audited_without_secrets(store: Store, connection: Connection, sync: Stream) -> None:
    changed = replace(sync, parameters={"endpoint": "http://127.0.0.1:8"})
    saved = store.streams.save(connection, changed, {"apiKey": Secret("CANARY2")}, by="anna")
    assert (saved.parameters, saved.secrets) == (changed.parameters, ("apiKey",))
    assert store.streams.secrets(connection, "candu") == {"apiKey": Secret("CANARY2")}
    entries = store.audit.rows(connection.id, 50)
    assert "CANARY" not in str(entries)
    store.streams.remove(connection, saved, by="anna")
    assert [each.destination for each in store.ledger.tallies(check=True)] == ["segment"]
