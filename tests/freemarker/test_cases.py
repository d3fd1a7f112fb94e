"""The cases: those given with Amplitude's templates, and those that the real engine decided besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.freemarker.__main__ import SHARED, main, outcome, passes, read_cases

DECIDED = Path(__file__).parent / "decided.json"


@pytest.mark.parametrize("case", [*read_cases(SHARED), *read_cases(DECIDED)], ids=lambda case: str(case["id"]))
def test_case(case: dict[str, Any]) -> None:
    assert passes(case), outcome(case)


def test_the_runner_tells_a_miss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.json"
    right = {"id": "r", "template": "${1}", "data": {}, "expected": "1"}
    file.write_text(json.dumps([right, {**right, "id": "wrong", "expected": "2"}]), encoding="utf-8")
    assert main(str(file)) == 1
    printed = capsys.readouterr().out
    assert "wrong" in printed
    assert "1 of 2" in printed


def test_json_cases_may_differ_in_white_space_only(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    case = {"id": "j", "template": '{"a": 1}', "data": {}, "expected": '{"a":1}', "json": True}
    file.write_text(json.dumps([case]), encoding="utf-8")
    assert main(str(file)) == 0
    file.write_text(json.dumps([{**case, "expected": '{"a":2}'}]), encoding="utf-8")
    assert main(str(file)) == 1
