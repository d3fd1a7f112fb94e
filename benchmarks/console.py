"""Pages: every page of the console, and what they ask of the store, with few and with very many events behind them."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from pathlib import Path

import msgspec

from benchmarks.report import Row, Target, ratios
from benchmarks.rounds import Bench
from benchmarks.stores import admissions, connect, opened
from candu_source.console import PAGES
from candu_source.deliveries import Advance, Batch, Bury, Delivery, Outcome, Settlement
from candu_source.errors import Reason
from candu_source.model import Admission, Connection, Event, Filtered, Reject, Role, Secret
from candu_source.observe import Telltale
from candu_source.periods import HOUR, KEPT, MINUTE, Period, window
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.store.counts import Counted, add_counts
from candu_source.store.query import Query, Where
from candu_source.warehouses import Remark, Sync, Table, Warehouse
from candu_source.web import build_web

ROUNDS = 15
FEW = 1_000
MANY = 1_000_000
MANY_QUICK = 50_000
_USERS = 5_000
_WAITING = 100
_AT_ONCE = 500
_ACCEPTED, _REFUSED = Outcome(Reason.ACCEPTED, 200), Outcome(Reason.CONTENT_REFUSED, 400, "refused")

_CALLS: Mapping[str, Callable[[Store, str], object]] = {
    "search, newest": lambda store, at: store.search.search(at, Query()),
    "search, a user": lambda store, at: store.search.search(at, Query(user="user-00042")),
    "search, user and event": lambda store, at: store.search.search(at, Query(user="user-00042", event="tutorial.view")),
    "search, nobody": lambda store, at: store.search.search(at, Query(user="nobody")),
    "search, two that never meet": lambda store, at: store.search.search(at, Query(event="tutorial.view", properties=("start tour",))),
    "search, dead": lambda store, at: store.search.search(at, Query(where=Where.DEAD)),
    "search, filtered": lambda store, at: store.search.search(at, Query(where=Where.FILTERED)),
    "search, since": lambda store, at: store.search.search(at, Query(since=time.time() - HOUR, user="user-00042")),
    "life": lambda store, at: store.trace.life(at, store.trace.tail(at, most=1)[0].message_id),
    "series, a day": lambda store, at: store.stats.series(at, window(Period.ONE_DAY, time.time())),
    "series, two weeks": lambda store, at: store.stats.series(at, window(Period.TWO_WEEKS, time.time())),
    "funnel": lambda store, at: store.stats.funnel(at),
    "health": lambda store, at: store.stats.health(at),
    "sparkline": lambda store, at: store.stats.sparkline(at, time.time()),
}


def run(bench: Bench) -> list[Row]:
    """Return what each call takes on a small store and how much more on a large one, and what the index takes."""
    many = MANY_QUICK if bench.quick else MANY
    rows: list[Row] = []
    with ExitStack() as stack:
        stores = {events: stack.enter_context(opened(furnished(bench, events, rows))) for events in (FEW, many)}
        for name, call in _CALLS.items():
            runs = {str(events): partial(_milliseconds, call, store) for events, store in stores.items()}
            samples = bench.interleave(f"{name}, ms", runs, bench.rounds(ROUNDS))
            few, lots = samples[str(FEW)], samples[str(many)]
            rows.append(Row("pages", f"{name}, {many:,} events", lots, "ms", target=Target("<=", 100)))
            rows.append(Row("pages", f"{name}, {many:,} / {FEW:,} events", ratios(lots, few)))
        rows += _pages(bench, stores)
    return rows


def _pages(bench: Bench, stores: Mapping[int, Store]) -> list[Row]:
    """Return what each page takes on the server, as HTML, and how much more with many events behind it."""
    few, many = sorted(stores)
    readers = {events: _reader(store) for events, store in stores.items()}
    rows = []
    for page in PAGES:
        if "{id}" in page.path or "{path:id}" in page.path:
            continue  # of one thing, whatever stands beside it
        runs = {str(events): partial(read, page.path) for events, read in readers.items()}
        samples = bench.interleave(f"page {page.path or 'overview'}, ms", runs, bench.rounds(ROUNDS))
        lots = samples[str(many)]
        name = page.path.removeprefix("connections/{connection}/") or "overview"
        rows.append(Row("pages", f"page {name}, {many:,} events", lots, "ms", target=Target("<=", 300)))
        rows.append(Row("pages", f"page {name}, {many:,} / {few:,} events", ratios(lots, samples[str(few)]), target=Target("<=", 3)))
    return rows


def _reader(store: Store) -> Callable[[str], float]:
    """Return what reads a page of a store's only connection as an owner and gives the milliseconds that took."""
    settings = Settings(store_url=f"sqlite:///{store.database.path}", min_free_mb=0)
    client = build_web(settings, Telltale(io.StringIO())).test_client()
    (connection,) = store.connections.all()
    token = store.admin_tokens.add("bench", Role.OWNER, connection=None, by="benchmark").reveal()
    store.people.add("bench", Secret(token), Role.OWNER, connections=None, by="benchmark")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/console/sign-in").text)
    assert csrf is not None
    client.post("/console/sign-in", data={"csrf_token": csrf[1], "name": "bench", "password": token})

    def read(path: str) -> float:
        began = time.perf_counter()
        answer = client.get("/console/" + path.replace("{connection}", connection.id))
        taken = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, (path, answer.status_code)
        return taken

    return read


