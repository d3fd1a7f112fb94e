"""What went aside is counted as it is, whatever happens to it, and sampled latest first."""

from __future__ import annotations

import random
from typing import Any

from candu_source.deliveries import Advance, Bury, Outcome
from candu_source.errors import Reason
from candu_source.model import Admission, Connection, Filtered, Reject
from candu_source.store import Store
from tests.store.shelf import ACCEPTED, add_connection, admit, ask_dead, claim, settlement

_COUNTED = (
    "SELECT 'rejects', code, '', count(*), sum(count) FROM rejects WHERE connection = :c GROUP BY code "
    "UNION ALL SELECT 'filtered', reason, name, count(*), 0 FROM filtered WHERE connection = :c GROUP BY reason, name "
    "UNION ALL SELECT 'dead', reason, destination, count(*), sum(replay_at IS NOT NULL) FROM dead_letters WHERE connection = :c "
    "GROUP BY reason, destination"
)


def _rows(store: Store) -> dict[str, list[Any]]:
    connections = store.connections.all()
    with store.database.read() as db:
        return {
            each.id: [
                sorted(db.execute(_COUNTED, {"c": each.id}).fetchall()),
                sorted(db.execute(store.database.sql["piles"], {"connection": each.id}).fetchall()),
            ]
            for each in connections
        }


def test_piles_are_as_high_as_what_lies_on_them(store: Store, connection: Connection) -> None:
    chance, other = random.Random(7), add_connection(store, "Other")
    for number in range(60):
        whose = chance.choice((connection, other))
        match chance.randrange(5):
            case 0:
                store.log.append(Admission(whose.id, "webhook", filtered=(_filtered(chance),)))
            case 1:
                store.log.append(Admission(whose.id, "webhook", rejects=(_reject(chance),)))
            case 2:
                store.log.append(admit(whose, *(f"{number}-{place}" for place in range(5))))
                _end(store, chance)
            case 3:
                ask_dead(store, whose)
                _end(store, chance)
            case _:
                for kept in store.shelves.rejects(whose.id, 1):
                    store.replayable.mended(whose, kept.id, by="test")
        for counted, piled in _rows(store).values():
            assert piled == counted
    assert all(counted for counted, _ in _rows(store).values())


def test_groups_are_of_one_connection_and_latest_first(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Other")
    for code in (Reason.INVALID, Reason.SLACK_FORMAT):
        for raw in (b"1", b"2", b"1"):
            store.log.append(Admission(connection.id, "webhook", rejects=(Reject(0, code, {}, raw + code.encode()),)))
    groups = {group.code: group for group in store.groups.rejects(connection.id)}
    assert {code: (group.inputs, group.times) for code, group in groups.items()} == {"invalid": (2, 3), "slack_format": (2, 3)}
    latest = store.groups.rejects_of(connection.id, "invalid", 1)
    assert [each.raw for each in latest] == [b"1invalid"]
    older = store.groups.rejects_of(connection.id, "invalid", 5, before=(latest[0].last_at, latest[0].id))
    assert [each.raw for each in older] == [b"2invalid"]
    assert [*store.groups.rejects(other.id), *store.groups.dead(other.id), *store.groups.filtered(other.id)] == []


def _filtered(chance: random.Random) -> Filtered:
    reason = chance.choice((Reason.UNKNOWN_EVENT, Reason.ANONYMOUS))
    return Filtered(f"m{chance.randrange(12)}", chance.choice("ab"), reason, b"{}")


def _reject(chance: random.Random) -> Reject:
    return Reject(0, chance.choice((Reason.INVALID, Reason.SLACK_FORMAT)), {}, bytes([chance.randrange(5)]))


def _end(store: Store, chance: random.Random) -> None:
    """Deliver or bury what waits on the next lane."""
    if not store.ledger.tallies() or not any(tally.pending for tally in store.ledger.tallies()):
        return
    delivery = next(iter(store.lanes.claim("w", 1)), None) or claim(store)
    refused = Outcome(Reason.CONTENT_REFUSED, 400)
    for batch in delivery.batches:
        reason = chance.choice((Reason.CONTENT_REFUSED, Reason.EXPIRED))
        buries = chance.random() < 0.6
        store.lanes.settle([settlement(delivery, batch, Bury(reason) if buries else Advance(), refused if buries else ACCEPTED)])
