"""The watch is killed, meets another, meets a store that fails: nothing is noticed twice, missed or counted wrong."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from candu_source.errors import StaleLease, StoreBusy, StoreError
from candu_source.findings import Known, Lesson, Notice, Reading, Source
from candu_source.observe import Telltale
from candu_source.store import Database
from candu_source.store.shapes import SqlShapes
from candu_source.watch import Watch
from tests.shapes.test_shapes_watch import view
from tests.shapes.watching import Place


class Killed(BaseException):
    """Stand for a kill: nothing in the process runs on."""


class Dying(SqlShapes):
    """End the process at a chosen keep: before it, inside of its transaction, or after it."""

    def __init__(self, database: Database, at: int, where: str) -> None:
        super().__init__(database)
        self.left, self.where = at, where

    def keep(self, reading: Reading, notices: Sequence[Notice], lessons: Sequence[Lesson]) -> None:
        """Keep, or die."""
        self.left -= 1
        if self.left:
            super().keep(reading, notices, lessons)
            return
        if self.where == "after":
            super().keep(reading, notices, lessons)
        if self.where == "inside":
            unwritable: Any = object()
            with pytest.raises(StoreError):
                super().keep(reading, notices, [*lessons, Lesson(notices[0].subject, unwritable, Known(frozenset({"text"}), always=True))])
        raise Killed


class Failing(SqlShapes):
    """Fail the first reading."""

    failed = False

    def read(self, source: Source, most: int) -> Reading:
        """Fail once."""
        if not self.failed:
            self.failed = True
            raise StoreBusy("the store is busy")
        return super().read(source, most)


class Waits:
    """Stop after so many waits, and remember them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seconds: list[float] = []

    def is_set(self) -> bool:
        """Tell whether there were enough."""
        return len(self.seconds) >= self.most

    def wait(self, timeout: float) -> bool:
        """Wait no time at all."""
        self.seconds.append(timeout)
        return self.is_set()


@pytest.mark.parametrize("where", ["before", "inside", "after"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_kill_at_any_point_of_a_step_keeps_the_counts_exact(tmp_path: Path, where: str, at: int) -> None:
    place = Place(tmp_path)
    customer = place.customer()
    place.send(customer, "webhook", [view(n, mood="x") for n in range(5)])
    refused = view("refused", mood="x")
    del refused["payload"]["properties"]["documentId"]
    place.send(customer, "webhook", refused)
    place.watch = replace(place.watch, shapes=Dying(place.store.database, at, where))
    with pytest.raises(Killed):
        place.look()
    place.store.close()
    again = Place(tmp_path)
    again.send(customer, "webhook", view(9, mood="x"))
    again.look()
    expected = [("new", "payload.mood", "text", 7), ("missing", "payload.properties.documentId", "", 1)]
    assert again.seen(customer) == expected


def test_two_watches_do_not_count_twice(tmp_path: Path) -> None:
    place, other = Place(tmp_path), Place(tmp_path)
    customer = place.customer()
    place.send(customer, "webhook", [view(n, mood="x") for n in range(3)])

    class Overtaken(SqlShapes):
        def keep(self, reading: Reading, notices: Sequence[Notice], lessons: Sequence[Lesson]) -> None:
            other.look()
            super().keep(reading, notices, lessons)

    slow = replace(place.watch, shapes=Overtaken(place.store.database))
    with pytest.raises(StaleLease):
        slow.step()
    place.send(customer, "webhook", view(3, mood="x"))
    place.look()
    assert place.seen(customer) == [("new", "payload.mood", "text", 4)]
    assert len(place.facts("shape.noticed")) + len(other.facts("shape.noticed")) == 1


def test_what_was_learned_is_known_after_a_restart(tmp_path: Path) -> None:
    place = Place(tmp_path)
    customer = place.customer()
    custom = {"payload": {"userId": "u", "eventName": "Custom", "properties": {"a": 1, "b": {"c": [1]}}}}
    place.send(customer, "webhook", [custom, view(0, mood="x")])
    place.look()
    place.store.close()
    again = Place(tmp_path)
    again.send(customer, "webhook", [custom, view(1, mood="x"), view(2)])
    again.look()
    assert again.seen(customer) == [("new", "payload.mood", "text", 2)]
    assert again.facts("shape.noticed") == []


def test_the_watch_outlasts_a_store_that_fails_and_always_rests(tmp_path: Path) -> None:
    place = Place(tmp_path)
    customer = place.customer()
    place.send(customer, "webhook", view(0, mood="x"))
    lines = io.StringIO()
    watch = Watch(Failing(place.store.database), place.store.connections, place.store.contents, Telltale(lines))
    waits = Waits(3)
    watch.run(waits)
    assert "store.failed" in lines.getvalue()
    assert place.seen(customer) == [("new", "payload.mood", "text", 1)]
    assert min(waits.seconds) >= 1


def test_no_notice_is_written_where_there_is_no_room(tmp_path: Path) -> None:
    place = Place(tmp_path)
    customer = place.customer()
    place.send(customer, "webhook", view(0, mood="x"))
    place.store.close()
    full = Place(tmp_path, min_free_mb=2**40)
    with pytest.raises(StoreError, match="are free"):
        full.watch.step()
    assert full.seen(customer) == []
    full.store.close()
    mended = Place(tmp_path)
    mended.look()
    assert mended.seen(customer) == [("new", "payload.mood", "text", 1)]
