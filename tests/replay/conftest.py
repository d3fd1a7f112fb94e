"""Give tests of replays a scene."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from candu_source.twin import Twin
from tests.replay.scene import Scene


@pytest.fixture
def scene(tmp_path: Path, segment_twin: Twin) -> Iterator[Scene]:
    """Open a store beside a twin."""
    made = Scene(tmp_path, segment_twin)
    yield made
    made.store.close()
