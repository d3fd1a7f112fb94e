"""Plan what one batch of events brings to a warehouse: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from msgspec import MsgspecError

from candu_source.destinations.warehouse.casting import Cast
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.filling import MOST_CELLS, Filling, Strand
from candu_source.destinations.warehouse.flattening import Flattener, Shape
from candu_source.destinations.warehouse.layout import Calls, Names, lay_out, shortened
from candu_source.destinations.warehouse.mapping import BUILT_IN, ID, KINDS, TRACK, Event, Kind, Target, common, event
from candu_source.destinations.warehouse.messages import Message, mend, read, wants_warehouse
from candu_source.destinations.warehouse.recalling import Recall
from candu_source.destinations.warehouse.remarks import Remarks
from candu_source.destinations.warehouse.selection import Selection
from candu_source.destinations.warehouse.tables import Catalog, Column, Load, TableLoad
from candu_source.warehouses import Entry

# What reading raises for messages that are not as JSON or warehouses have them.
_NOT_READ = (MsgspecError, ValueError)
UNREADABLE = "event left out: no JSON object that can be read"
MENDED = "event loaded without what no warehouse holds: NUL, lone surrogates, bytes that are no UTF-8, numbers beyond all bounds"
TOO_DEEP = "event left out: nested too deep"
NO_ID = "event left out: no messageId"
NO_KIND = "event left out: its type is none of Segment's calls"
MANY_CELLS = f"not loaded: an event fills {MOST_CELLS} columns at most"
MANY_TABLES = "rows left out: the source has as many tables as it may have"
_SAMPLE_BYTES = 100

# What calls that are alike have in common: the tables that take them, and what `Calls` has.
_Alike = tuple[tuple[Target, ...], Kind, tuple[type, ...], Shape, Shape]


def plan(
    entries: Iterable[Entry],
    catalog: Catalog,
    *,
    choices: Choices,
    selection: Selection,
    name_bytes: int,
    now: float,
    only: frozenset[str] | None = None,
) -> Load:
    """Return what a batch brings to a warehouse that has this catalog, by tables, and what is to be said of it.

    `entries` come in the order of the log, with any bytes in them. `now`, seconds since the epoch, becomes `uuid_ts`. With `only`
    nothing is planned for other tables.
    """
    batch = Batch(choices, selection, name_bytes, only)
    for entry in entries:
        batch.add(entry)
    return batch.load(catalog, datetime.fromtimestamp(now, UTC))


@dataclass(slots=True)
class Batch:
    """Gather calls that are alike, so that names and types are decided once for all of them."""

    choices: Choices
    selection: Selection
    name_bytes: int
    only: frozenset[str] | None
    remarks: Remarks = field(default_factory=Remarks)
    left_out: int = 0
    _flattener: Flattener = field(default_factory=Flattener)
    _events: dict[str, Event] = field(default_factory=dict)
    _taking: dict[tuple[Target, Target | None], tuple[Target, ...]] = field(default_factory=dict)
    _wanting: Recall[bool] = field(default_factory=lambda: Recall(wants_warehouse))
    _seen: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    _rows: dict[_Alike, list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take one event in; what cannot become a row is remarked, whatever it is."""
        try:
            try:
                self._take(entry, read(entry.message))
            except _NOT_READ:
                self._take(entry, mend(entry.message))
                self._remark(MENDED, entry)
        except _NOT_READ:
            self._remark(UNREADABLE, entry)
        except RecursionError:
            self._remark(TOO_DEEP, entry)

    def load(self, catalog: Catalog, now: datetime) -> Load:
        """Return what the events bring; the batch is empty then."""
        loads: list[TableLoad] = []
        room = self.choices.most_tables - len(catalog.keys() | BUILT_IN)
        for table, (target, strands) in sorted(self._strands(now).items()):
            if table not in catalog and table not in BUILT_IN:
                room -= 1
                if room < 0:
                    self.remarks.add(table, "", MANY_TABLES, "", sum(len(strand.cells[0]) for strand in strands))
                    continue
            load = Filling(target, catalog.get(table), self.choices, self.remarks).load(strands)
            if load is not None:
                loads.append(load)
        return Load(loads, self.remarks.all(), self.left_out)

    def _take(self, entry: Entry, message: Message) -> None:
        kind = KINDS.get(message.type or "")
        if not self._wanting[bytes(message.integrations)]:
            self.left_out += 1
        elif kind is None:
            self._remark(NO_KIND, entry)
        elif not message.message_id:
            self._remark(NO_ID, entry)
        else:
            envelope = common(message, entry, self.choices)
            own, other = self._own(kind, message, envelope)
            targets = self._targets(kind.target, other)
            if targets:
                self._put(kind, targets, envelope + own, message)

    def _put(self, kind: Kind, targets: tuple[Target, ...], envelope: tuple[Any, ...], message: Message) -> None:
        context, its_values = self._flattener.contexts[bytes(message.context)]
        body, values = self._flattener.bodies[bytes(message.properties if kind.body == "properties" else message.traits)]
        # Only now is the id marked as seen: a message that could not be read so far is taken a second time.
        new = self._new(envelope[ID], targets)
        if new:
            alike = (new, kind, tuple(map(type, envelope)), context, body)
            rows = self._rows.get(alike)
            if rows is None:
                rows = self._rows[alike] = []
            rows.append(envelope + its_values + values)

    def _new(self, identifier: str, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Return the targets that did not have this id in the batch yet, and remember it; states take every call."""
        had = self._seen.get(identifier)
        if had is None:
            self._seen[identifier] = targets
            return targets
        tables = {target.table for target in had}
        self._seen[identifier] = had + targets
        return tuple([target for target in targets if target.fold or target.table not in tables])

    def _remark(self, what: str, entry: Entry) -> None:
        self.remarks.add("", "", what, entry.message[:_SAMPLE_BYTES].decode("utf-8", "replace"))

    def _own(self, kind: Kind, message: Message, envelope: tuple[Any, ...]) -> tuple[tuple[Any, ...], Target | None]:
        """Return the cells that only this kind of call has, and the table that it goes to beside its kind's."""
        if kind is TRACK:
            name = message.event
            if name is None:
                return (None, None), None
            known = self._events.get(name) or self._event(name)
            return (known.cell, name), known.target
        own = tuple([getattr(message, word) for word in kind.own])
        if kind.state is None:
            return own, None
        state, place = kind.state
        return own, state if (envelope + own)[place] else None

    def _event(self, name: str) -> Event:
        """Settle what the name of a track event gives, once a batch."""
        known = self._events[name] = event(name, self.choices, self.name_bytes)
        if known.target is not None and Names(self.choices, self.name_bytes).cuts(name, known.target.table):
            self.remarks.add(known.target.table, "", shortened(self.name_bytes), name)
        return known

    def _targets(self, main: Target, other: Target | None) -> tuple[Target, ...]:
        """Return those of a call's tables that are wanted."""
        known = self._taking.get((main, other))
        if known is None:
            known = tuple(target for target in (main, other) if target is not None and self._wants(target.table))
            self._taking[main, other] = known
        return known

    def _wants(self, table: str) -> bool:
        return self.selection.of(table).loaded and (self.only is None or table in self.only)

    def _strands(self, now: datetime) -> dict[str, tuple[Target, list[Strand]]]:
        """Return the calls by the tables that take them."""
        tables: dict[str, tuple[Target, list[Strand]]] = {}
        for alike in list(self._rows):
            targets, kind, envelope, context, body = alike
            rows = self._rows.pop(alike)
            cells = [*(list(map(itemgetter(place), rows)) for place in range(len(rows[0]))), [now] * len(rows)]
            kinds = (*envelope, *context.kinds, *body.kinds, datetime)
            calls = Calls(kind, envelope, context, body)
            casts: dict[tuple[int, Column], Cast] = {}
            for target in targets:
                columns = self._columns(calls, target, cells)
                tables.setdefault(target.table, (target, []))[1].append(Strand(cells, kinds, columns, casts))
        return tables

    def _columns(self, calls: Calls, target: Target, cells: Sequence[Sequence[Any]]) -> dict[str, int]:
        """Return the places of a table's columns, the envelope's first, without those that are excluded or too many."""
        laid_out, oddities = lay_out(calls, target, Names(self.choices, self.name_bytes))
        excluded = self.selection.of(target.table).excluded
        for column, what, place in oddities:
            if column not in excluded:
                self.remarks.add(target.table, column, what, cells[place][-1], len(cells[0]))
        places = {"uuid_ts": len(cells) - 1} | laid_out
        columns = {column: place for column, place in places.items() if column not in excluded}
        for column in list(columns)[MOST_CELLS:]:
            self.remarks.add(target.table, "", MANY_CELLS, column, len(cells[0]))
            del columns[column]
        return columns
