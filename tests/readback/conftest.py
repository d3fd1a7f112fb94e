"""Give the tests of readback the whole way there and back, one for all: connections do not see each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.readback.stage import Stage, stage


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run everything for one file of tests."""
    with stage(tmp_path_factory.mktemp("readback")) as running:
        yield running
