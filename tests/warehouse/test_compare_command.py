"""`warehouse compare` as people call it: exit codes, JSON, and no password anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from candu_source.destinations.warehouse.dialects import Warehouse as Place
from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.model import Connection, Secret
from candu_source.warehouses import Warehouse
from tests.cli.inside import Inside, inside
from tests.warehouse.loads import SCHEMA, change, put
from tests.warehouse.postgres import PASSWORD
from tests.warehouse.test_compare import IDS, interactions

__all__ = ["inside"]
TIME = ("--since", "2026-11-01", "--until", "2026-11-03")


@pytest.fixture
def both(inside: Inside, place: Secret, warehouse: Place, tmp_path: Path) -> str:
    """Load ours, which a connection has, and the other, of each dialect in turn; return where the other is."""
    inside.settings = replace(inside.settings, allow_private_addresses=True)
    connection, _ = inside.store.connections.add(Connection("", SCHEMA), Secret("canary-key"), by="test")
    ours = Secret(f"duckdb:///{tmp_path}/ours.duckdb")
    inside.store.warehouses.add(connection, Warehouse(connection.id, "warehouse", shown(ours), SCHEMA), ours, by="test")
    put(warehouse_at(ours, allow_private=True), interactions())
    put(warehouse, interactions())
    return place.reveal()


def test_the_same_exits_0(inside: Inside, both: str) -> None:
    told = inside.run("warehouse", "compare", both, *TIME).output
    assert "Rows received from 2026-11-01T00:00:00.000Z on and before 2026-11-03T00:00:00.000Z." in told
    assert "The same schema; all 12 rows are on both sides with the same values." in told
    assert PASSWORD not in told


def test_what_differs_exits_1_and_is_shown(inside: Inside, both: str, warehouse: Place) -> None:
    change(
        warehouse,
        f"DELETE FROM {SCHEMA}.tutorial_interaction WHERE id = 'm03'",
        f"UPDATE {SCHEMA}.tutorial_interaction SET event_name = 'a\x1b[31mb' WHERE id = 'z'",
        f"ALTER TABLE {SCHEMA}.tutorial_interaction DROP COLUMN roles",
    )
    done = inside.run("warehouse", "compare", "-", *TIME, stdin=f"{both}\n", code=1)
    shown = " ".join(done.output.split())
    assert "roles only here" in shown
    assert "missing there 1 m03" in shown
    assert r'event_name another value 1 z: "click" here, "a\u001b[31mb" there' in shown
    assert "1 of 12 rows is missing there: m03" in shown
    assert "\x1b" not in done.output


def test_json_holds_everything(inside: Inside, both: str, warehouse: Place) -> None:
    table = f"{SCHEMA}.tutorial_interaction"
    change(warehouse, f"UPDATE {table} SET received_at = NULL WHERE id = 'B'", f"UPDATE {table} SET price = 2.5 WHERE id = 'z'")
    found = json.loads(inside.run("warehouse", "compare", both, *TIME, "--json", code=1).stdout)
    assert found["same"] is False
    (table,) = found["tables"]
    assert (table["rows"], table["values"]["price"]) == (len(IDS), {"times": 1, "samples": [["z", 1.5, 2.5]]})
    assert table["values"]["received_at"]["samples"] == [["B", "2026-11-01T12:00:00.123Z", None]]


@pytest.mark.parametrize("words", [("--table", "nothing"), ("--schema", "elsewhere"), ("--since", "some day"), ("--samples", "-1")])
def test_what_is_off_exits_2(inside: Inside, both: str, words: tuple[str, ...]) -> None:
    assert PASSWORD not in inside.run("warehouse", "compare", both, *words, code=2).output


def test_a_place_that_is_off_exits_2_without_repeating_it(inside: Inside, both: str) -> None:
    done = inside.run("warehouse", "compare", "postgresql://me:canary@@:x", code=2)
    assert "canary" not in done.output