def furnished(bench: Bench, events: int, rows: list[Row] | None = None) -> Path:
    """Return a closed store with a connection whose events are delivered, dead, filtered, refused, waiting, counted and indexed.

    It is made once a run; what the index takes goes into `rows`.
    """
    path = bench.directory / f"furnished-{events}" / "store.db"
    if not path.exists():
        with opened(path) as store:
            connection, _ = connect(store)
            _append(store, connection, events, bench)
            _deliver(store, events - _WAITING)
            index = _index(store, events)
            _count(store, connection)
            _house(store, connection)
            bench.say(f"a store of {events:,} events is ready: {index.details()}")
        if rows is not None:
            rows.append(index)
    return path


def _append(store: Store, connection: Connection, events: int, bench: Bench) -> None:
    """Append events of several users; three in a hundred more are filtered, and one in a hundred is refused."""
    for number, admission in enumerate(islice(admissions(connection, _AT_ONCE), events // _AT_ONCE)):
        several = tuple(_of_somebody(event, number * _AT_ONCE + place) for place, event in enumerate(admission.events))
        filtered = tuple(
            Filtered(f"f-{number}-{place}", f"candu.sdk.new{place % 3}", Reason.UNKNOWN_EVENT, b'{"userId":"user-1"}')
            for place in range(15)
        )
        rejects = tuple(
            Reject(0, Reason.INVALID, {"documentId": ["Missing."]}, b'{"reject":"%d-%d"}' % (number, place)) for place in range(5)
        )
        store.log.append(replace(admission, events=several))
        store.log.append(Admission(connection.id, admission.door, filtered=filtered, rejects=rejects))
        if (number + 1) * _AT_ONCE % 100_000 == 0:
            bench.say(f"appended {(number + 1) * _AT_ONCE:,} of {events:,} events")


def _of_somebody(event: Event, number: int) -> Event:
    user = b"user-%05d" % (42 if number % 50 == 0 else number * 7919 % _USERS)
    return msgspec.structs.replace(event, message=event.message.replace(b"user-1842", user), raw=event.raw.replace(b"user-1842", user))


def _deliver(store: Store, last: int) -> None:
    """Deliver events up to a seq, but bury one in a hundred."""
    while True:
        (delivery,) = store.lanes.claim("bench", 1)
        settlements = [each for batch in delivery.batches for each in _settlements(delivery, batch, last)]
        if not settlements:
            return
        store.lanes.settle(settlements)


def _settlements(delivery: Delivery, batch: Batch, last: int) -> Iterator[Settlement]:
    ended = [event for event in batch.events if event.ref <= last]
    for dies, some in groupby(ended, lambda event: event.ref % 100 == 0):
        outcome, decision = (_REFUSED, Bury(Reason.CONTENT_REFUSED)) if dies else (_ACCEPTED, Advance())
        yield Settlement(delivery, Batch(tuple(some)), outcome, decision, time.time(), 0.05)


def _index(store: Store, events: int) -> Row:
    """Index everything; return the rate, with what it takes on the disk and the longest step."""
    steps = []
    before, began = store.database.used_bytes(), time.thread_time()
    more = 1
    while more:
        step = time.perf_counter()
        more = store.index.read_on(_AT_ONCE)
        steps.append(time.perf_counter() - step)
    rate = events / (time.thread_time() - began)
    size = (store.database.used_bytes() - before) / events
    details = {"bytes an event": f"{size:.0f}", "longest step": f"{max(steps) * 1000:.0f} ms"}
    return Row("pages", f"index, {events:,} events", [rate], "events/s of a core", absolute=details)


def _count(store: Store, connection: Connection) -> None:
    """Fill the charts' past: a few counts for every minute and hour that is kept."""
    now = time.time()
    for step, kept in KEPT.items():
        with store.database.write() as db:
            for ago in range(step, kept, step):
                topics = (
                    ("door:interactions", "accepted"),
                    ("lane:segment", "first_attempt"),
                    *(("lane:segment", f"latency:{n}") for n in range(50, 60)),
                )
                if step == MINUTE or ago > KEPT[MINUTE]:
                    counts = {Counted(connection.id, topic, name, now - ago): 5 for topic, name in topics}
                    add_counts(db, store.database.sql, counts)


def _house(store: Store, connection: Connection) -> None:
    """Describe a warehouse that nobody opens: everything waits, its tables are many, and so were its syncs."""
    draft = Warehouse(connection.id, "warehouse", "duckdb:///nowhere.duckdb", connection.slug)
    warehouse = store.warehouses.add(connection, draft, Secret("nowhere.duckdb"), by="benchmark")
    tables = [Table(f"event_{number}", 1_000, {f"column_{column}": "text" for column in range(60)}) for number in range(40)]
    remarks = [Remark("tracks", f"column_{number}", "cannot become an integer; left empty", 3, "x") for number in range(20)]
    for hours in range(60, 0, -1):
        at = time.time() - hours * HOUR
        store.warehouses.ended(warehouse, Sync(at, 1.0, 1_000, 1_500, remarks), now=at, tables=tables)


def _milliseconds(call: Callable[[Store, str], object], store: Store) -> float:
    (connection,) = store.connections.all()
    began = time.perf_counter()
    call(store, connection.id)
    return (time.perf_counter() - began) * 1000
