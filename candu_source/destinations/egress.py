"""Guard what leaves: no redirects followed, no private address reached unless a setting allows it, stored bytes put into place."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_POOLS = 32  # hosts kept open; each keeps as many connections as there are senders
_PIECE_BYTES = 64 * 2**10
_PLACE = "[]"  # what json.dumps writes for the empty batch


class PrivateAddress(OSError):  # noqa: N818 - a fact about an address
    """Say that a connection led to an address that is not public."""


def refuse_private(sock: socket.socket) -> socket.socket:
    """Look at the address really connected to, so that no name can resolve differently a moment later."""
    peer = str(sock.getpeername()[0]).partition("%")[0]
    if not is_public(peer):
        sock.close()
        raise PrivateAddress(f"{peer} is not a public address; CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES allows it")
    return sock


def is_public(address: str) -> bool:
    """Tell whether a numeric address is reached through the internet; an IPv4 address written as IPv6 counts as what it is."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_global


class _PublicHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return refuse_private(super()._new_conn())


class _PublicHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return refuse_private(super()._new_conn())


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS


class FragmentAdapter(HTTPAdapter):
    """Put stored messages where the library wrote an empty batch: the bytes are joined, never parsed again."""

    def __init__(self, *, senders: int, allow_private: bool) -> None:
        self._fragments = threading.local()
        self._allow_private = allow_private
        super().__init__(pool_connections=_POOLS, pool_maxsize=senders)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools, with connections that refuse private addresses."""
        super().init_poolmanager(*args, **kwargs)
        if not self._allow_private:
            self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}

    def carry(self, fragments: Sequence[bytes]) -> None:
        """Set the messages of the next request that this thread sends."""
        self._fragments.waiting = fragments

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the library's request with the carried messages in its batch."""
        fragments: Sequence[bytes] | None = self._fragments.__dict__.pop("waiting", None)
        if fragments is not None:
            assert isinstance(request.body, str)
            before, _, after = request.body.partition(_PLACE)
            pieces = _Pieces(f"{before}[".encode(), fragments, f"]{after}".encode())
            request.body = pieces  # type: ignore[assignment] # requests sends what can be iterated
            request.headers["Content-Length"] = str(pieces.length)
        return super().send(request, *args, **kwargs)


def guard(session: requests.Session, *, senders: int, allow_private: bool) -> FragmentAdapter:
    """Mount the guarded adapter on a session and forbid redirects; return the adapter."""
    adapter = FragmentAdapter(senders=senders, allow_private=allow_private)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.max_redirects = 0
    return adapter


def guarded_session(*, allow_private: bool) -> requests.Session:
    """Return a session of our own that follows no redirects (it raises TooManyRedirects) and reaches public addresses only."""
    session = requests.Session()
    session.trust_env = False
    guard(session, senders=1, allow_private=allow_private)
    return session


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps: requests wraps urllib3, which wraps the socket's own."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]


class _Pieces:
    """Yield a body a little at a time, so that no batch stands in memory twice: batches are large, and many are under way."""

    def __init__(self, before: bytes, fragments: Sequence[bytes], after: bytes) -> None:
        self._before, self._fragments, self._after = before, fragments, after
        commas = max(0, len(fragments) - 1)
        self.length = len(before) + sum(map(len, fragments)) + commas + len(after)

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces of about `_PIECE_BYTES`."""
        waiting, size = [self._before], 0
        for place, fragment in enumerate(self._fragments):
            waiting += (b",", fragment) if place else (fragment,)
            size += len(fragment)
            if size >= _PIECE_BYTES:
                yield b"".join(waiting)
                waiting, size = [], 0
        yield b"".join((*waiting, self._after))
