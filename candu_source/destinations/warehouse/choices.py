"""Hold what Segment does not document, as settings with the likeliest default (docs/warehouse.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from candu_source.converting import converter
from candu_source.destinations.warehouse.naming import RESERVED_WORDS
from candu_source.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Settle the open points of Segment's schema, and how much a source may make.

    `reserved_words` are prefixed with `_` as well. `truncate_text` cuts text to so many characters, 0 for never; Segment does so with
    512 on Redshift. `collision` says what becomes of a property that has the name of a column of Segment's own (`id` and `uuid` are
    always prefixed), `same_column` which of two properties with one column counts. `event_value` says whether the column `event` has
    the `_` that its table may have. `built_in` says what becomes of an event named like a table of Segment's own: a table with `_`, or
    its rows stand in `tracks` alone. `new_column` says whose type a column gets, of the values in the batch that makes it. `sent_at`
    is passed through, or put on the receiver's clock. Beyond `most_columns` of a table and `most_tables` of a source nothing is made.
    """

    reserved_words: frozenset[str] = frozenset()
    truncate_text: int = 0
    collision: Literal["discard", "prefix"] = "discard"
    same_column: Literal["later", "earlier"] = "later"
    event_value: Literal["plain", "table"] = "plain"
    built_in: Literal["prefix", "tracks"] = "prefix"
    new_column: Literal["newest", "oldest"] = "newest"
    sent_at: Literal["passed", "corrected"] = "passed"
    most_columns: int = 1_000
    most_tables: int = 1_000

    def __post_init__(self) -> None:
        """Refuse numbers that would leave nothing."""
        for name, least in {"truncate_text": 0, "most_columns": 50, "most_tables": 10}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}")

    @property
    def words(self) -> frozenset[str]:
        """Return all words that are prefixed as names of tables and columns."""
        return RESERVED_WORDS | self.reserved_words if self.reserved_words else RESERVED_WORDS

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Choices:
        """Return the choices that were written down; what is not said has its default. Raises UsageError naming the word."""
        if unknown := sorted(set(said) - set(cls.__dataclass_fields__)):
            raise UsageError(f"choices: {unknown[0]!r} is not known; these are: {', '.join(cls.__dataclass_fields__)}")
        try:
            return _convert(dict(said))
        except msgspec.ValidationError as error:
            raise UsageError(f"choices: {error}") from None


_convert = converter(Choices)
