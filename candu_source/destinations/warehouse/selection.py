"""Say which collections and properties of a source are loaded: Segment's selective sync."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from candu_source.destinations.warehouse.naming import identifier, snakecase
from candu_source.errors import UsageError

OTHERS = "*"
# Segment, "Warehouse Selective Sync": received_at cannot be disabled; without id nothing could be loaded once only.
ALWAYS = frozenset({"id", "received_at"})
_AS_IN_WAREHOUSE = re.compile(r"[a-z0-9_]+")
_LONGEST_NAME = 1_024


@dataclass(frozen=True, slots=True)
class Collection:
    """Say whether a table is loaded, and which of its columns are not."""

    loaded: bool = True
    excluded: frozenset[str] = frozenset()

    def write(self) -> Any:
        """Return the word for it, as `Selection.read` reads it."""
        return {"exclude": sorted(self.excluded)} if self.loaded and self.excluded else self.loaded


@dataclass(frozen=True, slots=True)
class Selection:
    """Hold a source's choice: on or off, and {table: collection} as the warehouse names tables; `others` for those without a word.

    What is turned off is not deleted. A source that is turned on again catches up; tables and columns get only what comes from then on.
    """

    enabled: bool = True
    collections: Mapping[str, Collection] = field(default_factory=dict)
    others: Collection = field(default_factory=Collection)

    def of(self, table: str) -> Collection:
        """Return what is chosen for a table."""
        return self.collections.get(table, self.others)

    def choosing(self, table: str, collection: Collection) -> Selection:
        """Return the selection with another word for one table."""
        return replace(self, collections={**self.collections, table: collection})

    def write(self) -> dict[str, Any]:
        """Return what `read` reads."""
        words = {name: each.write() for name, each in {**self.collections, OTHERS: self.others}.items()}
        return {"enabled": self.enabled, "collections": words}

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Selection:
        """Return the selection that was written down; `{}` is everything.

        `{"enabled": true, "collections": {"screens": true, "tutorial_interaction": {"exclude": ["version_id"]}, "*": false}}`; tables by
        their own name or by the event's. Raises UsageError naming the word.
        """
        _known("selection", said, {"enabled", "collections"})
        enabled, collections = said.get("enabled", True), said.get("collections", {})
        if not isinstance(enabled, bool):
            raise UsageError("selection.enabled is true or false")
        if not isinstance(collections, Mapping):
            raise UsageError('selection.collections is an object: table names, each with true, false or {"exclude": [columns]}')
        read = {_table(name): _collection(name, word) for name, word in collections.items()}
        others = read.pop(OTHERS, Collection())
        return cls(enabled, read, others)


def _collection(name: str, word: Any) -> Collection:
    where = f"selection.collections.{name}"
    if isinstance(word, bool):
        return Collection(loaded=word)
    if not isinstance(word, Mapping):
        raise UsageError(f'{where} is true, false or {{"exclude": [columns]}}')
    _known(where, word, {"exclude"})
    columns = word.get("exclude", [])
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise UsageError(f"{where}.exclude is a list of column names")
    if kept := sorted(ALWAYS & set(columns)):
        raise UsageError(f"{where}.exclude: {kept[0]} is always loaded; leave it out of the list")
    return Collection(excluded=frozenset(columns))


def _known(where: str, said: Mapping[str, Any], words: set[str]) -> None:
    if unknown := sorted(set(said) - words):
        raise UsageError(f"{where}: {unknown[0]!r} is not known; these are: {', '.join(sorted(words))}")


def _table(name: str) -> str:
    """Return the table that is meant by its own name or by the event's."""
    if name == OTHERS:
        return name
    named = identifier(name if _AS_IN_WAREHOUSE.fullmatch(name) else snakecase(name), _LONGEST_NAME)
    if not named:
        raise UsageError(f"selection.collections: {name!r} names no table; write it as the warehouse does")
    return named
