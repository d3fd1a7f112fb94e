"""Warehouse: from the log into DuckDB and PostgreSQL, against appending the same rows and nothing else."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec

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
# What the rows alone cost, by means of `benchmarks.appending`, and what is asked of the whole chain against it.
_PEERS: Mapping[str, Mapping[str, Target | None]] = {"duckdb": {"append": _RATIO}, "postgres": {"plain COPY": _RATIO, "binary COPY": None}}
_USERS, _PAGES, _TUTORIALS, _SEGMENTS = 2_000, 60, 40, 7
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

    def sync(events: int) -> Took:
        places.append(_place(bench, dialect, server))
        return _took("sync", files[events], places[-1], f"round-{dialect}-{next(numbers)}")

    def plain(means: str) -> Took:
        return _took("plain", files[many], places[-1], means)

    peers = {means: partial(plain, means) for means in _PEERS[dialect]}
    samples = bench.interleave(
        f"warehouse, {dialect}", {"fewer": partial(sync, few), "sync": partial(sync, many), **peers}, bench.rounds(ROUNDS)
    )
    rates = {name: [each.per_second for each in took] for name, took in samples.items()}
    peaks = {name: [each.peak_mb for each in samples[name]] for name in ("fewer", "sync")}
    return [
        Row("warehouse", f"{dialect}: log to warehouse", rates["sync"], "events/s", _RATE, _both(samples, "sync"), f"{many:,} events"),
        *(
            Row("warehouse", f"{dialect}: the same / {means} of its rows", against, target=target, absolute=_both(samples, "sync", means))
            for means, target in _PEERS[dialect].items()
            for against in [ratios(rates["sync"], rates[means])]
        ),
        Row("warehouse", f"{dialect}: peak of a sync of {few:,} events", peaks["fewer"], "MB", _PEAK),
        Row("warehouse", f"{dialect}: peak of a sync of {many:,} events", peaks["sync"], "MB", _PEAK),
    ]


def _took(role: str, file: Path, place: Secret, word: str) -> Took:
    return Took(**call(["benchmarks.loading", role, str(file), place.reveal(), word]))


def _both(samples: Mapping[str, Sequence[Took]], *names: str) -> dict[str, str]:
    """Return the median rates of some runs, in events and in rows."""
    events = {name: rate([each.per_second for each in samples[name]], "events/s") for name in names}
    return {name: f"{said} or {rate([each.rows_per_second for each in samples[name]], 'rows/s')}" for name, said in events.items()}


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
    """Give the events of one request users, pages, tutorials and segments of their own: what repeats is not what is measured."""
    varied = []
    for number, event in enumerate(admission.events, start=first):
        message = event.message
        for word, in_its_place in (
            (b"user-1842", b"user-%d" % (number % _USERS)),
            (b"/dashboard", b"/page-%d" % (number % _PAGES)),
            (b"48213", b"%d" % (48_213 + number % _TUTORIALS)),
            (b"Everyone", b"segment %d" % (number % _SEGMENTS)),
        ):
            message = message.replace(word, in_its_place)
        varied.append(msgspec.structs.replace(event, message=message))
    return replace(admission, events=tuple(varied))
