"""Fill a store with random events and remember each, so that what a search finds can be compared with what it should."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from candu_source.deliveries import Advance, Batch, Bury, Delivery, Outcome, Stored
from candu_source.errors import Reason
from candu_source.jobs import Wanted
from candu_source.model import Admission, Connection, Event, Filtered
from candu_source.store import Store
from candu_source.store.query import Found, Query, Where
from candu_source.terms import BLOCK_PLACES
from tests.store.shelf import ACCEPTED, add_connection, ask_dead, make_store, settlement

REFUSED = Outcome(Reason.CONTENT_REFUSED, 400, "no")
USERS = ("anna", "Bob", "straße@example.com", "user=1", "7")
Leaf = tuple[str, str | None]
EVENTS = ("tutorial.view", "tutorial.interaction", "Ünknown", "<b>x</b>")
VALUES: tuple[Any, ...] = (
    "Pro",
    "pro",
    7,
    7.0,
    7.5,
    True,
    "true",
    None,
    "",
    ["a", "B", {"deep": "x"}],
    {"in": {"ner": 1}},
    "a=b",
    "x" * 300,
    2**53,
)
NAMES = ("plan", "Plan", "size", "page.url", "list", "nested")


@dataclass(slots=True)
class Known:
    """Remember one event: `stands` is where it stands on the only lane, a filtered event has no seq."""

    seq: int | None
    message_id: str
    message: dict[str, Any]
    accepted_at: float
    stands: set[Where]


@dataclass(slots=True)
class Findable:
    """Hold a store, two connections that get the same kind of events, and what each has."""

    store: Store
    chance: random.Random
    connections: tuple[Connection, Connection]
    known: dict[str, list[Known]] = field(default_factory=dict)
    _ids: Any = field(default_factory=itertools.count)

    def add(self, connection: Connection, events: int, *, at: float) -> None:
        """Append events in one commit, accepted at a time."""
        messages = [self._message() for _ in range(events)]
        packed = tuple(Event(message["messageId"], json.dumps(message).encode(), b"{}") for message in messages)
        self.store.log.append(Admission(connection.id, "webhook", packed))
        known = self.known.setdefault(connection.id, [])
        start = self.store.trace.tail(connection.id, most=1)[-1].seq - events
        known += [Known(start + n, each["messageId"], each, at, {Where.PENDING}) for n, each in enumerate(messages, start=1)]
        with self.store.database.write() as db:
            db.execute("UPDATE log SET accepted_at = ? WHERE connection = ? AND last_seq = ?", (at, connection.id, start + events))

    def keep(self, connection: Connection, events: int, *, at: float) -> None:
        """Keep filtered events, accepted at a time."""
        messages = [self._message() for _ in range(events)]
        rows = tuple(
            Filtered(each["messageId"], each["event"], Reason.UNKNOWN_EVENT, json.dumps({"payload": each}).encode()) for each in messages
        )
        self.store.log.append(Admission(connection.id, "webhook", filtered=rows))
        with self.store.database.write() as db:
            later = (at, rows[0].message_id, connection.id)
            db.execute("UPDATE filtered SET accepted_at = ? WHERE message_id >= ? AND connection = ?", later)
        known = self.known.setdefault(connection.id, [])
        known += [Known(None, each["messageId"], each, at, {Where.FILTERED}) for each in messages]

    def deliver(self, most: int) -> None:
        """Deliver up to so many events of each lane, bury some and confirm some."""
        for delivery in self.store.lanes.claim("w", 10):
            known = {each.seq: each for each in self.known[delivery.connection_id]}
            events = [event for batch in delivery.batches for event in batch.events]
            for event in self.chance.sample(events, min(most, len(events))):
                self._end(delivery, event, known[event.ref])

    def _end(self, delivery: Delivery, event: Stored, known: Known) -> None:
        dies = self.chance.random() < 0.1
        decision, outcome = (Bury(Reason.CONTENT_REFUSED), REFUSED) if dies else (Advance(), ACCEPTED)
        assert self.store.lanes.settle([settlement(delivery, Batch((event,)), decision, outcome)]) == [True]
        known.stands = {Where.DEAD} if dies else {Where.DELIVERED}
        if not dies and self.chance.random() < 0.3:
            with self.store.database.write() as db:
                db.execute("INSERT INTO confirmations VALUES (?, 'segment', ?, 1.0)", (delivery.connection_id, event.ref))
            known.stands.add(Where.CONFIRMED)

    def raise_some(self, connection: Connection) -> None:
        """Ask for some dead letters to be sent again."""
        for each in self.known[connection.id]:
            if Where.DEAD in each.stands and self.chance.random() < 0.5:
                ask_dead(self.store, connection, Wanted(message=each.message_id))
                each.stands = {Where.PENDING}

    def prune(self) -> None:
        """Let retention take what every lane has passed."""
        while self.store.keeper.prune():
            pass
        for connection in self.connections:
            kept = {event.seq for event in self.store.trace.tail(connection.id, most=10**9)} | {None}
            self.known[connection.id] = [each for each in self.known.get(connection.id, []) if each.seq in kept]

    def index(self, most: int = 10**9) -> None:
        """Read on until nothing is left, or so many inputs were read."""
        read = 0
        while read < most and (step := self.store.index.read_on(min(500, most))):
            read += step

    def expected(self, connection: Connection, query: Query) -> list[str]:
        """Return the message ids that a query should find, newest first, by looking at every event."""
        known = [each for each in self.known.get(connection.id, []) if (each.seq is None) == (query.where is Where.FILTERED)]
        return [each.message_id for each in reversed(known) if _is_meant(each, query)]

    def found(self, connection: Connection, query: Query, most: int = 7) -> list[str]:
        """Return the message ids that searching page after page finds."""
        pages = list(self.pages(connection, query, most))
        assert all(len(page.events) <= most for page in pages)
        return [hit.message_id for page in pages for hit in page.events]

    def pages(self, connection: Connection, query: Query, most: int) -> list[Found]:
        """Return every page of a search."""
        pages = [self.store.search.search(connection.id, query, most)]
        while (before := pages[-1].next) is not None:
            pages.append(self.store.search.search(connection.id, query, most, before))
            assert len(pages) < 1_000, "a search goes on for ever"
        return pages

    def query(self) -> Query:
        """Make up a query."""
        chance = self.chance
        since = chance.choice([None, chance.uniform(0, 6_000)])
        until = chance.choice([None, chance.uniform(0, 6_000)])
        return Query(
            user=chance.choice([None, None, *USERS, "nobody"]),
            event=chance.choice([None, None, *EVENTS]),
            properties=tuple(chance.choice(_PROPERTIES) for _ in range(chance.choice([0, 0, 1, 2]))),
            since=since,
            until=until,
            where=chance.choice([None, *Where]),
        )

    def _message(self) -> dict[str, Any]:
        chance = self.chance
        user = chance.choice(USERS)
        properties = {name: chance.choice(VALUES) for name in chance.sample(NAMES, chance.randrange(len(NAMES)))}
        return {
            "type": "track",
            "event": chance.choice(EVENTS),
            "userId": user if chance.random() < 0.8 else None,
            "anonymousId": chance.choice([None, "anna", "ghost"]),
            "properties": properties,
            "messageId": f"candu:{next(self._ids):06}",
        }


_PROPERTIES = (
    "plan=pro",
    "PLAN=PRO",
    "Pro",
    "size=7",
    "7",
    "7.5",
    "true",
    "list=b",
    "list.deep=x",
    "nested.in.ner=1",
    "page.url=a=b",
    "a=b",
    "x" * 300,
)


def findable(directory: Path, seed: int) -> Findable:
    """Open a store with two connections and nothing in it yet."""
    store = make_store(directory, retention_days=0, reject_retention_days=10**6)
    with store.database.write() as db:  # so that events stand in two blocks of the index
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('log', ?)", (BLOCK_PLACES - 150,))
    return Findable(store, random.Random(seed), (add_connection(store, "One"), add_connection(store, "Two")))


def _is_meant(each: Known, query: Query) -> bool:
    if query.where is not None and query.where not in each.stands:
        return False
    if (query.since is not None and each.accepted_at < query.since) or (query.until is not None and each.accepted_at >= query.until):
        return False
    message = each.message
    users = {_plain(message["userId"]), _plain(message["anonymousId"])}
    if query.user is not None and _plain(query.user) not in users:
        return False
    if query.event is not None and _plain(query.event) != _plain(message["event"]):
        return False
    leaves = list(_leaves(message["properties"], ""))
    if each.seq is None:  # of what was filtered everything that came in is looked at
        leaves += [(name, _plain(message[name])) for name in ("type", "event", "messageId")]
    return all(_has(leaves, text) for text in query.properties)


def _has(leaves: list[Leaf], text: str) -> bool:
    path, equals, value = text.partition("=")
    wanted = _plain(text)
    return any(found == wanted or (bool(equals) and (at, found) == (path.lower(), _plain(value))) for at, found in leaves)


def _leaves(value: Any, path: str) -> list[Leaf]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner, path)]
    return [] if value in (None, "") else [(path.lower(), _plain(value))]


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)[:200].casefold()
