"""The log is gathered one batch ahead of the warehouse: in order, within bounds, and what goes wrong comes in its turn."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from itertools import count

import pytest

from candu_source.destinations.warehouse import gathering
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.gathering import Gathered, ahead, gather
from candu_source.destinations.warehouse.plan import Batch
from candu_source.destinations.warehouse.selection import Selection
from candu_source.errors import StoreError
from candu_source.warehouses import Entry
from tests.warehouse.syncing import Scene

PATIENCE = 30  # seconds


def empty() -> Batch:
    """Make a batch."""
    return Batch(Choices(), Selection(), 63, None)


def numbered() -> Iterator[Gathered]:
    """Gather for ever, a batch an event."""
    return (Gathered(empty(), Entry(number, b"{}", 0.0, None), 1) for number in count(1))


def test_what_is_there_is_gathered_in_order_and_nothing_beyond_the_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "BATCH_EVENTS", 5)
    scene.append(range(20))
    with ahead(gather(scene.store.entries, scene.connection.id, 2, 14, empty)) as batches:
        assert [(last.ref, events) for _, last, events in batches] == [(7, 5), (12, 5), (14, 2)]


def test_the_next_batch_is_gathered_while_one_is_in_use_and_no_more_than_one() -> None:
    gathered: list[int] = []
    second = threading.Event()

    def watched() -> Iterator[Gathered]:
        for each in numbered():
            gathered.append(each.last.ref)
            if each.last.ref == 2:
                second.set()
            yield each

    with ahead(watched()) as batches:
        assert next(batches).last.ref == 1
        assert second.wait(PATIENCE)
        for taken, batch in zip(range(2, 50), batches, strict=False):
            assert batch.last.ref == taken
            assert len(gathered) <= taken + 1


def test_what_goes_wrong_is_raised_when_its_turn_comes() -> None:
    def broken() -> Iterator[Gathered]:
        batches = numbered()
        yield next(batches)
        yield next(batches)
        raise StoreError("SQLite: gone")

    with ahead(broken()) as batches:
        assert [next(batches).last.ref, next(batches).last.ref] == [1, 2]
        with pytest.raises(StoreError, match="gone"):
            next(batches)


def test_who_leaves_early_leaves_no_thread_and_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    with ahead(numbered()) as batches:
        next(batches)
        assert gc.get_threshold() != before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gathering")]
    assert gc.get_threshold() == before
