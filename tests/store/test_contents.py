"""Contents: learnt from events, told by people, read by the portal rule; later words go over earlier ones, silence erases nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from candu_source.errors import StoreError
from candu_source.model import Connection, Content, PortalRule, Rules, Secret, TokenUse
from candu_source.store import Store
from tests.store.shelf import add_connection


@pytest.fixture
def other(store: Store) -> Connection:
    """Make another customer's connection, which must stay as it is."""
    made = add_connection(store, "Candu_Other")
    store.contents.tell(made, [Content("c1", "theirs", "Theirs", 99)], by="test")
    return made


def changes(store: Store) -> int:
    """Return how many rows this store's writing connection has changed so far."""
    with store.database.statement() as db:
        return db.total_changes


def test_what_is_told_is_kept_and_what_is_left_out_is_not_erased(store: Store, connection: Connection, other: Connection) -> None:
    store.contents.tell(connection, [Content("c1", "welcome", "Welcome", 3), Content("c2")], by="test")
    store.contents.tell(connection, [Content("c1", name="Hello"), Content("c2", portal_id=0)], by="test")
    store.contents.tell(connection, [Content("c1", portal_id=4)], by="test")
    assert store.contents.all(connection.id) == [Content("c1", "welcome", "Hello", 4), Content("c2", portal_id=0)]
    assert store.contents.all(other.id) == [Content("c1", "theirs", "Theirs", 99)]


def test_all_rows_count_or_none(store: Store, connection: Connection) -> None:
    with pytest.raises(StoreError, match="CHECK"):
        store.contents.tell(connection, [Content("c1"), Content()], by="test")
    assert store.contents.all(connection.id) == []


def test_events_add_what_is_unknown_and_the_slugs_that_were_missing(store: Store, connection: Connection, other: Connection) -> None:
    store.contents.tell(connection, [Content("told", portal_id=7), Content("named", "slug", "Name")], by="test")
    assert store.contents.seen(connection.id, [("told", "s-told"), ("named", "another"), ("new", None), ("new", "s-new"), ("new", "late")])
    assert store.contents.all(connection.id) == [
        Content("new", "s-new"),
        Content("told", "s-told", None, 7),
        Content("named", "slug", "Name"),
    ]
    assert store.contents.all(other.id) == [Content("c1", "theirs", "Theirs", 99)]


@pytest.mark.parametrize("pairs", [[], [("c1", "s")], [("c1", "other")], [("c1", None)], [("c2", None)], [("c1", "s"), ("c2", None)]])
def test_what_is_known_is_only_read(store: Store, connection: Connection, pairs: list[tuple[str, str | None]]) -> None:
    store.contents.seen(connection.id, [("c1", "s"), ("c2", None)])
    before = changes(store)
    assert store.contents.seen(connection.id, pairs) == 0
    assert changes(store) == before


@pytest.mark.parametrize("pairs", [[("c2", "late")], [("c3", None)], [("c1", "s"), ("c3", "s")]])
def test_one_that_is_new_among_known_ones_is_learnt(store: Store, connection: Connection, pairs: list[tuple[str, str | None]]) -> None:
    store.contents.seen(connection.id, [("c1", "s"), ("c2", None)])
    assert store.contents.seen(connection.id, pairs) == 1
    assert set(pairs) <= {(each.content_id, each.slug) for each in store.contents.all(connection.id)}


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "a\nb"])
def test_an_id_that_nobody_could_print_is_passed_over(store: Store, connection: Connection, text: str) -> None:
    store.contents.seen(connection.id, [(text, "slug"), ("c1", text), ("é 😀", "ü")])
    assert store.contents.all(connection.id) == [Content("é 😀", "ü"), Content("c1")]


