"""Compare two warehouses of one source row by row: both come in the order of their ids, so that memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from candu_source.destinations.warehouse.comparison import Comparison, Rows, Sample, TableComparison, Values
from candu_source.destinations.warehouse.mapping import ACCOUNTS, USERS
from candu_source.destinations.warehouse.parity import Tolerated, differs
from candu_source.destinations.warehouse.sides import Row, Side, Span
from candu_source.destinations.warehouse.tables import Column
from candu_source.errors import UsageError

# What was received less than so long before the end of a side may still be on its way to it.
UNDER_WAY = timedelta(hours=1)
_TOGETHER = 1_000
# `id` is what rows are found by; `uuid_ts`, when a loader last had the row in hand, is each side's own.
_UNCOMPARED = frozenset({"id", "uuid_ts"})
# They hold the latest state of an id: what was received outside of the span is an earlier or a later state.
_STATES = frozenset({USERS.table, ACCOUNTS.table})


@dataclass(slots=True)
class Progress:
    """Count rows, and tell how many of how many are done."""

    tell: Callable[[int, int], None]
    total: int
    done: int = 0

    def add(self, rows: int) -> None:
        """Note that so many more are done."""
        self.done += rows
        self.tell(self.done, self.total)


def compare(
    here: Side,
    there: Side,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    only: Sequence[str] = (),
    samples: int,
    tell: Callable[[int, int], None],
) -> Comparison:
    """Compare all tables, or `only` some, and keep so many samples of each difference.

    Without `since` or `until` rows are compared of the time that both reach, less an hour at its end. `tell` hears rows done and to do.
    Raises UsageError for a schema without tables, a table that neither has, and where there is no such time, and WarehouseError.
    """
    for each, where in ((here, "here"), (there, "there")):
        if not each.tables:
            raise UsageError(f"the schema {each.schema} holds no table of Segment's {where}; --schema names the one there")
    if unknown := sorted({*only} - {*here.tables, *there.tables}):
        raise UsageError(f"--table: neither has {unknown[0]!r}; there are {', '.join(sorted({*here.tables, *there.tables}))}")
    ours, theirs = ({*only} & {*each.tables} if only else {*each.tables} for each in (here, there))
    common = sorted(ours & theirs)
    span = _span(here, there, common, since, until)
    progress = Progress(tell, sum(here.count(table, span) for table in common))
    return Comparison(
        schema_here=here.schema,
        schema_there=there.schema,
        since=span.since,
        until=span.until,
        tables_here=sorted(ours - theirs),
        tables_there=sorted(theirs - ours),
        tables=[_Table(here, there, table, span, samples).compare(progress) for table in common],
    )


def _span(here: Side, there: Side, tables: Sequence[str], since: datetime | None, until: datetime | None) -> Span:
    if since is None or until is None:
        mine, other = here.reach(tables), there.reach(tables)
        if mine is None or other is None:
            raise UsageError(f"there are no rows to compare {'here' if mine is None else 'there'} in the tables that both have")
        since = since or max(mine.since, other.since)
        until = until or min(mine.until, other.until) - UNDER_WAY
    if since >= until:
        reach = f"from {since:%Y-%m-%dT%H:%MZ} to {until:%Y-%m-%dT%H:%MZ}"
        raise UsageError(f"there is no time to compare {reach}; choose it with --since and --until")
    return Span(since, until)


@dataclass(slots=True)
class _Found:
    """Count things, and keep the first few."""

    most: int
    times: int = 0
    samples: list[Any] = field(default_factory=list)

    def add(self, sample: Any) -> None:
        self.times += 1
        if len(self.samples) < self.most:
            self.samples.append(sample)


class _Table:
    """Compare one table that both have."""

    def __init__(self, here: Side, there: Side, table: str, span: Span, samples: int) -> None:
        self._here, self._there, self._table, self._span, self._samples = here, there, table, span, samples
        mine, other = here.tables[table], there.tables[table]
        self._types = {name: (mine[name], other[name]) for name in sorted(mine) if name in other}
        readable = [name for name, types in self._types.items() if all(each.type for each in types)]
        self._columns = ["id", *(name for name in readable if name not in _UNCOMPARED)]
        self._bounds = {
            name: min((each.characters for each in types if each.characters), default=None) for name, types in self._types.items()
        }
        self._rows = 0
        self._missing_here, self._missing_there, self._repeated_here, self._repeated_there = (_Found(samples) for _ in range(4))
        self._values: dict[str, _Found] = {}
        self._tolerated: Counter[Tolerated] = Counter()

    def compare(self, progress: Progress) -> TableComparison:
        """Read both sides to their ends."""
        ours = self._once(self._here, self._repeated_here)
        theirs = self._once(self._there, self._repeated_there)
        pairs = _merged(ours, theirs)
        while some := list(islice(pairs, _TOGETHER)):
            self._judge(some)
            progress.add(sum(mine is not None for mine, _ in some))
        return self._told()

    def _once(self, side: Side, repeated: _Found) -> Iterator[Row]:
        """Read a side's rows, each id once: Redshift's keys keep nothing out."""
        last = None
        for row in side.rows(self._table, self._columns, self._span):
            if row[0] == last:
                repeated.add(last)
            else:
                yield row
            last = row[0]

    def _judge(self, some: Sequence[tuple[Row | None, Row | None]]) -> None:
        """Compare rows; what one side lacks in this span may stand there outside of it."""
        self._rows += len(some)
        elsewhere_here = self._here.named(self._table, self._columns, [other[0] for mine, other in some if mine is None and other])
        elsewhere_there = self._there.named(self._table, self._columns, [mine[0] for mine, other in some if other is None and mine])
        for mine, other in some:
            if mine and other:
                self._compare_rows(mine, other)
            elif mine:
                self._compare_moved(mine, elsewhere_there.get(mine[0]), mine[0], self._missing_there)
            elif other:
                self._compare_moved(elsewhere_here.get(other[0]), other, other[0], self._missing_here)

    def _compare_moved(self, mine: Row | None, other: Row | None, identifier: str, missing: _Found) -> None:
        if mine is None or other is None:
            missing.add(identifier)
        elif self._table in _STATES:
            self._tolerated[Tolerated.STATE] += 1
        else:
            self._compare_rows(mine, other)

    def _compare_rows(self, mine: Row, other: Row) -> None:
        for name, here, there in zip(self._columns, mine, other, strict=True):
            if here == there and type(here) is type(there):
                continue
            found = differs(name, here, there, self._bounds[name])
            if isinstance(found, Tolerated):
                self._tolerated[found] += 1
            elif found:
                self._values.setdefault(name, _Found(self._samples)).add(Sample(mine[0], here, there))

    def _told(self) -> TableComparison:
        mine, other = self._here.tables[self._table], self._there.tables[self._table]
        return TableComparison(
            table=self._table,
            rows=self._rows,
            missing_here=_rows(self._missing_here),
            missing_there=_rows(self._missing_there),
            repeated_here=_rows(self._repeated_here),
            repeated_there=_rows(self._repeated_there),
            columns_here=sorted(mine.keys() - other.keys()),
            columns_there=sorted(other.keys() - mine.keys()),
            types={
                name: (ours.physical, theirs.physical)
                for name, (ours, theirs) in sorted(self._types.items())
                if ours.type is not theirs.type
            },
            values={name: Values(found.times, tuple(found.samples)) for name, found in sorted(self._values.items())},
            tolerated=dict(self._tolerated),
        )


def _merged(ours: Iterator[Row], theirs: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Pair rows by id: both come in its order."""
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[0] < other[0]):
            yield mine, None
            mine = next(ours, None)
        elif mine is None or other[0] < mine[0]:
            yield None, other
            other = next(theirs, None)
        else:
            yield mine, other
            mine, other = next(ours, None), next(theirs, None)


def _bound(columns: Sequence[Column]) -> int | None:
    return min((each.characters for each in columns if each.characters is not None), default=None)


def _rows(found: _Found) -> Rows:
    return Rows(found.times, tuple(found.samples))
