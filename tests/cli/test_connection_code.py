"""Connections as code: written to a file, changed there, applied, and nothing secret in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from candu_source.model import Connection, Secret
from candu_source.warehouses import Warehouse
from tests.cli.inside import Inside
from tests.store.shelf import add_connection

NEW = """
[connections.Candu_Prod]
write_key = "env:PROD_KEY"
environment = "production"
region = "eu"
requests_per_minute = 600
classification = {"candu.sdk.x" = "view"}
lanes = {segment = false}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "connections.toml"


def apply(inside: Inside, file: Path, text: str, *words: str, code: int = 0, **environment: str) -> str:
    """Apply a text and return what was said."""
    file.write_text(text)
    return inside.run("connections", "apply", str(file), *words, code=code, environment=environment).output


def test_a_file_makes_a_connection_and_says_what_it_makes(inside: Inside, file: Path) -> None:
    told = apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    assert told.splitlines() == [
        "Candu_Prod (new)",
        '  name: "" → "Candu_Prod"',
        '  environment: "" → "production"',
        '  region: "us" → "eu"',
        "  requests_per_minute: 0 → 600",
        '  classification: {} → {"candu.sdk.x": "view"}',
        "  write_key: null → …",
        "  lanes.segment: true → false",
        "1 connections changed.",
    ]
    made = inside.store.connections.named("Candu_Prod")
    assert inside.store.connections.has_write_key(made, Secret("CANARY-1"))
    assert inside.store.connections.lanes(made.id) == {"segment": False}
    assert (made.requests_per_minute, made.region.value) == (600, "eu")


def test_applying_twice_changes_nothing(inside: Inside, file: Path) -> None:
    apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    before = inside.store.audit.rows(None, 100)
    assert apply(inside, file, NEW, PROD_KEY="CANARY-1") == "Nothing to change.\n"
    assert inside.store.audit.rows(None, 100) == before


def test_what_is_exported_is_what_there_is(inside: Inside, file: Path) -> None:
    apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    inside.run(
        "connections", "add", "9 lives ☃", "--write-key", "CANARY-2", "--portal", "7", "--origin", "*", "--identity-secret", "CANARY-3"
    )
    inside.run("connections", "export", str(file))
    text = file.read_text()
    assert inside.run("connections", "export").stdout == text
    assert "CANARY" not in text
    found = tomllib.loads(text)["connections"]
    assert found["Candu_Prod"]["write_key"] == "env:WRITE_KEY_CANDU_PROD"
    assert found["9 lives ☃"]["identity_secret"] == "env:IDENTITY_SECRET__9_LIVES"
    assert "Nothing to change." in inside.run("connections", "apply", str(file)).stdout
    told = inside.run("connections", "apply", str(file)).stdout
    assert "write_key: WRITE_KEY_CANDU_PROD is not set, so it stays as it is" in told


def test_an_export_makes_the_same_connections_elsewhere(inside: Inside, file: Path, tmp_path: Path) -> None:
    apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    inside.run("connections", "export", str(file))
    elsewhere = Inside(tmp_path / "elsewhere")
    elsewhere.run("connections", "apply", str(file), "--yes", environment={"WRITE_KEY_CANDU_PROD": "CANARY-1"})
    elsewhere.run("connections", "export", str(tmp_path / "again.toml"))
    assert (tmp_path / "again.toml").read_text() == file.read_text()
    elsewhere.store.close()


def test_secrets_are_compared_and_changed_without_being_told(inside: Inside, file: Path) -> None:
    apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    with_proof = NEW + 'identity_secret = "env:PROOF"\n'
    told = apply(inside, file, with_proof, "--yes", PROD_KEY="CANARY-4", PROOF="CANARY-5")
    assert told.splitlines() == ["Candu_Prod", "  write_key: … → …", "  identity_secret: … → …", "1 connections changed."]
    changed = inside.store.connections.named("Candu_Prod")
    assert inside.store.connections.has_write_key(changed, Secret("CANARY-4"))
    assert changed.identity_secret == Secret("CANARY-5")
    assert apply(inside, file, with_proof, PROD_KEY="CANARY-4", PROOF="CANARY-5") == "Nothing to change.\n"


def test_what_the_file_leaves_out_stays(inside: Inside, file: Path) -> None:
    apply(inside, file, NEW, "--yes", PROD_KEY="CANARY-1")
    inside.store.connections.add(Connection("", "Other"), Secret("k"), by="test")
    told = apply(inside, file, "[connections.Candu_Prod]\npending_most = 5\n", "--yes")
    assert "Not in the file, left as they are: Other" in told
    kept = inside.store.connections.named("Candu_Prod")
    assert (kept.pending_most, kept.requests_per_minute, kept.environment) == (5, 600, "production")
    assert "left as they are: Candu_Prod, Other" in apply(inside, file, "")
    assert len(inside.store.connections.all()) == 2


