"""Run the shared golden cases on both dialects, and the cases of names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from candu_source.destinations.warehouse.dialects import Dialect
from candu_source.destinations.warehouse.dialects.places import warehouse_at
from candu_source.model import Secret
from tests.warehouse import golden, snakecase

FILE = json.loads(golden.SHARED.read_text())


@pytest.fixture(scope="module", params=golden.DIALECTS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Dialect]]:
    """Open one warehouse of each dialect in turn for all cases; each of them drops its schema."""
    name: str = request.param
    postgres = name == "postgres"
    place = request.getfixturevalue("postgres").database() if postgres else f"{tmp_path_factory.mktemp(name)}/warehouse.duckdb"
    with warehouse_at(Secret(place), allow_private=True).open("golden") as dialect:
        yield name, dialect


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["id"])
def test_golden_case(case: dict[str, Any], opened: tuple[str, Dialect]) -> None:
    """Each case gives exactly its tables, columns, types and rows."""
    name, dialect = opened
    assert golden.misses(case, dialect, FILE["physical_types"][name]) == []


def test_a_wrong_case_is_a_miss(opened: tuple[str, Dialect]) -> None:
    """The runner sees a cell, a column, a type, a table and a row that are not as they should be."""
    name, dialect = opened
    case = json.loads(json.dumps(FILE["cases"][0]))
    columns, rows = case["tables"]["screens"]["columns"], case["tables"]["screens"]["rows"]
    rows[0]["tutorial_id"], columns["portal_id"] = 418, "string"
    del columns["version_id"]
    found = golden.misses(
        case | {"only_tables": ["tracks"], "absent_columns": {"screens": ["name"]}}, dialect, FILE["physical_types"][name]
    )
    assert [miss.partition(" ")[0] for miss in found] == ["tables", "a", "screens:", "screens:", "screens:"]


def test_names() -> None:
    """Every shared name comes out in Segment's snake case."""
    assert snakecase.misses(snakecase.SHARED) == []


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands end with 1 when a case is missed, and print it."""
    file = tmp_path / "cases.json"
    file.write_text('[{"in": "tutorialId", "out": "tutorialid"}]')
    assert snakecase.main([str(file)]) == 1
    assert capsys.readouterr().out == "'tutorialId': 'tutorial_id', not 'tutorialid'\n"
    file.write_text(json.dumps(FILE | {"cases": [FILE["cases"][0] | {"schema": "candu"}]}))
    assert golden.main([str(file), "--dialect", "duckdb"]) == 1
    assert capsys.readouterr().out == "G01 tutorial.view screen: schema candu_prod, not candu\n"
