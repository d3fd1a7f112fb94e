"""A store of the version before, with work in every state, opens, keeps what it knew, and drains to the twin."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from candu_source import intake
from candu_source.errors import Reason
from candu_source.model import Connection, PortalRule, Reject, Rules, Secret, TokenUse
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.twin import Twin
from tests.delivery.test_worker import connect, drained, send, settings, until, working
from tests.store.shelf import ask_dead

__all__ = ["settings"]
_VERSION_3 = Path(__file__).parents[1] / "store" / "version_3.sql"
_RULES = Rules(custom_events="send", portal=PortalRule("lookup", table={"c-1": 7}))
_SECOND_NAME = "CANDU prod"  # names the same warehouse schema as the first; version 3 allowed that


class Earlier(NamedTuple):
    """Hold what is known of the store of version 3."""

    settings: Settings
    first: Connection
    second: Connection
    token: Secret


@pytest.fixture
def earlier(tmp_path: Path, settings: Settings, segment_twin: Twin) -> Earlier:
    """Leave a file of version 3: of the first connection 3 events are delivered, 1 is dead, 2 pend; 2 pend of the second."""
    draft = tmp_path / "draft"
    drafted = replace(settings, store_url=f"sqlite:///{draft / 'store.db'}")
    store = open_store(drafted)
    first, second = connect(store, segment_twin, "Candu_Prod", _RULES), connect(store, segment_twin, "Second")
    token = store.tokens.add(first, TokenUse.SERVER, by="test")
    segment_twin.fault(refuse_event="poison")
    send(store, first, "a", "b", "poison", "c")
    with working(drafted, store):
        until(lambda: drained(store))
    segment_twin.heal()
    send(store, first, "a", "b", "poison", "c", "d", "e", "candu.sdk.unknown")
    send(store, second, "f", "g")
    refused = [Reject(0, Reason.INVALID, {"field": ["is off"]}, b"x")]
    intake.accept(first, "webhook", refused, store.log, Telltale(io.StringIO()))
    store.close()
    (draft / "store.db.key").rename(tmp_path / "store.db.key")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as db:
        write_version_3(db, draft / "store.db", second)
    return Earlier(settings, first, second, token)


def write_version_3(db: sqlite3.Connection, draft: Path, second: Connection) -> None:
    """Make a file of version 3 of what a store of today holds."""
    db.executescript(_VERSION_3.read_text("utf-8"))
    db.execute("ATTACH ? AS draft", (str(draft),))
    tables = [name for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    for table in tables:
        there = {name for _, name, *_ in db.execute(f"PRAGMA draft.table_info({table})")}
        columns = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA main.table_info({table})") if name in there)
        which = "WHERE door = 'server'" if table == "tokens" else ""
        if there and table != "ids":  # the log's trigger writes those
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM draft.{table} {which}")  # noqa: S608 - names from above
    public = "SELECT t.shown FROM draft.tokens t WHERE t.connection = connections.id AND t.door = 'browser'"
    db.execute(f"UPDATE main.connections SET public_token = ({public})")  # noqa: S608 - a constant
    db.execute("UPDATE main.connections SET name = ? WHERE id = ?", (_SECOND_NAME, second.id))
    db.execute("INSERT INTO shape_cursors VALUES ('log', 4)")
    db.execute("PRAGMA user_version = 3")
    db.commit()


def tally(store: Store, name: str) -> dict[str, int | bool]:
    """Return where a connection's events are."""
    (found,) = [each for each in store.ledger.tallies(check=True) if each.connection == name]
    return {word: getattr(found, word) for word in ("delivered", "dead", "filtered", "pending", "holds")}


def test_version_3_drains_to_the_twin(earlier: Earlier, segment_twin: Twin) -> None:
    store = open_store(earlier.settings)
    assert tally(store, "Candu_Prod") == {"delivered": 3, "dead": 1, "filtered": 1, "pending": 2, "holds": True}
    assert tally(store, _SECOND_NAME) == {"delivered": 0, "dead": 0, "filtered": 0, "pending": 2, "holds": True}
    assert ask_dead(store, earlier.first) == 1
    with working(earlier.settings, store):
        until(lambda: drained(store))
    assert tally(store, "Candu_Prod") == {"delivered": 6, "dead": 0, "filtered": 1, "pending": 0, "holds": True}
    assert tally(store, _SECOND_NAME) == {"delivered": 2, "dead": 0, "filtered": 0, "pending": 0, "holds": True}
    arrived = sorted(kept["message"]["event"] for kept in segment_twin.messages(status="stored"))
    assert arrived == ["a", "b", "c", "d", "e", "f", "g", "poison"]
    assert segment_twin.stats()["duplicates"] == 0
    store.close()


def test_version_3_is_known_by_its_tokens_names_and_rules(earlier: Earlier) -> None:
    store = open_store(earlier.settings)
    first, second = earlier.first, earlier.second
    found = store.tokens.owner(earlier.token.reveal(), TokenUse.SERVER)
    assert found == store.tokens.owner(first.public_token, TokenUse.BROWSER) == first
    assert store.tokens.owner(first.public_token, TokenUse.SERVER) is None
    assert found.rules == _RULES
    assert store.tokens.owner(second.public_token, TokenUse.BROWSER) == store.connections.named(_SECOND_NAME)
    assert [store.connections.named(each.id).slug for each in (first, second)] == ["candu_prod", f"candu_prod_{second.id}"]
    assert store.connections.lanes(first.id) == {"segment": True}
    assert store.shelves.reject_count(first.id) == (1, 1)
    assert store.database.row("shape_cursor", {"source": "log"}) == (4,)
    store.close()


def test_version_3_still_refuses_second_copies(earlier: Earlier) -> None:
    store = open_store(earlier.settings)
    send(store, earlier.first, "a", "b", "poison", "c", "d", "e", "candu.sdk.unknown", "new")
    assert tally(store, "Candu_Prod") == {"delivered": 3, "dead": 1, "filtered": 1, "pending": 3, "holds": True}
    store.close()
