"""Warehouses by the command line: added, filled, looked into, chosen from, changed, given up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from candu_source.model import Admission, Event, Secret
from tests.cli.inside import Inside
from tests.store.shelf import add_connection
from tests.warehouse.syncing import message

SCREENS = "select id, tutorial_id, received_at, 2.50::decimal(9,2) as price, null as nothing from candu_test.screens order by id"


@pytest.fixture
def filled(inside: Inside) -> Inside:
    """Make a connection with a warehouse and six events in it."""
    return fill(inside)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Make one for all that is refused."""
    opened = Inside(tmp_path_factory.mktemp("asked"))
    yield fill(opened)
    opened.store.close()


def fill(inside: Inside) -> Inside:
    """Make a connection, six events, and a warehouse that has them."""
    connection = add_connection(inside.store)
    inside.store.log.append(Admission(connection.id, "webhook", tuple(message(number) for number in range(6))))
    inside.run("warehouse", "add")
    inside.run("warehouse", "sync")
    return inside


def selection(inside: Inside) -> object:
    """Return what is kept of the selection."""
    (kept,) = inside.store.warehouses.all()
    return kept.selection.get("collections")


def test_a_warehouse_from_beginning_to_end(inside: Inside) -> None:
    assert "`candu-source warehouse add` makes one" in inside.run("warehouse", "status").output
    connection = add_connection(inside.store)
    assert "`candu-source warehouse add` makes one" in inside.run("warehouse", "sync", code=2).output
    made = inside.read("warehouse", "add")
    file = inside.store.database.path.with_name("warehouse.duckdb")
    assert made == {
        "connection": "Candu_Test",
        "name": "warehouse",
        "place": f"duckdb:///{file}",
        "schema": "candu_test",
        "every": 60,
        "max_pending": 50_000,
        "choices": {},
    }
    inside.store.log.append(Admission(connection.id, "webhook", tuple(message(number) for number in range(6))))
    assert inside.read("warehouse", "status")[0]["waiting"] == 6
    done = inside.read("warehouse", "sync")
    assert (done["events"], done["rows"], done["notices"], done["error"]) == (6, 10, 0, "")
    (row,) = inside.read("warehouse", "status")
    assert (row["state"], row["waiting"], row["rows"], row["tables"]["screens"]) == ("up to date", 0, 10, 2)
    assert "removed. Its tables stay in schema candu_test" in inside.run("warehouse", "remove", stdin="y\n").output
    assert inside.read("warehouse", "status") == []
    assert [each.action for each in inside.store.audit.rows(connection.id, 2)] == [
        "warehouse.removed",
        "warehouse.added",
    ]
    assert duckdb.connect(str(file), read_only=True).execute("SELECT count(*) FROM candu_test.screens").fetchone() == (2,)


def test_it_tells_more_of_the_one_that_is_named(filled: Inside) -> None:
    story = filled.read("warehouse", "status", "warehouse")
    assert (story["last_events"], story["last_rows"], story["failures"], story["asked"]) == (6, 10, 0, None)
    assert story["tables"] == {"identifies": 2, "screens": 2, "tracks": 2, "tutorial_interaction": 2, "users": 2}
    filled.run("connections", "lane", "Candu_Test", "warehouse", "--off")
    off = filled.read("warehouse", "status", "warehouse")
    assert (off["state"], off["next_sync"]) == ("off", None)


def test_columns_are_listed_with_their_types(filled: Inside) -> None:
    tables = {each["table"]: each["columns"] for each in filled.read("warehouse", "columns")}
    assert list(tables) == ["identifies", "screens", "tracks", "tutorial_interaction", "users"]
    (screens,) = filled.read("warehouse", "columns", "screens")
    assert (screens["rows"], screens["columns"]["tutorial_id"]) == (2, "BIGINT")
    assert "TIMESTAMP WITH TIME ZONE" in filled.run("warehouse", "columns", "screens").output
    assert "it has identifies, screens, tracks" in filled.run("warehouse", "columns", "nothing", code=2).output


