"""Give tests of notices a store with a connection, and something that receives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notices.post import Receiver
from tests.notices.post import receiver as receiving
from tests.store.conftest import connection, store

__all__ = ["connection", "store"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve a webhook on loopback."""
    with receiving() as kept:
        yield kept
