"""The Warehouse tab without a browser: adding one, looking after it, and asking it, within one's own tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from candu_source.app import sync_warehouse
from candu_source.console.layout import layout
from candu_source.console.warehouse import state
from candu_source.destinations.warehouse.questions import QUESTIONS
from candu_source.model import Connection, Role
from candu_source.warehouses import Remark, Sync, Table, Upkeep, Warehouse
from tests.console.furnish import FORMULA, HOSTILE, furnish
from tests.console.site import Site, Visitor, open_site

_VIEWS = "views_per_tutorial"
_CALM = Upkeep(
    enabled=True, failures=0, due_at=0.0, syncing_since=None, pending=0, oldest_pending=None, asked=None, tables=(), last=Sync(0.0, 1.0)
)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Connection, Visitor]]:
    """Open one site with two connections whose warehouses share a file; the second knows no interaction."""
    site = open_site(tmp_path_factory.mktemp("warehouse"))
    connection = furnish(site)
    yield site, connection, site.person()
    site.store.close()


def _read(visitor: Visitor, connection: Connection, path: str = "", **query: str) -> dict[str, Any]:
    answer = visitor.get(f"/v1/admin/connections/{connection.id}/warehouse{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _post(visitor: Visitor, connection: Connection, action: str, **fields: Any) -> Any:
    page = f"/console/connections/{connection.id}/warehouse"
    return visitor.post(f"{page}/{action}", page, **fields)


def _sync(site: Site, connection: Connection, name: str = "warehouse") -> Warehouse:
    warehouse = site.store.warehouses.named(connection, name)
    assert not sync_warehouse(site.settings, site.store, warehouse, site.telltale).error
    return warehouse


def test_a_file_is_made_beside_the_store_and_loaded(site: Site) -> None:
    connection, visitor = furnish(site, events=12), site.person()
    other = site.connection("Candu_Other")
    answer = _post(visitor, other, "keep")
    assert (answer.status_code, answer.location) == (303, f"/console/connections/{other.id}/warehouse?warehouse=warehouse")
    assert site.settings.store_path().with_name("warehouse.duckdb").exists()
    _sync(site, other)
    assert _read(visitor, other)["warehouse"]["tables"] == []
    assert {each["name"] for each in _read(visitor, connection)["warehouse"]["tables"]} == {"screens", "tracks", "tutorial_interaction"}
    assert [row.action for row in site.store.audit.rows(other.id, 1)] == ["warehouse.added"]


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", "a.read", "A", "a/b", "a\\b", "x" * 41])
def test_only_a_name_may_be_chosen_never_a_path(furnished: tuple[Site, Connection, Visitor], name: str) -> None:
    site, connection, visitor = furnished
    before = set(site.settings.store_path().parent.parent.rglob("*.duckdb*"))
    answer = _post(visitor, connection, "keep", name=name)
    assert (answer.status_code, "cannot be called" in answer.text) == (422, True)
    assert set(site.settings.store_path().parent.parent.rglob("*.duckdb*")) == before
    assert len(site.store.warehouses.all(connection.id)) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "fill this in"),
        ("/tmp/elsewhere.duckdb", "postgresql://"),
        ("duckdb:////tmp/elsewhere.duckdb", "postgresql://"),
        ("host=/tmp dbname=x", "postgresql://"),
        ("postgresql://loader:canary@127.0.0.1:9/x", "127.0.0.1"),
        ("postgresql://loader:canary@a,b/x", "host"),
    ],
)
def test_an_address_that_is_off_is_told_at_its_field_and_not_shown(
    furnished: tuple[Site, Connection, Visitor], url: str, said: str
) -> None:
    site, connection, visitor = furnished
    answer = _post(visitor, connection, "connect", url=url, name="second")
    assert answer.status_code == 422, answer.text
    assert "Url: " in answer.text
    assert said in answer.text
    assert "canary" not in answer.text + site.log.getvalue()
    assert len(site.store.warehouses.all(connection.id)) == 1


def test_tables_of_another_connection_are_not_taken_over(site: Site) -> None:
    connection, visitor = furnish(site, events=12), site.person()
    site.store.connections.save(replace(connection, name="Candu_Renamed"), by="test")
    successor = site.connection("Candu_Prod")  # the same schema
    answer = _post(visitor, successor, "keep")
    assert (answer.status_code, "did not load it" in answer.text) == (422, True)
    assert site.store.warehouses.all(successor.id) == []


def test_upkeep_is_changed_from_the_page_and_audited(site: Site) -> None:
    connection, visitor = furnish(site, events=12), site.person()
    store = site.store
    for action, fields in (
        ("change", {"every": "15", "max_pending": "0"}),
        ("switch", {}),
        ("switch", {"on": "on"}),
        ("sync", {}),
        ("backfill", {"table": "tutorial_interaction"}),
    ):
        assert _post(visitor, connection, action, warehouse="warehouse", **fields).status_code == 303, action
    warehouse = store.warehouses.named(connection)
    assert (warehouse.every, warehouse.max_pending) == (15, 0)
    assert store.warehouses.upkeep(warehouse).asked == frozenset({"tutorial_interaction"})
    assert store.connections.lanes(connection.id)["warehouse"]
    said = [row.action for row in store.audit.rows(connection.id, 5)]
    assert said[:2] == ["warehouse.asked", "warehouse.asked"]
    assert "warehouse.changed" in said
    assert _post(visitor, connection, "change", every="0").status_code == 422
    assert _post(visitor, connection, "backfill").status_code == 422
    assert _post(visitor, connection, "remove").location == f"/console/connections/{connection.id}/warehouse"
    assert store.warehouses.all(connection.id) == []
    assert "Keep a DuckDB warehouse here" in visitor.get(f"/console/connections/{connection.id}/warehouse").text


def test_what_is_not_ticked_is_not_loaded_from_then_on(site: Site) -> None:
    connection, visitor = furnish(site, events=12), site.person()
    columns = [each["name"] for each in _read(visitor, connection, "/tables/screens")["columns"]]
    kept = [each for each in columns if each != "version_id"]
    assert _post(visitor, connection, "select", table="screens", loaded="on", known=columns, column=kept[2:]).status_code == 303
    assert _post(visitor, connection, "select", table="tracks").status_code == 303
    chosen = site.store.warehouses.named(connection).selection["collections"]
    assert chosen == {"screens": {"exclude": ["version_id"]}, "tracks": False, "*": True}
    table = _read(visitor, connection, "/tables/screens")
    assert [each["name"] for each in table["columns"] if not each["loaded"]] == ["version_id"]
    assert not _read(visitor, connection, "/tables/tracks")["loaded"]
    assert _read(visitor, connection)["warehouse"]["left_out"] == ["tracks"]
    # Columns that were not on the page stay as they are.
    assert _post(visitor, connection, "select", table="screens", loaded="on").status_code == 303
    assert site.store.warehouses.named(connection).selection["collections"]["screens"] == {"exclude": ["version_id"]}


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_every_question_is_answered_and_drawn(furnished: tuple[Site, Connection, Visitor], name: str) -> None:
    site, connection, visitor = furnished
    found = _read(visitor, connection, f"/questions/{name}")
    assert found["error"] == ""
    assert found["rows"]
    drawn = found["drawn"]
    points = drawn["lines"][0]["points"] if "lines" in drawn else [bar["value"] for bar in drawn["bars"]]
    assert len(points) == len(found["rows"])
    assert max(points) > 0 or name == "minutes_to_interaction"
    page = visitor.get(f"/console/connections/{connection.id}/warehouse/questions/{name}")
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert f"from {connection.slug}." in page.text
    assert "console.failed" not in site.log.getvalue()


def test_the_tab_says_what_the_syncs_did(furnished: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = furnished
    shown = _read(visitor, connection)["warehouse"]
    assert (shown["state"], shown["rows"], shown["pending"]) == ("Up to date", 163, 0)
    assert [each["error"] != "" for each in shown["syncs"]] == [False] * 5 + [True] + [False] * 2
    assert shown["chart"]["lines"][1]["points"][-1] == 163
    assert shown["chart"]["lines"][1]["points"].count(None) == 1
    assert [(each["table"], each["times"]) for each in shown["remarks"]] == [("screens", 3)]


def test_views_are_counted_as_they_came(furnished: tuple[Site, Connection, Visitor]) -> None:
    site, connection, visitor = furnished
    asked = [each.message for each in site.store.trace.tail(connection.id, most=1000)]
    views = [json.loads(each)["properties"].get("tutorialId") for each in asked if json.loads(each).get("name") == "tutorial.view"]
    rows = _read(visitor, connection, f"/questions/{_VIEWS}")["rows"]
    assert {row[0]: row[1] for row in rows} == {row[0]: views.count(row[0]) for row in rows}
    assert len(rows) == 20


def test_the_answer_is_a_file_without_formulas(furnished: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = furnished
    base = f"/console/connections/{connection.id}/warehouse/answer.csv"
    kinds = visitor.get(f"{base}?question=kinds_of_interaction")
    assert kinds.text.splitlines()[0] == "event_name,times,people"
    assert "'" + FORMULA.replace('"', '""') in kinds.text
    assert visitor.get(base).text.startswith("tutorial_id,views,people")
    assert visitor.get(f"{base}?question=drop").status_code == 404


def test_one_connection_asks_nothing_of_another_in_the_same_file(furnished: tuple[Site, Connection, Visitor]) -> None:
    site, connection, owner = furnished
    other = site.connection("Candu_Other")
    assert _post(owner, other, "keep").status_code == 303
    _sync(site, other)
    guest = site.person("guest-of-other", Role.OWNER, [other.id])
    for name in QUESTIONS:
        page = guest.get(f"/console/connections/{other.id}/warehouse/questions/{name}")
        assert (page.status_code, connection.slug in page.text) == (200, False), page.text
        assert guest.get(f"/console/connections/{connection.id}/warehouse/questions/{name}").status_code == 404
        file = guest.get(f"/console/connections/{other.id}/warehouse/answer.csv?question={name}")
        assert (file.status_code, connection.slug in file.text) == (422, False), file.text


@pytest.mark.parametrize("path", ["/tables/nowhere", "/questions/nowhere", f"/questions/{_VIEWS}?warehouse=other", "?warehouse=other"])
def test_what_is_not_there_is_not_found(furnished: tuple[Site, Connection, Visitor], path: str) -> None:
    _, connection, visitor = furnished
    assert visitor.get(f"/console/connections/{connection.id}/warehouse{path}").status_code == 404


def test_a_viewer_looks_and_has_nothing_to_press(furnished: tuple[Site, Connection, Visitor]) -> None:
    site, connection, _ = furnished
    viewer = site.person("viewer", Role.VIEWER)
    page = viewer.get(f"/console/connections/{connection.id}/warehouse").text
    assert "tutorial_interaction" in page
    assert f'action="/console/connections/{connection.id}' not in page
    assert 'type="checkbox"' not in viewer.get(f"/console/connections/{connection.id}/warehouse/tables/screens").text


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "Up to date"),
        ({"pending": 1}, "1 event to come"),
        ({"last": None}, "First sync to come"),
        ({"enabled": False, "pending": 9}, "Paused"),
        ({"failures": 5, "pending": 9}, "Failed 5 times in a row"),
        ({"asked": frozenset(), "failures": 5}, "Sync asked for"),
        ({"syncing_since": 1.0, "asked": frozenset({"*"})}, "Syncing"),
    ],
)
def test_the_state_is_a_word(changes: dict[str, Any], word: str) -> None:
    assert state(replace(_CALM, **changes)).word == word


def test_tables_that_belong_together_stand_together() -> None:
    events = {"id": "text", "event": "text"}
    names = ("aliases", "identifies", "screens", "tracks", "users")
    alike = [Table(name, 1, {"id": "text"}) for name in (*names, "notes")]
    tables = [*alike, Table("tutorial_interaction", 1, events)]
    assert [(each.title, each.main, each.tables) for each in layout(tables)] == [
        ("Views", "", ["screens"]),
        ("What people did", "tracks", ["tutorial_interaction"]),
        ("People", "users", ["identifies"]),
        ("Joined identities", "", ["aliases"]),
        ("Made by others", "", ["notes"]),
    ]
    assert layout([]) == []


def test_a_page_with_very_many_notices_is_bounded(site: Site) -> None:
    connection, visitor = furnish(site, events=12), site.person()
    warehouse = site.store.warehouses.named(connection)
    many = [Remark("screens", f"c{number}", "has no room", 1, "x") for number in range(500)]
    site.store.warehouses.ended(warehouse, Sync(1.0, 1.0, remarks=many), now=2.0)
    assert visitor.get(f"/console/connections/{connection.id}/warehouse").text.count('<td class="mono">screens</td>') == 50