def test_a_question_is_answered_as_a_table_as_json_and_as_csv(filled: Inside) -> None:
    first, second = filled.read("warehouse", "query", SCREENS)
    assert {**first, "received_at": None} == {"id": "m0", "tutorial_id": 0, "received_at": None, "price": 2.5, "nothing": None}
    assert first["received_at"].endswith("Z")
    assert second["id"] == "m3"
    lines = filled.run("warehouse", "query", "-", "--csv", stdin=SCREENS).stdout.splitlines()
    assert (lines[0], lines[1][:5], lines[1][-6:]) == ("id,tutorial_id,received_at,price,nothing", "m0,0,", ",2.50,")
    table = filled.run("warehouse", "query", SCREENS).stdout.splitlines()
    assert table[0].split() == ["id", "tutorial_id", "received_at", "price", "nothing"]
    assert filled.run("warehouse", "query", "select 1 as a, 2 as a").stdout.split() == ["a", "a", "1", "2"]
    assert filled.run("warehouse", "query", "select 1 where false").stdout == "No rows.\n"
    assert filled.read("warehouse", "query", "select 1 where false") == []


def test_a_question_is_cut_and_says_so(filled: Inside) -> None:
    cut = filled.run("warehouse", "query", "--limit", "1", "--json", SCREENS)
    assert len(json.loads(cut.stdout)) == 1
    assert cut.stderr == "There are more than 1 rows; --limit shows more.\n"
    assert filled.run("warehouse", "query", "--limit", "2", "--json", SCREENS).stderr == ""


@pytest.mark.parametrize(
    "sql", ["delete from candu_test.screens", "select 1; drop table candu_test.screens", "copy candu_test.screens to 'stolen.csv'"]
)
def test_a_question_changes_nothing(filled: Inside, sql: str) -> None:
    assert filled.run("warehouse", "query", sql, code=1).stderr.startswith("candu-source: ")
    assert len(filled.read("warehouse", "query", SCREENS)) == 2


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--disable", "screens"], {"screens": False, "*": True}),
        (["--disable", "tutorial_interaction.version_id"], {"tutorial_interaction": {"exclude": ["version_id"]}, "*": True}),
        (["--disable", "*", "--enable", "screens"], {"screens": True, "*": False}),
        (["--disable", "*.context_ip"], {"*": {"exclude": ["context_ip"]}}),
    ],
)
def test_tables_and_columns_are_turned_off_and_on_again(filled: Inside, words: Sequence[str], kept: object) -> None:
    assert filled.read("warehouse", "select", *words)["collections"] == kept
    assert selection(filled) == kept
    back = ["--enable" if word == "--disable" else "--disable" if word == "--enable" else word for word in words]
    filled.run("warehouse", "select", *back)
    assert filled.read("warehouse", "select")["collections"]["*"] is True


def test_what_is_turned_off_is_not_loaded(filled: Inside) -> None:
    filled.run("warehouse", "select", "--disable", "screens", "--disable", "tutorial_interaction.version_id")
    assert "version_id" in filled.run("warehouse", "select").output
    (kept,) = filled.store.warehouses.all()
    filled.store.log.append(Admission(kept.connection, "webhook", tuple(message(number) for number in range(6, 12))))
    filled.run("warehouse", "sync")
    assert len(filled.read("warehouse", "query", SCREENS)) == 2
    counted = filled.read("warehouse", "query", "select count(*) as n, count(version_id) as v from candu_test.tutorial_interaction")
    assert counted == [{"n": 4, "v": 2}]


def test_a_file_says_all_that_is_chosen(filled: Inside, tmp_path: Path) -> None:
    file = tmp_path / "selection.toml"
    file.write_text('[collections]\n"Tutorial Interaction" = false\nscreens = {exclude = ["slug"]}\n')
    filled.run("warehouse", "select", "--disable", "groups")
    filled.run("warehouse", "select", "--file", str(file))
    assert selection(filled) == {"tutorial_interaction": False, "screens": {"exclude": ["slug"]}, "*": True}
    file.write_text("enabled = false\n")
    filled.run("warehouse", "select", "--file", str(file))
    assert filled.read("warehouse", "status")[0]["state"] == "off"


def test_settings_are_changed_and_checked(filled: Inside) -> None:
    changed = filled.read("warehouse", "set", "--every", "5", "--choice", "truncate_text=512", "--choice", 'reserved_words=["note"]')
    assert (changed["every"], changed["choices"]) == (5, {"truncate_text": 512, "reserved_words": ["note"]})
    assert filled.read("warehouse", "set", "--choice", "truncate_text=")["choices"] == {"reserved_words": ["note"]}
    moved = filled.store.database.path.with_name("other.duckdb")
    assert filled.read("warehouse", "set", "--file", str(moved))["place"] == f"duckdb:///{moved}"
    assert filled.read("warehouse", "sync")["rows"] == 10


