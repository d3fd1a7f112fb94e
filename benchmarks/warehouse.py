"""Warehouse: from the log into DuckDB and PostgreSQL, against appending the same rows and nothing else."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks import long_table
from benchmarks.loading import Took
from benchmarks.report import Row, Target, rate, ratios
from benchmarks.rounds import Bench
from benchmarks.running import call
from benchmarks.stores import admissions, connect, opened
from candu_source.model import Admission, Secret
from tests.warehouse.postgres import PostgresServer, serving

ROUNDS = 5
EVENTS, EVENTS_QUICK = 1_000_000, 100_000
FEWER = 10  # times; for how memory grows
_RATE = Target(">=", 15_000)
_RATIO = Target(">=", 0.15)
_PEAK = Target("<=", 300)
_USERS, _PAGES = 2_000, 60
_AT_ONCE = 1_000


def run(bench: Bench) -> list[Row]:
    """Return the rows of each dialect, and those of the long table."""
    events = EVENTS_QUICK if bench.quick else EVENTS
    files = {many: _filled(bench, many) for many in (events // FEWER, events)}
    with serving() as server:
        chains = [row for dialect in ("duckdb", "postgres") for row in _chain(bench, dialect, server, files)]
    return [*chains, *long_table.rows(bench)]


def _chain(bench: Bench, dialect: str, server: PostgresServer, files: Mapping[int, Path]) -> list[Row]:
    few, many = files
    numbers = itertools.count()
    places: list[Secret] = []

    def run(role: str, events: int) -> Took:
        if role == "sync":
            places.append(_place(bench, dialect, server))
        command = ["benchmarks.loading", role, str(files[events]), places[-1].reveal(), f"round-{dialect}-{next(numbers)}"]
        return Took(**call(command))

    runs = {"fewer": partial(run, "sync", few), "sync": partial(run, "sync", many), "plain": partial(run, "plain", many)}
    samples = bench.interleave(f"warehouse, {dialect}", runs, bench.rounds(ROUNDS))
    rates = {name: [each.per_second for each in took] for name, took in samples.items()}
    against = ratios(rates["sync"], rates["plain"])
    absolute = {"sync": rate(rates["sync"], "events/s"), "append": rate(rates["plain"], "events/s")}
    peaks = {name: [each.peak_mb for each in samples[name]] for name in ("fewer", "sync")}
    return [
        Row("warehouse", f"{dialect}: log to warehouse", rates["sync"], "events/s", _RATE, note=f"{many:,} events"),
        Row("warehouse", f"{dialect}: the same / appending its rows", against, target=_RATIO, absolute=absolute),
        Row("warehouse", f"{dialect}: peak of a sync of {few:,} events", peaks["fewer"], "MB", _PEAK),
        Row("warehouse", f"{dialect}: peak of a sync of {many:,} events", peaks["sync"], "MB", _PEAK),
    ]


def _place(bench: Bench, dialect: str, server: PostgresServer) -> Secret:
    if dialect == "postgres":
        return Secret(server.database())
    return Secret(f"duckdb:///{bench.directory}/warehouse-{time.monotonic_ns()}.duckdb")


def _filled(bench: Bench, events: int) -> Path:
    """Return a store with so many events of some users on some pages, half of them views."""
    file = bench.directory / f"warehouse-{events}" / "store.db"
    with opened(file) as store:
        connection, _ = connect(store)
        for number, admission in enumerate(islice(admissions(connection, _AT_ONCE), events // _AT_ONCE)):
            store.log.append(_varied(admission, number * _AT_ONCE))
    return file


def _varied(admission: Admission, first: int) -> Admission:
    """Give the events of one request to users and pages of their own: what repeats is not what is measured."""
    varied = []
    for number, event in enumerate(admission.events, start=first):
        user, page = b"user-%d" % (number % _USERS), b"/page-%d" % (number % _PAGES)
        message = event.message.replace(b"user-1842", user).replace(b"/dashboard", page)
        varied.append(event._replace(message=message))
    return replace(admission, events=tuple(varied))
