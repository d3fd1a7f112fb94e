"""Guard what leaves: no redirect followed, no private address reached unless allowed, no answer without end, stored bytes in place."""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError

_POOLS = 32  # hosts kept open; each keeps as many connections as there are senders
_PIECE_BYTES = 64 * 2**10
_ANSWER_BYTES = 64 * 2**10  # Segment, "HTTP API": its answers are a word or a sentence
_PLACE = "[]"  # what json.dumps writes for the empty batch
_ADDRESSES = 3  # of a host that are tried: each may take as long as a whole connection may

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 4291: what is given out of IPv6. RFC 6052: where translators put the IPv4 addresses of the internet.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 6890: not global, which Python has learnt of later.
_FOR_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")


class PrivateAddress(OSError):  # noqa: N818 - a fact about an address
    """Say that a connection led to an address that is not public."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not a public address; CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES allows it")


def refuse_private(sock: socket.socket) -> socket.socket:
    """Look at the address really connected to, so that no name can resolve differently a moment later."""
    peer = str(sock.getpeername()[0]).partition("%")[0]
    if not is_public(peer):
        sock.close()
        raise PrivateAddress(peer)
    return sock


def is_public(address: str) -> bool:
    """Tell whether a numeric address is reached through the internet; an IPv4 address within an IPv6 one counts as what it is."""
    parsed = ipaddress.ip_address(address)
    within = _within(parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed
    given_out = within not in _FOR_PROTOCOLS if isinstance(within, ipaddress.IPv4Address) else within in _GIVEN_OUT
    return given_out and within.is_global and not within.is_multicast


def _within(address: ipaddress.IPv6Address) -> _Address:
    """Return the IPv4 address that an IPv6 one leads to: mapped, by 6to4 or by a translator; else itself."""
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
    return address.ipv4_mapped or address.sixtofour or translated or address


def public_addresses(host: str, port: int | str) -> list[str]:
    """Look a host up, once, and return its public addresses; raise PrivateAddress where there is no other, or OSError."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise LocationParseError(f"{host}: a part of the name is empty or too long") from None
    addresses = list(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise PrivateAddress(addresses[0])
    return public


def connect_public(host: str, port: int, connect: Callable[[str], socket.socket]) -> socket.socket:
    """Connect to an address that was looked at before: a name that is looked up again may lead elsewhere.

    `connect` takes an address. Raises PrivateAddress, having connected to nothing, or what `connect` raises for the last address tried.
    """
    *others, last = public_addresses(host, port)[:_ADDRESSES]
    for address in others:
        with contextlib.suppress(NewConnectionError, ConnectTimeoutError, OSError):
            connected = connect(address)
            break
    else:
        connected = connect(last)
    return refuse_private(connected)


def _connect(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    name = connection.host

    def to(address: str) -> socket.socket:
        connection.host = address
        return connect()

    try:
        return connect_public(name, connection.port or 0, to)
    finally:
        connection.host = name


class _Hurried(io.RawIOBase):
    """Read from a socket for so many seconds, however often a little more comes."""

    def __init__(self, raw: io.RawIOBase, seconds: float) -> None:
        self._raw = raw
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise TimeoutError("the answer does not come to its end")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """Read an answer: nothing more is taken once the time has gone that may pass without a sign."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if (seconds := sock.gettimeout()) is not None:
            self.fp = io.BufferedReader(_Hurried(self.fp.detach(), seconds))


class _HTTP(HTTPConnection):
    response_class = _Answer


class _HTTPS(HTTPSConnection):
    response_class = _Answer


class _PublicHTTP(_HTTP):
    def _new_conn(self) -> socket.socket:
        return _connect(self, super()._new_conn)


class _PublicHTTPS(_HTTPS):
    def _new_conn(self) -> socket.socket:
        return _connect(self, super()._new_conn)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPS


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
        """Build the pools, with connections that refuse private addresses unless they are allowed."""
        super().init_poolmanager(*args, **kwargs)
        pools = (_HTTPPool, _HTTPSPool) if self._allow_private else (_PublicHTTPPool, _PublicHTTPSPool)
        self.poolmanager.pool_classes_by_scheme = dict(zip(("http", "https"), pools, strict=True))

    def carry(self, fragments: Sequence[bytes]) -> None:
        """Set the messages of the next request that this thread sends."""
        self._fragments.waiting = fragments

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request, with the carried messages in its batch; raise TooManyRedirects for a redirect, of which no body is read."""
        fragments: Sequence[bytes] | None = self._fragments.__dict__.pop("waiting", None)
        if fragments is not None:
            assert isinstance(request.body, str)
            before, _, after = request.body.partition(_PLACE)
            pieces = _Pieces(f"{before}[".encode(), fragments, f"]{after}".encode())
            request.body = pieces  # type: ignore[assignment] # requests sends what can be iterated
            request.headers["Content-Length"] = str(pieces.length)
        answer = super().send(request, *args, **kwargs)
        if answer.is_redirect:
            answer.close()
            raise requests.TooManyRedirects("redirects are not followed", response=answer)
        if fragments is not None:
            _keep_beginning(answer)
        return answer


def _keep_beginning(answer: requests.Response) -> None:
    """Read no more of an answer than the library looks at, a sentence; of a longer one the connection is given up."""
    body = bytearray()
    for piece in answer.iter_content(_ANSWER_BYTES):
        body += piece
        if len(body) >= _ANSWER_BYTES:
            answer.close()
            break
    answer._content = bytes(body[:_ANSWER_BYTES])


def guard(session: requests.Session, *, senders: int, allow_private: bool) -> FragmentAdapter:
    """Mount the guarded adapter on a session; return the adapter."""
    adapter = FragmentAdapter(senders=senders, allow_private=allow_private)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
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
