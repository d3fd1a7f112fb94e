"""The ids of the log: the newest apart from all others, each once, whenever they move."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from candu_source.errors import StoreFull
from candu_source.model import Connection, Receipt
from candu_source.store import Store
from candu_source.store.chunks import find_seq
from candu_source.store.ids import IdMover
from candu_source.store.log import append_group
from tests.store.shelf import add_connection, admit, aside, make_store, move_all

_IDS = st.integers(0, 12)
_STEPS = st.one_of(st.lists(_IDS, min_size=1, max_size=5), st.just("move"), st.just("drop"))


def _ids(store: Store) -> tuple[int, int]:
    """Count the newest and all others."""
    with store.database.read() as db:
        row: tuple[int, int] = db.execute("SELECT (SELECT count(*) FROM new_ids), (SELECT count(*) FROM ids)").fetchone()
        return row


def test_ids_move_as_events_come_and_stay_known(store: Store, connection: Connection) -> None:
    for start in range(0, 40_000, 1_000):
        assert store.log.append(admit(connection, *range(start, start + 1_000))).accepted == 1_000
    new, others = _ids(store)
    assert new + others == 40_000
    assert others > 0
    assert store.log.append(admit(connection, *range(0, 40_000, 40))).duplicates == 1_000
    with store.database.read() as db:
        assert [find_seq(db, store.database.sql, connection.id, name) for name in ("m7", "m39999", "m40000")] == [8, 40_000, None]
    assert store.ledger.tallies(connection.id, check=True)[0].holds


@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEPS, max_size=30))
def test_whatever_moves_or_goes_the_log_knows_what_it_has(tmp_path: Path, steps: Sequence[list[int] | str]) -> None:
    store = make_store(tmp_path / os.urandom(8).hex())
    connection = add_connection(store)
    mover = IdMover(store.database)
    chunks: list[set[int]] = []
    for step in steps:
        if step == "move":
            mover.count(10**6)
        elif step == "drop":
            with store.database.write() as db:
                db.execute("DELETE FROM log WHERE place = (SELECT min(place) FROM log)")
            chunks = chunks[1:]
        elif isinstance(step, list):
            known = set[int]().union(*chunks)
            new = set(step) - known
            (receipt,) = append_group(store.database, [admit(connection, *step)])
            assert isinstance(receipt, Receipt)
            assert (receipt.accepted, receipt.duplicates) == (len(new), len(step) - len(new))
            chunks += [new] if new else []
    events = sum(map(len, chunks))
    assert store.database.row("id_faults") == (events, events, 0)
    store.close()


def test_an_event_that_was_filtered_and_came_again_is_no_longer_filtered(store: Store, connection: Connection) -> None:
    store.log.append(aside(connection, filtered=("5", "6")))
    assert store.log.append(admit(connection, 5)).accepted == 1
    assert store.ledger.tallies(connection.id, check=True)[0].filtered == 1


def test_without_room_ids_stay_where_they_are(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, *range(3_000)))
    with store.database.write() as db:
        db.execute("CREATE TABLE room AS SELECT randomblob(1000)")
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    store.database._writer.execute(f"PRAGMA max_page_count = {pages}")
    before = _ids(store)
    with pytest.raises(StoreFull):
        move_all(store)
    store.database._writer.execute("PRAGMA max_page_count = 1000000")
    new, others = _ids(store)
    assert (new + others, store.log.append(admit(connection, *range(3_000))).duplicates) == (sum(before), 3_000)
    assert store.ledger.tallies(connection.id, check=True)[0].holds
