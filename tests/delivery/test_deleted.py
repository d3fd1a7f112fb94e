"""A connection is deleted while its events are on their way: the worker goes on with the others."""

from __future__ import annotations

from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.twin import Twin
from tests.delivery.test_worker import connect, drained, send, settings, store, until, working

__all__ = ["settings", "store"]


def test_the_worker_goes_on_without_a_connection_that_is_deleted_under_way(settings: Settings, store: Store, segment_twin: Twin) -> None:
    leaving, staying = connect(store, segment_twin, "Leaving"), connect(store, segment_twin, "Staying")
    segment_twin.fault(black_hole=True, source=segment_twin.source_id("key-Leaving"))
    send(store, leaving, *["x"] * 3_000)
    with working(settings, store) as log:
        until(lambda: segment_twin.stats()["requests"] > 0)
        store.connections.delete(leaving, by="test")
        send(store, staying, "a", "b")
        until(lambda: drained(store))
        segment_twin.heal()
        until(lambda: "Leaving" in log.getvalue())
        until(lambda: store.database.row("id_faults") == (2, 2, 0))
    (tally,) = store.ledger.tallies(check=True)
    assert (tally.connection, tally.delivered, tally.holds) == ("Staying", 2, True)
