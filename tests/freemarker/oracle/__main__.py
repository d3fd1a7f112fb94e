"""Render random templates with both engines: `python -m tests.freemarker.oracle [COUNT [SEED]]` prints the differences, exits 1 if any."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from candu_source.integrations.freemarker import TemplateError, compile_template
from tests.freemarker.oracle.generator import DATA, Generator

JAR = "/usr/share/java/freemarker.jar"
SOURCE = Path(__file__).parent / "Oracle.java"


def ours(template: str, data: dict[str, Any]) -> dict[str, str]:
    """Return what our engine makes of a template: `output`, or `error` with its kind."""
    try:
        return {"output": compile_template(template).render(data, now=0)}
    except TemplateError as error:
        return {"error": error.kind, "message": str(error)}


def theirs(templates: list[str], data: dict[str, Any]) -> list[dict[str, str]]:
    """Return what Apache FreeMarker makes of the templates."""
    asked = "\n".join(json.dumps({"template": template, "data": data}) for template in templates)
    run = subprocess.run(["java", "-cp", JAR, str(SOURCE)], input=asked, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def same(mine: dict[str, str], other: dict[str, str]) -> bool:
    """Tell whether two outcomes are the same: the text, or the kind of error."""
    return mine.get("output") == other.get("output") and mine.get("error") == other.get("error")


def main(count: int = 5000, seed: int = 1) -> int:
    """Compare templates of that number and seed; return 1 if any differ."""
    generator = Generator(seed)
    templates = [generator.template() for _ in range(count)]
    data = json.loads(json.dumps(DATA), parse_float=Decimal)
    differences = 0
    errors = 0
    for template, answer in zip(templates, theirs(templates, DATA), strict=True):
        mine = ours(template, data)
        errors += "error" in answer
        if not same(mine, answer):
            differences += 1
            print(f"{template!r}\n  FreeMarker: {answer}\n  ours:       {mine}")  # noqa: T201 - a report is what this is for
    print(f"{count} templates, {errors} of them wrong in FreeMarker: {differences} differences")  # noqa: T201
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