def test_nothing_changes_by_a_dry_run_or_without_a_yes(inside: Inside, file: Path) -> None:
    assert "Nothing was changed." in apply(inside, file, NEW, "--dry-run", PROD_KEY="k")
    file.write_text(NEW)
    asked = inside.run("connections", "apply", str(file), stdin="n\n", code=1, environment={"PROD_KEY": "k"})
    assert "Change 1 connections?" in asked.output
    assert inside.store.connections.all() == []
    inside.run("connections", "apply", str(file), stdin="y\n", environment={"PROD_KEY": "k"})
    assert len(inside.store.connections.all()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[connections.A\n", "Expected ']' at the end of a table declaration (at line 1, column 15)"),
        ("[A]\n", "A: write a table [connections.NAME]"),
        ("connections = 5\n", "write a table [connections.NAME]"),
        ("[connections]\nA = 5\n", "connections.A.settings: write a table"),
        ("[connections.A]\nregion = 'mars'\n", "connections.A.region: 'mars' is off; write us or eu"),
        ("[connections.A]\nregoin = 'eu'\n", "connections.A.regoin: not a setting of a connection"),
        ("[connections.A]\nname = 'B'\n", "connections.A.name: leave it out"),
        ("[connections.'']\n", "connections..name: write 1 to 100 printable characters"),
        ("[connections.A]\n", "connections.A.write_key: a new connection needs one"),
        ("[connections.A]\nwrite_key = 'env:NOT_SET'\n", "connections.A.write_key: a new connection needs one"),
        ("[connections.A]\nwrite_key = 'CANARY'\n", 'connections.A.write_key: write "env:NAME"'),
        ("[connections.A]\nwrite_key = 'env:TWO'\n", "connections.A.write_key: a write key is one word"),
        (
            "[connections.A]\nwrite_key = 'env:KEY'\nlanes = {mars = true}\n",
            "connections.A.lanes.mars: there is no such lane; there is segment",
        ),
        ("[connections.A]\nwrite_key = 'env:KEY'\nlanes = {segment = 1}\n", "connections.A.lanes: write a table"),
        (
            "[connections.A]\nwrite_key = 'env:KEY'\n[connections.a]\nwrite_key = 'env:KEY'\n",
            "connections.a: it names the warehouse schema that A has",
        ),
        ("[connections.there]\nwrite_key = 'env:KEY'\n", "connections.there: it names the warehouse schema that There has"),
    ],
)
def test_what_is_off_is_named_and_nothing_is_changed(inside: Inside, file: Path, text: str, said: str) -> None:
    inside.store.connections.add(Connection("", "There"), Secret("k"), by="test")
    told = apply(inside, file, text, "--yes", code=2, KEY="k", TWO="CANARY CANARY")
    assert said in told
    assert str(file) in told
    assert "CANARY" not in told
    assert [each.name for each in inside.store.connections.all()] == ["There"]


def test_warehouses_are_written_without_their_place_and_changed_by_the_file(inside: Inside, file: Path) -> None:
    connection = add_connection(inside.store)
    draft = Warehouse(connection.id, "warehouse", "postgresql://loader@db.example/x", connection.slug)
    inside.store.warehouses.add(connection, draft, Secret("postgresql://loader:canary@db.example/x"), by="test")
    inside.run("connections", "export", str(file))
    text = file.read_text()
    assert "canary" not in text
    assert "db.example" not in text
    assert apply(inside, file, text).endswith("Nothing to change.\n")
    faster = text.replace("every = 60", "every = 5").replace("selection]\n", "selection]\ncollections = {groups = false}\n")
    told = apply(inside, file, faster, "--yes").splitlines()
    assert [line for line in told if "warehouses." in line] == [
        "  warehouses.warehouse.every: 60 → 5",
        '  warehouses.warehouse.selection: {} → {"collections": {"groups": false}}',
    ]
    saved = inside.store.warehouses.named(connection)
    assert (saved.every, saved.selection) == (5, {"collections": {"groups": False}})
    assert inside.store.warehouses.place(saved).reveal() == "postgresql://loader:canary@db.example/x"


def test_a_warehouse_that_is_not_there_is_made_by_hand(inside: Inside, file: Path) -> None:
    new = NEW.replace("lanes = {segment = false}", "lanes = {warehouse = true}\nwarehouses = {warehouse = {every = 5}}")
    told = apply(inside, file, new, "--yes", PROD_KEY="CANARY-1")
    assert "`candu-source warehouse add --name warehouse` makes it" in told
    assert inside.store.warehouses.all() == []


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("3", "warehouses: write a table"),
        ("{warehouse = {every = 0}}", "warehouses.warehouse: --every takes"),
        ("{warehouse = {every = true}}", "warehouses.warehouse.every: write a whole number"),
        ("{warehouse = {place = 'x'}}", "warehouses.warehouse.place: it is not known"),
        ("{warehouse = {selection = {tables = 1}}}", "warehouses.warehouse: selection: 'tables' is not known"),
        ("{warehouse = {choices = 1}}", "warehouses.warehouse.choices: write a table"),
    ],
)
def test_what_is_off_in_a_warehouse_is_named(inside: Inside, file: Path, said: str, named: str) -> None:
    connection = add_connection(inside.store)
    place = Secret("duckdb:///nowhere.duckdb")
    inside.store.warehouses.add(connection, Warehouse(connection.id, "warehouse", place.reveal(), connection.slug), place, by="test")
    assert f"connections.Candu_Test.{named}" in apply(inside, file, f"[connections.Candu_Test]\nwarehouses = {said}\n", "--yes", code=2)
