"""Fill one table with the calls of a batch: its columns, their types, and the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, repeat
from operator import itemgetter
from typing import Any

from candu_source.destinations.warehouse.casting import Cast, cast, cast_all
from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.mapping import Target
from candu_source.destinations.warehouse.remarks import Remarks
from candu_source.destinations.warehouse.tables import Cell, Column, TableLoad, Type
from candu_source.destinations.warehouse.values import infer

# Seen in warehouses of Segment's: `id varchar(1024)`. PostgreSQL's index takes no more than 2 704 bytes of a key.
ID_CHARACTERS, ID_BYTES = 1_024, 2_600
# A row of PostgreSQL has 8 160 bytes, and a long value takes up to 24 of them where the row points to it.
MOST_CELLS = 320
BAD_ID = "row left out: its id is too long, or not of the column's type"
MANY_COLUMNS = "not loaded: the table has as many columns as it may have"
# Segment's order in warehouses seen: these, then the others by name.
_FIRST = ("id", "received_at", "uuid_ts")

_ID = Column(Type.STRING)
_UTF8_BYTES = 4  # at most, of one character

Row = tuple[Cell, ...]
# A strand's cells by column.
Cells = Mapping[str, Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Strand:
    """Hold calls that are alike, as one table takes them.

    `cells` are their values, place by place, the first their places in the log; `kinds` the Python types of the places; `columns` tells
    from which place a column is filled, `casts` are shared by all strands of these calls.
    """

    cells: Sequence[Sequence[Any]]
    kinds: Sequence[type]
    columns: Mapping[str, int]
    casts: dict[tuple[int, Column], Cast]

    def cast(self, place: int, column: Column) -> Cast:
        """Return the cells that a place gives a column, and what is to be said; other tables that take these calls have them too."""
        known = self.casts.get((place, column))
        if known is None:
            known = self.casts[place, column] = cast_all(column, self.kinds[place], self.cells[place])
        return known


@dataclass(frozen=True, slots=True)
class Filling:
    """Fill a table that has these columns (None: there is no such table), as was chosen."""

    target: Target
    existing: Mapping[str, Column] | None
    choices: Choices
    remarks: Remarks

    def load(self, strands: Sequence[Strand]) -> TableLoad | None:
        """Return what the strands bring to the table; None where nothing is left of them."""
        identified = [each for strand in strands if (each := self._identified(strand)) is not None]
        if not identified:
            return None
        columns = self._columns(identified)
        filled = [(strand, self._cells(strand, columns)) for strand in identified]
        names = {name for _, cells in filled for name in cells}
        order = [name for name in _FIRST if name in names] + sorted(names.difference(_FIRST))
        return TableLoad(
            table=self.target.table,
            new=self.existing is None,
            added={name: kind for name in order if name not in (self.existing or {}) and (kind := columns[name].type)},
            columns=tuple(order),
            rows=self._states(filled, order) if self.target.fold else _unique(_rows(filled, order)),
            fold=self.target.fold,
        )

    def _identified(self, strand: Strand) -> Strand | None:
        """Return the strand's calls whose id the table can hold whole; ids are never cut."""
        column = (self.existing or {}).get("id", _ID)
        most = min(column.characters or ID_CHARACTERS, ID_CHARACTERS)
        ids = strand.cells[strand.columns["id"]]
        if column.type is Type.STRING and max(map(len, ids)) <= min(most, ID_BYTES // _UTF8_BYTES):
            return strand
        fit = [len(each) <= most and len(each.encode()) <= ID_BYTES and cast(column, each)[0] is not None for each in ids]
        if all(fit):
            return strand
        lost = [each for each, fits in zip(ids, fit, strict=True) if not fits]
        self.remarks.add(self.target.table, "id", BAD_ID, lost[-1], len(lost))
        return replace(strand, cells=[list(compress(each, fit)) for each in strand.cells], casts={}) if any(fit) else None

    def _columns(self, strands: Sequence[Strand]) -> dict[str, Column]:
        """Return the columns that the strands may fill, those that the table lacks with the type that they get."""
        found: dict[str, list[Strand]] = {}
        for strand in strands:
            for name in strand.columns:
                found.setdefault(name, []).append(strand)
        existing = self.existing or {}
        most = min(self.choices.most_columns, MOST_CELLS) if self.target.fold else self.choices.most_columns
        room = most - len(existing)
        columns: dict[str, Column] = {}
        for name, where in found.items():
            if name in existing:
                columns[name] = self._bounded(name, existing[name])
            elif room > 0:
                room -= 1
                columns[name] = self._bounded(name, Column(self.target.declared.get(name) or self._type(name, where)))
            else:
                self.remarks.add(self.target.table, "", MANY_COLUMNS, name, sum(len(strand.cells[0]) for strand in where))
        return columns

    def _bounded(self, name: str, column: Column) -> Column:
        """Return the column with the bounds that are chosen; ids are never cut."""
        most = [bound for bound in (column.characters, self.choices.truncate_text if name != "id" else 0) if bound]
        return column._replace(characters=min(most)) if most else column

    def _type(self, name: str, where: Iterable[Strand]) -> Type:
        """Return the type that the newest value gives (or the oldest, by choice), by its place in the log."""
        if self.choices.new_column == "newest":
            strand, at = max(where, key=lambda strand: strand.cells[0][-1]), -1
        else:
            strand, at = min(where, key=lambda strand: strand.cells[0][0]), 0
        return infer(strand.cells[strand.columns[name]][at])

    def _cells(self, strand: Strand, columns: Mapping[str, Column]) -> Cells:
        """Return the strand's cells by column; columns for which none is left are not in it."""
        cells: dict[str, Sequence[Cell]] = {}
        for name, place in strand.columns.items():
            if name in columns:
                taken, said = strand.cast(place, columns[name])
                for what, (times, sample) in said.items():
                    self.remarks.add(self.target.table, name, what, sample, times)
                if not said or any(cell is not None for cell in taken):
                    cells[name] = taken
        return cells

    def _states(self, filled: Sequence[tuple[Strand, Cells]], order: Sequence[str]) -> list[Row]:
        """Return the latest state of each id: a later row has the word, and what it does not say stays."""
        at = [when for strand, _ in filled for when in zip(strand.cells[strand.columns["received_at"]], strand.cells[0], strict=True)]
        states: dict[Cell, Row] = {}
        for _, row in sorted(zip(at, _rows(filled, order), strict=True), key=itemgetter(0)):
            before = states.get(row[0], row)
            states[row[0]] = tuple(old if new is None else new for old, new in zip(before, row, strict=True))
        return list(states.values())


def _rows(filled: Iterable[tuple[Strand, Cells]], order: Sequence[str]) -> list[Row]:
    """Return the rows of all strands."""
    rows: list[Row] = []
    for _, cells in filled:
        rows += zip(*(cells.get(name) or repeat(None) for name in order), strict=False)
    return rows


def _unique(rows: list[Row]) -> list[Row]:
    """Return the first row of each id; ids become one where a user gave their column another type."""
    unique = {row[0]: row for row in reversed(rows)}
    return rows if len(unique) == len(rows) else list(reversed(unique.values()))
