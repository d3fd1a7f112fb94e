"""Run cases of names: `python -m tests.warehouse.snakecase FILE` prints every miss, and ends with 1 when there is one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from candu_source.destinations.warehouse.naming import snakecase

SHARED = Path(__file__).with_name("snakecase.json")


def misses(file: Path) -> list[str]:
    """Return a line for each case, `{"in": name, "out": its snake case}`, that comes out otherwise."""
    cases = json.loads(file.read_text())
    return [f"{case['in']!r}: {got!r}, not {case['out']!r}" for case in cases if (got := snakecase(case["in"])) != case["out"]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a file's cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.warehouse.snakecase", description=__doc__)
    parser.add_argument("file", type=Path, help='a list of {"in": …, "out": …}')
    missed = misses(parser.parse_args(arguments).file)
    print("\n".join(missed) or "every name comes out as it should")  # noqa: T201 - a command
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
