"""Run the command line in this process, on a real store: a tenth of the time of a process for each command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner, Result

from candu_source.cli import commands
from candu_source.settings import Settings
from candu_source.store import Store, open_store

_NONE: Mapping[str, str] = MappingProxyType({})


class Inside:
    """Hold a store, and ask the command line about it."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.settings = Settings(store_url=f"sqlite:///{directory / 'store.db'}", min_free_mb=0, **settings)
        self.store: Store = open_store(self.settings)

    def run(self, *words: str, stdin: str = "", code: int = 0, environment: Mapping[str, str] = _NONE) -> Result:
        """Run one command, with environment variables beside those of the test."""
        done = CliRunner().invoke(commands, words, input=stdin, env={"COLUMNS": "250", **environment}, obj=self.settings)
        assert done.exit_code == code, done.output
        return done

    def read(self, *words: str) -> Any:
        """Return what a command prints with --json."""
        return json.loads(self.run(*words, "--json").stdout)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """Open a store in the test's own directory."""
    opened = Inside(tmp_path)
    yield opened
    opened.store.close()
