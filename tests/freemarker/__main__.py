"""Run cases: `python -m tests.freemarker FILE` prints each miss with what was expected and what came, and exits 1 if there is one."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from candu_source.integrations.freemarker import TemplateError, compile_template

SHARED = Path(__file__).parent / "cases.json"


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Return the cases of a file, decimals kept exactly."""
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return cases


def outcome(case: dict[str, Any]) -> tuple[str, str]:
    """Return `text` with the output, or `error` with its kind."""
    try:
        return "text", compile_template(case["template"]).render(case["data"])
    except TemplateError as error:
        return "error", error.kind


def passes(case: dict[str, Any]) -> bool:
    """Tell whether a case comes out as it says: exactly, or as the same JSON where the case allows that."""
    got = outcome(case)
    if "expected_error" in case:
        return got == ("error", case["expected_error"])
    if got == ("text", case["expected"]):
        return True
    return got[0] == "text" and bool(case.get("json")) and _same_json(got[1], case["expected"])


def _same_json(left: str, right: str) -> bool:
    try:
        return bool(json.loads(left) == json.loads(right))
    except ValueError:
        return False


def main(path: str) -> int:
    """Print the misses of a file and how many cases passed; return 1 if any missed."""
    cases = read_cases(Path(path))
    misses = [case for case in cases if not passes(case)]
    for case in misses:
        wanted = ("error", case["expected_error"]) if "expected_error" in case else ("text", case["expected"])
        print(f"{case['id']}: {case.get('rule', '')}\n  template {case['template']!r}\n  expected {wanted}\n  got      {outcome(case)}")  # noqa: T201
    print(f"{len(cases) - len(misses)} of {len(cases)} cases pass")  # noqa: T201 - a report is what this is for
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(SHARED)))
