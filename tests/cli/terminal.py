"""Run the command line as a person types it, on a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run one command on a store in the test's own directory."""
    environment = {
        **os.environ,
        "CANDU_SOURCE_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "CANDU_SOURCE_MIN_FREE_MB": "0",
        "COLUMNS": "200",
    }

    def command(*words: str, stdin: str = "", code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "candu_source", *words], input=stdin, capture_output=True, text=True, env=environment | more, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


def read(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a command printed with --json."""
    return json.loads(done.stdout)


def import_lines(run: Run, path: Path, *items: Any) -> Any:
    """Import items as lines of a file."""
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return read(run("import", str(path), "--json"))


def sample(name: str) -> Any:
    """Return a sample."""
    return json.loads((SAMPLES / name).read_text())
