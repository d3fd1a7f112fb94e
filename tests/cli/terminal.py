"""Run the command line on a real store, in this process or as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from candu_source.cli import commands
from candu_source.settings import PREFIX, Settings

SAMPLES = Path(__file__).parents[2] / "samples"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run one command in this process, on a store in the test's own directory: a tenth of the time of `typed`."""

    def command(*words: str, stdin: str = "", code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        environment = _environment(tmp_path) | more
        settings = Settings.load({name: text for name, text in environment.items() if name.startswith(PREFIX)})
        done = CliRunner().invoke(commands, words, input=stdin, env=environment, obj=settings)
        assert done.exit_code == code, done.output
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    return command


@pytest.fixture
def typed(tmp_path: Path) -> Run:
    """Run one command as a person types it, in a process of its own."""

    def command(*words: str, stdin: str = "", code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        line, environment = [sys.executable, "-m", "candu_source", *words], {**os.environ, **_environment(tmp_path), **more}
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


def _environment(directory: Path) -> dict[str, str]:
    return {"CANDU_SOURCE_STORE_URL": f"sqlite:///{directory / 'store.db'}", "CANDU_SOURCE_MIN_FREE_MB": "0", "COLUMNS": "200"}


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
