"""Give pytest the fixture `segment_twin`. Loaded in every pytest run where candu-source is installed: keep its imports cheap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from candu_source.twin.server import Twin


@pytest.fixture
def segment_twin() -> Iterator[Twin]:
    """Yield a running stand-in of Segment's Tracking API, fresh for each test: send to `segment_twin.url`."""
    from candu_source.twin.server import Twin  # noqa: PLC0415 - Flask is imported by the tests that use it, not by all

    with Twin() as twin:
        yield twin
