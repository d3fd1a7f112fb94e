"""Stand at every door: token -> connection, and the body within its limits."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Protocol

from flask import Request, Response

from candu_source import intake
from candu_source.doors.answers import answer
from candu_source.doors.quota import ConnectionQuota
from candu_source.errors import Reason, Refused
from candu_source.model import Connection, Input, Receipt, Reject, TokenUse
from candu_source.ports import Log, Observer

# What a token is for -> how to come by one that is known.
_ADVICE: Mapping[TokenUse, str] = MappingProxyType(
    {
        TokenUse.SERVER: "`candu-source connections rotate-token` makes a new one.",
        TokenUse.BROWSER: "`candu-source connections show` prints the public one.",
        TokenUse.READBACK: "`candu-source connections tokens list` shows those in force.",
    }
)
Hear = Callable[[bytes, Connection], Sequence[Input]]


class Tokens(Protocol):
    """Find whose token something is; needed by the gate."""

    def owner(self, token: str, use: TokenUse) -> Connection | None:
        """Return the connection, or None for a stranger."""
        ...


class Events(Protocol):
    """Tell what has come and what waits; needed by the pages of doors and by quotas."""

    def last_event(self, connection: str) -> float | None:
        """Return when a connection's last event was accepted (seconds since the epoch), or None."""
        ...

    def waiting(self, connection: str) -> int:
        """Count the events that the slowest lane has not passed."""
        ...


class Gate:
    """Admit, read and accept for every door."""

    def __init__(self, tokens: Tokens, events: Events, log: Log, observer: Observer, *, max_body_bytes: int) -> None:
        self._tokens = tokens
        self._events = events
        self._log = log
        self._observer = observer
        self._max_body_bytes = max_body_bytes
        self._quota = ConnectionQuota(events.waiting)

    def admit(self, token: str | None, use: TokenUse = TokenUse.SERVER) -> Connection:
        """Return whose token for this use it is; raise Refused 401."""
        connection = self._tokens.owner(token, use) if token else None
        if connection is None:
            raise Refused(401, Reason.UNAUTHORIZED, f"This door does not know the token; {_ADVICE[use]}")
        return connection

    def last_event(self, connection: Connection) -> float | None:
        """Return when the connection's last event was accepted, in seconds since the epoch, or None."""
        return self._events.last_event(connection.id)

    def receive(self, connection: Connection, door: str, incoming: Request, hear: Hear, *, plain: bool = False) -> Response:
        """Take what a request brings and answer with the receipt; raise as `take` does."""
        return answer(self.take(connection, door, incoming, hear, plain=plain))

    def take(self, connection: Connection, door: str, incoming: Request, hear: Hear, *, plain: bool = False) -> Receipt:
        """Hear the body, make what it holds durable and return the receipt, for doors with words of their own.

        Raises Refused 413 or 415, and 429 or 503 where the connection's own limits are reached. `plain` takes text/plain too: browsers
        send that without asking first.
        """
        self._quota.spend(connection)
        if not (incoming.is_json or (plain and incoming.mimetype == "text/plain")):
            raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
        body = self._body(incoming)
        heard = [body] if isinstance(body, Reject) else hear(body, connection)
        return intake.accept(connection, door, heard, self._log, self._observer)

    def read(self, incoming: Request) -> bytes:
        """Return the request's JSON bytes, for doors that keep nothing of what they refuse; raise Refused 400, 413 or 415."""
        if not incoming.is_json:
            raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")
        body = self._body(incoming)
        if isinstance(body, Reject):
            raise Refused(400, body.code, body.errors["body"][0])
        return body

    def _body(self, incoming: Request) -> bytes | Reject:
        """Return the request's JSON bytes, gzip undone, or what came in their place."""
        if (incoming.content_length or 0) > self._max_body_bytes:
            raise self._too_large()
        data = incoming.stream.read(self._max_body_bytes + 1)
        if len(data) > self._max_body_bytes:
            raise self._too_large()
        match incoming.headers.get("Content-Encoding", "identity").strip().lower():
            case "gzip":
                return self._unzip(data)
            case "identity" | "":
                return data
        raise Refused(415, Reason.UNSUPPORTED_MEDIA_TYPE, "Send the body plain or with Content-Encoding: gzip.")

    def _unzip(self, data: bytes) -> bytes | Reject:
        unzip = zlib.decompressobj(wbits=31)
        try:
            plain = unzip.decompress(data, self._max_body_bytes + 1)
        except zlib.error:
            return _broken_encoding(data, "The body says gzip but does not unpack.")
        if len(plain) > self._max_body_bytes:
            raise self._too_large()
        if not unzip.eof or unzip.unused_data:
            return _broken_encoding(data, "The gzip body is cut short, or something follows it.")
        return plain

    def _too_large(self) -> Refused:
        limit = f"{self._max_body_bytes} bytes (CANDU_SOURCE_MAX_BODY_KB)"
        return Refused(413, Reason.BODY_TOO_LARGE, f"The body is over the limit of {limit}; send fewer items at a time.")


def _broken_encoding(data: bytes, sentence: str) -> Reject:
    return Reject(0, Reason.BROKEN_ENCODING, {"body": [sentence]}, data)


def require_source(connection: Connection, address: str | None) -> None:
    """Raise Refused 403 when the connection lists the addresses that may send, and this is none of them."""
    allowed = connection.rules.allowed_addresses
    if allowed and not _is_within(address or "", allowed):
        advice = f"`candu-source connections set NAME --allow-address {address}` lets it."
        raise Refused(403, Reason.SOURCE_REFUSED, f"The address {address} may not send here; {advice}")


@lru_cache(maxsize=4_096)
def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    known = getattr(known, "ipv4_mapped", None) or known
    return any(known in ip_network(network) for network in networks)


def token_of(incoming: Request) -> str | None:
    """Read a token from `Authorization: Bearer` or from the user name of Basic."""
    scheme, _, value = incoming.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, ValueError):
            return None
    return None