def test_a_slug_told_alone_names_the_contents_that_have_it(store: Store, connection: Connection, other: Connection) -> None:
    store.contents.tell(connection, [Content(slug="welcome", name="Welcome"), Content(slug="rest")], by="test")
    assert store.contents.all(connection.id) == [Content(slug="rest"), Content(slug="welcome", name="Welcome")]
    store.contents.seen(connection.id, [("c1", "welcome"), ("c2", "welcome")])
    assert store.contents.all(connection.id) == [
        Content(slug="rest"),
        Content("c1", "welcome", "Welcome"),
        Content("c2", "welcome", "Welcome"),
    ]
    store.contents.tell(connection, [Content("c1", name="First")], by="test")
    store.contents.tell(connection, [Content(slug="welcome")], by="test")
    assert [each.name for each in store.contents.all(connection.id)] == [None, "First", "Welcome"]
    store.contents.tell(connection, [Content(slug="welcome", name="Last word"), Content(slug="theirs", name="Mine")], by="test")
    assert {each.slug: each.name for each in store.contents.all(connection.id)} == {"rest": None, "welcome": "Last word", "theirs": "Mine"}
    assert store.contents.all(other.id) == [Content("c1", "theirs", "Theirs", 99)]


def test_metadata_has_each_slug_once(store: Store, connection: Connection, other: Connection) -> None:
    assert store.contents.metadata(connection.id) == []
    store.contents.tell(
        connection, [Content("c1", "b", "B"), Content("c2", "b"), Content("c3", "a"), Content("c4", name="No slug")], by="test"
    )
    store.contents.tell(connection, [Content(slug="a"), Content(slug="c", name="C")], by="test")
    assert store.contents.metadata(connection.id) == [("a", "a"), ("B", "b"), ("C", "c")]
    assert store.contents.metadata(other.id) == [("Theirs", "theirs")]


def test_telling_in_any_order_and_twice_says_the_same(store: Store) -> None:
    """Rows that do not contradict each other may come as they like."""
    rows = [
        Content("c1", "s"),
        Content("c1", name="N"),
        Content("c1", portal_id=1),
        Content(slug="t", name="T"),
        Content("c2", "t"),
        Content("c2"),
    ]
    draw = random.Random(7)
    found = []
    for number in range(20):
        connection = add_connection(store, f"C{number}")
        for row in draw.sample(rows * 2, len(rows) * 2):
            store.contents.tell(connection, [row], by="test")
        found.append(store.contents.all(connection.id))
    assert found == [[Content("c1", "s", "N", 1), Content("c2", "t", "T")]] * 20


def test_the_portal_rule_looks_up_here(store: Store, other: Connection) -> None:
    rules = Rules(portal=PortalRule("lookup", table={"a": 1}))
    made, token = store.connections.add(Connection("", "Prod", rules=rules), Secret("k"), by="test")
    assert store.contents.all(made.id) == [Content("a", portal_id=1)]
    store.contents.tell(
        made, [Content("a", "slug", portal_id=2), Content("b", portal_id=3), Content("c", "no-portal"), Content(slug="s")], by="test"
    )
    for found in (store.connections.named("Prod"), store.tokens.owner(token.reveal(), TokenUse.SERVER), *store.connections.all()[1:]):
        assert found is not None
        assert found.rules.portal == PortalRule("lookup", table={"a": 2, "b": 3})
    assert store.connections.named(other.name).rules.portal == PortalRule()


def test_saving_a_connection_leaves_the_table_alone(store: Store) -> None:
    """What was read a while ago must not go over what was told since."""
    made, _ = store.connections.add(Connection("", "Prod", rules=Rules(portal=PortalRule("lookup"))), Secret("k"), by="test")
    store.contents.tell(made, [Content("a", portal_id=1)], by="test")
    read = store.connections.named("Prod")
    store.contents.tell(made, [Content("a", portal_id=2)], by="test")
    store.connections.save(replace(read, paused=True), by="test")
    assert store.connections.named("Prod").rules.portal.table == {"a": 2}
    with store.database.read() as db:
        assert '"table":{}' in db.execute("SELECT rules FROM connections WHERE name = 'Prod'").fetchone()[0]


@pytest.mark.parametrize("rule", [PortalRule(), PortalRule("constant", constant=5)])
def test_other_portal_rules_read_no_table(store: Store, rule: PortalRule) -> None:
    made, _ = store.connections.add(Connection("", "Prod", rules=Rules(portal=rule)), Secret("k"), by="test")
    store.contents.tell(made, [Content("a", portal_id=1)], by="test")
    assert store.connections.named("Prod").rules.portal == rule
