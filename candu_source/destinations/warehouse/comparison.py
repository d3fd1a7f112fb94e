"""Hold what a comparison of two warehouses found, as frozen values, and say it in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from candu_source.destinations.warehouse.parity import ADDED, Tolerated
from candu_source.destinations.warehouse.tables import Cell

_NAMED = 5


class Sample(NamedTuple):
    """Hold one value that differs, with the row's id."""

    id: str
    here: Cell
    there: Cell


@dataclass(frozen=True, slots=True)
class Rows:
    """Count rows, and name some of them by their ids."""

    times: int = 0
    samples: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Values:
    """Count the rows in which a column differs, and show some."""

    times: int = 0
    samples: Sequence[Sample] = ()


@dataclass(frozen=True, slots=True)
class TableComparison:
    """Say how a table of the one differs from the other's: here is our warehouse, there the one it is compared with.

    `rows` counts the ids in the time compared, on either side; `repeated_…` ids that stand there more than once. `types` holds
    {column: (here, there)} as each warehouse calls them, `tolerated` how often what was not equal counts as the same.
    """

    table: str
    rows: int = 0
    missing_here: Rows = field(default_factory=Rows)
    missing_there: Rows = field(default_factory=Rows)
    repeated_here: Rows = field(default_factory=Rows)
    repeated_there: Rows = field(default_factory=Rows)
    columns_here: Sequence[str] = ()
    columns_there: Sequence[str] = ()
    types: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    tolerated: Mapping[Tolerated, int] = field(default_factory=dict)

    @property
    def same_schema(self) -> bool:
        """Tell whether both have the same columns with the same types, but for those that Segment adds."""
        return not (self.columns_here or set(self.columns_there) - ADDED or self.types)

    @property
    def same(self) -> bool:
        """Tell whether nothing differs."""
        found = (self.missing_here, self.missing_there, self.repeated_here, self.repeated_there)
        return self.same_schema and not self.values and not any(rows.times for rows in found)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Say how two schemas differ; rows are compared that were received from `since` on and before `until`, on either side."""

    schema_here: str
    schema_there: str
    since: datetime
    until: datetime
    tables_here: Sequence[str]
    tables_there: Sequence[str]
    tables: Sequence[TableComparison]

    @property
    def same_schema(self) -> bool:
        """Tell whether both have the same tables with the same columns."""
        return not (self.tables_here or self.tables_there) and all(table.same_schema for table in self.tables)

    @property
    def same(self) -> bool:
        """Tell whether nothing differs."""
        return not (self.tables_here or self.tables_there) and all(table.same for table in self.tables)

    def verdict(self) -> str:
        """Return one line: what is the same, and what is not."""
        rows = sum(table.rows for table in self.tables)
        schema = "The same schema" if self.same_schema else f"Another schema ({self._schema()})"
        found = [
            *self._rows("missing_there", f"of {_number(rows)} rows {{are}} missing there"),
            *self._rows("missing_here", f"of {_number(rows)} rows {{are}} missing here"),
            *self._rows("repeated_there", "ids stand there more than once"),
            *self._rows("repeated_here", "ids stand here more than once"),
            *self._values(),
        ]
        return f"{schema}; {'; '.join(found) if found else f'all {_number(rows)} rows are on both sides with the same values'}."

    def _schema(self) -> str:
        tables = {"tables only here": self.tables_here, "tables only there": self.tables_there}
        said = [f"{what}: {', '.join(names)}" for what, names in tables.items() if names]
        columns = [
            f"{table.table}.{column}"
            for table in self.tables
            for column in (*table.columns_here, *(each for each in table.columns_there if each not in ADDED), *table.types)
        ]
        return "; ".join([*said, *([f"columns: {_some(columns)}"] if columns else [])])

    def _rows(self, which: str, what: str) -> list[str]:
        found: list[Rows] = [getattr(table, which) for table in self.tables]
        times = sum(rows.times for rows in found)
        samples = [sample for rows in found for sample in rows.samples]
        are = "is" if times == 1 else "are"
        return [f"{_number(times)} {what.format(are=are)}: {_some(samples, times)}"] if times else []

    def _values(self) -> list[str]:
        columns = {f"{table.table}.{column}": values for table in self.tables for column, values in table.values.items()}
        return [f"values differ in {_some([f'{name} ({_number(each.times)})' for name, each in columns.items()])}"] if columns else []


def _some(words: Sequence[str], of: int | None = None) -> str:
    more = (len(words) if of is None else of) - len(words[:_NAMED])
    return ", ".join(words[:_NAMED]) + (f" and {_number(more)} more" if more > 0 else "")


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")
