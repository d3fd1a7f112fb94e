"""A store of an earlier version opens, keeps everything and goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from candu_source.deliveries import Advance
from candu_source.jobs import Wanted
from candu_source.model import Connection
from candu_source.store import Store
from candu_source.store.chunks import digest
from candu_source.store.sqlite import SCHEMA_VERSION
from tests.store.shelf import add_connection, admit, aside, ask_dead, claim, events, make_store, refs, settlement


@pytest.fixture
def earlier(tmp_path: Path) -> Connection:
    """Leave a file of version 1 with events 1 (delivered), 2 (dead), 3 and 4 (pending), and 5 filtered."""
    draft = tmp_path / "draft"
    store = make_store(draft)
    connection = add_connection(store)
    store.close()
    (draft / "store.db.key").rename(tmp_path / "store.db.key")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as db:
        db.executescript(Path(__file__).with_name("version_1.sql").read_text("utf-8"))
        db.execute("ATTACH ? AS draft", (str(draft / "store.db"),))
        for table in ("connections", "lanes"):
            columns = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO {table} SELECT {columns} FROM draft.{table}")  # noqa: S608 - names from above
        for seq, event in enumerate(events(1, 2, 3, 4), start=1):
            row = (connection.id, seq, digest(connection.id, event.message_id), event.message_id, 1.5, "webhook", event.message, event.raw)
            db.execute("INSERT INTO log VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT INTO filtered VALUES (?, 'm5', 'candu.sdk.new', 'unknown_event', 'webhook', 1.5, x'7b7d')", (connection.id,))
        for seq, decision in ((1, "advance"), (2, "bury")):
            values = (connection.id, seq, seq, decision)
            db.execute("INSERT INTO attempts VALUES (NULL, ?, 'segment', ?, ?, 1, 0, 1, 1.5, 0.1, 'x', 200, '', ?)", values)
        db.execute("INSERT INTO dead_letters VALUES (?, 'segment', 2, 'content_refused', 'no', 1.5, NULL)", (connection.id,))
        db.execute("UPDATE lanes SET cursor = 2")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    return connection


def test_version_1_keeps_everything_and_drains(tmp_path: Path, earlier: Connection) -> None:
    store = make_store(tmp_path)
    assert store.database.row("places") == (4, 4)
    _assert_tally(store, delivered=1, dead=1, filtered=1, pending=2)
    assert [(event.seq, event.message_id, event.raw) for event in store.trace.tail(earlier.id)] == [
        (n, f"m{n}", b"{}") for n in range(1, 5)
    ]
    assert ask_dead(store, earlier, Wanted(message="m2")) == 1
    for expected in ([2], [3, 4]):
        delivery = claim(store)
        assert refs(delivery.batches[0]) == expected
        store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    _assert_tally(store, delivered=4, dead=0, filtered=1, pending=0)
    store.close()


def test_version_1_still_knows_what_it_had(tmp_path: Path, earlier: Connection) -> None:
    store = make_store(tmp_path)
    receipt = store.log.append(admit(earlier, 1, 4, 7))
    assert (receipt.accepted, receipt.duplicates) == (1, 2)
    assert store.log.append(aside(earlier, filtered=("5",))).duplicates == 1
    assert store.log.append(admit(earlier, 5)).accepted == 1
    _assert_tally(store, delivered=1, dead=1, filtered=0, pending=4)
    store.close()


def test_an_upgraded_store_has_the_schema_of_a_new_one(tmp_path: Path, earlier: Connection) -> None:
    make_store(tmp_path).close()
    make_store(tmp_path / "new").close()
    upgraded, new = (_schema(directory / "store.db") for directory in (tmp_path, tmp_path / "new"))
    assert upgraded == new
    assert upgraded[0] == SCHEMA_VERSION


def test_a_table_of_portals_that_stood_in_the_rules_becomes_contents(tmp_path: Path, earlier: Connection) -> None:
    rules = '{"portal":{"mode":"lookup","constant":null,"table":{"c-1":7,"c-2":8}}}'
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as db:
        db.execute("UPDATE connections SET rules = ?", (rules,))
        db.commit()
    store = make_store(tmp_path)
    assert [(each.content_id, each.portal_id) for each in store.contents.all(earlier.id)] == [("c-1", 7), ("c-2", 8)]
    assert store.connections.named(earlier.id).rules.portal.table == {"c-1": 7, "c-2": 8}
    store.close()


def _assert_tally(store: Store, **counts: int) -> None:
    (tally,) = store.ledger.tallies(check=True)
    assert tally.holds, tally
    assert {name: getattr(tally, name) for name in counts} == counts


def _schema(file: Path) -> tuple[int, set[str]]:
    """Return a file's version, and its tables, views, triggers and indexes without blanks and comments."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        texts = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        bare = {"".join("".join(line.partition("--")[0] for line in text.splitlines()).replace('"', "").split()) for (text,) in texts}
        return db.execute("PRAGMA user_version").fetchone()[0], bare
