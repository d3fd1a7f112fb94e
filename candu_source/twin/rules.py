"""Decide what Segment does to a request and to each call in it. Pure: no clock, no network, no memory.

Three things can happen, and two of them are answered alike:

    refused    400, the whole request: size, encoding, JSON            -> `Refusal` is raised
    dropped    200, and the call is nowhere to be found afterwards     -> a `Drop`
    stored     200                                                     -> None

Sources: Segment "HTTP API source" (limits, errors, authentication), "Spec: Common fields" (messageId), "Regional Segment".
Segment does not publish its refusal codes: those in `Refusal.code` are ours, in Segment's form.
"""

from __future__ import annotations

import hashlib
import zlib
from enum import StrEnum
from typing import NamedTuple

import msgspec

MAX_EVENT_BYTES = 32 * 1024
"""Largest call in bytes of JSON, inclusive. Segment: HTTP API source ("32KB"), 32 << 10 in Segment's own Python library."""

MAX_REQUEST_BYTES = 500_000
"""Largest request body in bytes, decompressed, inclusive. Segment: HTTP API source ("500KB").

Segment's libraries read this both as 500 000 (Go) and as 512 000 (Ruby, Node). The smaller reading is taken here, so
that what passes the twin passes whichever Segment means.
"""

MAX_BATCH_EVENTS = 2_500
"""Most calls in a batch, inclusive; above, all of them are dropped and the answer is 200. Segment: HTTP API source."""

MESSAGE_ID_LENGTH = 100
"""First length of messageId, in characters, that is too long. Segment: HTTP API source ("fewer than 100 characters")."""

KINDS = ("track", "screen", "identify", "page", "group", "alias")
"""Types of call. Segment: Spec. Compared with case, as the specification writes them."""

BATCHES = ("batch", "import")
"""Endpoints that take `{"batch": [...]}`. Segment: HTTP API source; import is the older name of a historical batch."""


class Drop(StrEnum):
    """Name why a call was answered 200 and not stored."""

    NO_WRITE_KEY = "no_write_key"
    UNKNOWN_WRITE_KEY = "unknown_write_key"
    WRONG_REGION = "wrong_region"
    SOURCE_DISABLED = "source_disabled"
    TOO_MANY_EVENTS = "too_many_events"
    UNKNOWN_TYPE = "unknown_type"
    NO_USER_ANON_ID = "no_user_anon_id"
    NO_EVENT = "no_event"
    NO_GROUP_ID = "no_group_id"
    NO_PREVIOUS_ID = "no_previous_id"
    NO_USER_ID = "no_user_id"
    MESSAGE_ID_TOO_LONG = "message_id_too_long"
    DUPLICATE = "duplicate"
    LOST = "lost"


class Refusal(Exception):  # noqa: N818 - a verdict
    """Refuse a whole request with 400: a code and a sentence, in Segment's JSON form."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Call(msgspec.Struct, rename="camel", gc=False):
    """Hold the fields of a call that decide its fate; every other field stays in the raw bytes.

    All are typed `object`: a wrong type must not refuse the request, it makes the field count as missing.
    """

    type: object = None
    event: object = None
    name: object = None
    user_id: object = None
    anonymous_id: object = None
    group_id: object = None
    previous_id: object = None
    message_id: object = None
    timestamp: object = None
    original_timestamp: object = None
    sent_at: object = None
    write_key: object = msgspec.UNSET


class _Batch(msgspec.Struct, rename="camel", gc=False):
    batch: list[msgspec.Raw]
    sent_at: object = None
    write_key: object = None


class Reading(NamedTuple):
    """Hold a request that was readable: its calls, each with its bytes as received (the write key masked)."""

    calls: list[tuple[Call, bytes]]
    sent_at: str | None = None
    write_key: str | None = None


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_call = msgspec.json.Decoder(Call).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def source_id(write_key: str) -> str:
    """Name a source without showing its write key: the first 12 hex digits of the key's SHA-256."""
    return hashlib.sha256(write_key.encode()).hexdigest()[:12]