def test_a_table_is_loaded_again(filled: Inside) -> None:
    file = filled.store.database.path.with_name("warehouse.duckdb")
    with duckdb.connect(str(file)) as database:
        database.execute("DROP TABLE candu_test.screens")
    assert json.loads(filled.run("warehouse", "backfill", "screens", "--json").stdout)["rows"] == 2
    unknown = filled.run("warehouse", "backfill", "nothing")
    assert "The log of Candu_Test reaches back to 20" in unknown.stderr
    assert "No event of the log goes to a table 'nothing'" in unknown.stderr
    assert filled.run("warehouse", "backfill", stdin="n\n", code=1).output.endswith("Aborted!\n")
    assert filled.read("warehouse", "backfill", "--all")["events"] == 6


def test_what_could_not_be_loaded_as_it_came_is_listed(filled: Inside) -> None:
    assert filled.read("warehouse", "notices") == []
    (kept,) = filled.store.warehouses.all()
    properties = {"tutorialId": "\x1b[31mred"}
    odd = json.dumps({"type": "screen", "messageId": "odd", "userId": "u", "name": "tutorial.view", "properties": properties})
    filled.store.log.append(Admission(kept.connection, "webhook", (Event("odd", odd.encode(), b"{}"),)))
    filled.run("warehouse", "sync")
    (notice,) = filled.read("warehouse", "notices")
    assert (notice["table"], notice["column"], notice["times"]) == ("screens", "tutorial_id", 1)
    assert "\x1b[31m" not in filled.run("warehouse", "notices").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "--url", "mysql://x"], "the place of a warehouse is"),
        (["add", "--url", "-", "--file", "x.duckdb"], "--url and --file name two places"),
        (["add", "--file", "x.db"], "ends with .duckdb"),
        (["add", "--name", "1st"], "a warehouse cannot be called '1st'"),
        (["add", "--name", "segment"], "has a lane 'segment'"),
        (["add", "--every", "0"], "--every takes 1 to 1440 minutes"),
        (["set", "--choice", "truncate_text=many"], "choices:"),
        (["set", "--choice", "nonsense=1"], "'nonsense' is not known"),
        (["set", "--choice", "nonsense="], "it is not known"),
        (["set", "--choice", "nonsense"], "write NAME=VALUE"),
        (["set", "--every", "x"], "'x' is not a valid integer"),
        (["select", "--disable", "screens.id"], "id is always loaded"),
        (["select", "--disable", "screens", "--disable", "screens.slug"], "--enable screens first"),
        (["select", "--file", "no-such.toml"], "cannot be read"),
        (["select", "--file", "x", "--enable", "y"], "--file says all that is chosen"),
        (["query", "select 1", "--csv", "--json"], "not both"),
        (["backfill", "screens", "--all"], "--all means all tables"),
        (["sync", "--warehouse", "other"], "has no warehouse 'other'"),
    ],
)
def test_what_is_off_is_one_clear_line_and_exit_code_2(asked: Inside, words: Sequence[str], said: str) -> None:
    refused = asked.run("warehouse", *words, code=2)
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_schema_with_tables_of_others_is_adopted_only_when_told_so(inside: Inside) -> None:
    add_connection(inside.store)
    with duckdb.connect(str(inside.store.database.path.with_name("warehouse.duckdb"))) as database:
        database.execute("CREATE SCHEMA candu_test")
        database.execute("CREATE TABLE candu_test.mine (x integer)")
    assert "the schema candu_test is not empty" in inside.run("warehouse", "add", code=2).stderr
    assert inside.read("warehouse", "status") == []
    inside.run("warehouse", "add", "--adopt")


def test_a_sync_that_fails_says_so_and_exits_1(inside: Inside) -> None:
    connection = add_connection(inside.store)
    inside.run("warehouse", "add")
    (kept,) = inside.store.warehouses.all()
    inside.store.warehouses.save(connection, kept, place=Secret("postgresql://loader:canary@127.0.0.1:9/db"), by="test")
    failed = inside.run("warehouse", "sync", code=1)
    assert "is not a public address" in failed.stderr
    assert "canary" not in failed.output
    assert inside.read("warehouse", "status")[0]["state"] == "failing, 1 in a row"
    assert inside.run("warehouse", "query", "select 1", code=1).stderr.startswith("candu-source: ")
