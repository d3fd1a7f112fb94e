"""What a sync does while its integration cannot be read."""

from __future__ import annotations

import pytest

from candu_source.deliveries import Batch, StreamTarget
from candu_source.destinations.posting import Poster
from candu_source.destinations.streams import StreamDestination
from candu_source.errors import NotFound, Reason, StoreBusy, UsageError
from candu_source.integrations.tile import Integration
from candu_source.model import Secret
from candu_source.streams import Stream
from tests.integrations.drafts import draft

_TARGET = StreamTarget(Stream("c", "mine", "acme"), {"key": Secret("k")})


def _destination(found: Integration | Exception) -> StreamDestination:
    def find(_: str) -> Integration:
        if isinstance(found, Exception):
            raise found
        return found

    return StreamDestination(Poster(senders=1, timeout_seconds=1, allow_private=False), find)


def test_a_store_that_is_busy_is_no_fault_of_the_sync() -> None:
    with pytest.raises(StoreBusy):
        _destination(StoreBusy("later")).deliver(_TARGET, Batch(()), 0)
    assert _destination(NotFound("gone")).deliver(_TARGET, Batch(()), 0).code is Reason.SYNC_INCOMPLETE


def test_a_parameter_that_is_empty_is_a_fault_of_the_sync() -> None:
    fine = _destination(draft())
    fine.writer(_TARGET)
    for secrets in ({}, {"key": Secret("")}):
        with pytest.raises(UsageError, match=r"parameters\.key is empty"):
            fine.writer(StreamTarget(_TARGET.stream, secrets))