def unpack(body: bytes, encoding: str) -> bytes:
    """Return the plain body, at most `MAX_REQUEST_BYTES` long, whatever a small gzip body claims to hold.

    Raises Refusal for a body that is too large, gzip that does not decode, and other content encodings.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise _too_large()
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            return _gunzip(body)
    raise Refusal("invalid_encoding", f"Content-Encoding {encoding!r} is not supported: send gzip, or none")


def _gunzip(body: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unzip.decompress(body, MAX_REQUEST_BYTES + 1)
    except zlib.error as error:
        raise Refusal("invalid_encoding", "the body is not gzip") from error
    if len(plain) > MAX_REQUEST_BYTES:
        raise _too_large()
    if not unzip.eof or unzip.unused_data:
        raise Refusal("invalid_encoding", "the gzip body is cut short, or is followed by other bytes")
    return plain


def _too_large() -> Refusal:
    return Refusal("payload_too_large", f"Exceed payload limit: at most {MAX_REQUEST_BYTES} bytes a request")


def read_calls(body: bytes, kind: str) -> Reading:
    """Take a plain body apart: `kind` is the last part of the address, a batch or a type of call.

    Raises Refusal for what is not a JSON object in UTF-8 (NaN, infinities and lone surrogates are not JSON), for a
    `batch` that is not a list of objects, and for a call above `MAX_EVENT_BYTES`.
    """
    try:
        body.decode()  # fields that nobody looks at are not decoded below, and must be text all the same
        if kind not in BATCHES:
            call, raw = _read_call(body)
            call.type = kind
            return Reading([(call, raw)], text(call.sent_at), text(call.write_key))
        batch = _decode_batch(body)
        return Reading([_read_call(raw) for raw in batch.batch], text(batch.sent_at), text(batch.write_key))
    except msgspec.ValidationError as error:
        raise Refusal("invalid_request", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("invalid_json", f"Malformed JSON: {error}") from error


def _read_call(raw: bytes | msgspec.Raw) -> tuple[Call, bytes]:
    received = bytes(raw)
    if len(received) > MAX_EVENT_BYTES:
        raise Refusal("event_too_large", f"Exceed payload limit: a call of {len(received)} bytes, at most {MAX_EVENT_BYTES}")
    call = _decode_call(received)
    return call, received if call.write_key is msgspec.UNSET else _mask_write_key(received, call.write_key)


def _mask_write_key(received: bytes, write_key: object) -> bytes:
    shown = source_id(write_key) if isinstance(write_key, str) else None
    return msgspec.json.encode(_decode_fields(received) | {"writeKey": shown})


def text(value: object) -> str | None:
    """Return the value when it is text with something in it, else None."""
    return value if isinstance(value, str) and value else None


def _is_id(value: object) -> bool:
    """Tell whether the value names somebody: text with something in it, or a number."""
    return bool(value) if isinstance(value, str) else isinstance(value, int | float) and not isinstance(value, bool)


def judge(call: Call) -> Drop | None:
    """Return why Segment drops this call, or None when it stores it. Whether the id was seen before is not asked here."""
    if call.type not in KINDS:
        return Drop.UNKNOWN_TYPE
    if not (_is_id(call.user_id) or _is_id(call.anonymous_id)):
        return Drop.NO_USER_ANON_ID
    if isinstance(call.message_id, str) and len(call.message_id) >= MESSAGE_ID_LENGTH:
        return Drop.MESSAGE_ID_TOO_LONG
    return _judge_by_type(call)


def _judge_by_type(call: Call) -> Drop | None:
    match call.type:
        case "track" if not text(call.event):
            return Drop.NO_EVENT
        case "group" if not _is_id(call.group_id):
            return Drop.NO_GROUP_ID
        case "alias" if not _is_id(call.previous_id):
            return Drop.NO_PREVIOUS_ID
        case "alias" if not _is_id(call.user_id):
            return Drop.NO_USER_ID
    return None


def mentions(call: Call, name: str) -> bool:
    """Tell whether the call's `event` or `name` is that text."""
    return name in (call.event, call.name)
