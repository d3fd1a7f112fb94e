"""Hold the nouns of warehouses as frozen values: where one is, how it is kept up to date, and what came of its syncs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

# Segment's best plan syncs 24 times a day, on the hour ("Warehouses: how often do syncs occur").
HOURLY = 60
# So many events are not left waiting until then: a few seconds of loading.
MOST_PENDING = 50_000
# What is asked for to load all tables again.
EVERYTHING = "*"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Hold one event on its way to a warehouse; `ref` belongs to the log and only grows, times are seconds since the epoch.

    `sent_at` is when it was delivered to Segment, None where it was not yet. A sync makes millions, which the collector need not visit.
    """

    ref: int
    message: bytes
    received_at: float
    sent_at: float | None


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Describe one warehouse of a connection, without its password.

    `name` is its lane, `shown` what may be shown of where it is. It is synced `every` so many minutes, counted from midnight UTC, and
    sooner when `max_pending` events wait (0: never sooner). `selection` and `choices` are as people wrote them.
    """

    connection: str
    name: str
    shown: str
    schema: str
    every: int = HOURLY
    max_pending: int = MOST_PENDING
    selection: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    """Describe a table as the last sync left it: rows that syncs brought, and {column: its type there}."""

    name: str
    rows: int
    columns: Mapping[str, str]


class Remark(NamedTuple):
    """Note what could not be loaded as it came; `column` is empty where a whole row or table is meant, `sample` is cut short."""

    table: str
    column: str
    what: str
    times: int
    sample: str


@dataclass(slots=True)
class Loaded:
    """Say what a sync has loaded by now: events read, rows new in the warehouse, what is to be said, the tables as they are."""

    events: int = 0
    rows: int = 0
    remarks: list[Remark] = field(default_factory=list)
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True)
class Sync:
    """Say what one sync did; `error` is empty when it went well."""

    started_at: float
    seconds: float
    events: int = 0
    rows: int = 0
    remarks: Sequence[Remark] = ()
    error: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Say how a warehouse is: whether it is kept up to date, when the next sync is due, what waits, and what somebody asked for.

    `failures` counts the syncs in a row that failed; `asked` are the tables to load again from the beginning, `*` for all;
    times are seconds since the epoch.
    """

    enabled: bool
    failures: int
    due_at: float
    syncing_since: float | None
    pending: int
    oldest_pending: float | None
    asked: frozenset[str] | None
    tables: Sequence[Table]
    last: Sync | None
