"""A host of several addresses is reached by the first that can be."""

from __future__ import annotations

import errno
import socket

import pytest
from pytest_mock import MockerFixture

from candu_source.destinations.egress import connect_public

SIXTH, FOURTH = "2606:2800:220:1::1", "93.184.216.34"


@pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.ECONNREFUSED, errno.ETIMEDOUT])
def test_an_address_without_a_way_there_leaves_it_to_the_next(mocker: MockerFixture, code: int) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 25)) for address in (SIXTH, FOURTH)]
    mocker.patch("socket.getaddrinfo", return_value=found)
    tried: list[str] = []

    def connect(address: str) -> socket.socket:
        tried.append(address)
        raise OSError(code if address == SIXTH else errno.ECONNRESET, "no way there")

    with pytest.raises(ConnectionResetError):  # what the last one met
        connect_public("mail.example.com", 25, connect)
    assert tried == [SIXTH, FOURTH]
