"""Make calls of Candu's REST API of Segment-shaped messages: pure; the facts behind each rule are in docs/streaming.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from candu_source.deliveries import Outcome
from candu_source.destinations.candu_api import EVENTS_PATH, USER_AGENT, Dialect, address, authorization
from candu_source.destinations.candu_values import Notice, Rule, Value, plain
from candu_source.destinations.warehouse.values import parse_timestamp, text_of
from candu_source.errors import Reason
from candu_source.integrations.rendering import Rendered
from candu_source.model import Secret

IDENTIFY, TRACK, GROUP = "identify", "track", "group"
# What `context` of every call says of its sender.
SOURCE = "candu-source"


class CanduCall(NamedTuple):
    """Hold the body of one call, and what was done with what Candu does not take."""

    body: Mapping[str, Any]
    notices: tuple[Notice, ...] = ()


class _Words(NamedTuple):
    """Name the fields that a type has: `name` holds text and must be there, so must `values` where they are required."""

    name: str | None
    values: str
    values_required: bool
    user_required: bool


# Candu's tables of identify and track; its newer pages on group, where the user is optional.
_WORDS: Mapping[str, _Words] = MappingProxyType(
    {
        IDENTIFY: _Words(None, "traits", values_required=True, user_required=True),
        TRACK: _Words("event", "properties", values_required=False, user_required=True),
        GROUP: _Words("groupId", "traits", values_required=True, user_required=False),
    }
)
# Where a user's id stands, first come first; the traits of a group are not the user's.
_IN_MESSAGE = (("userId",), ("traits", "userId"), ("traits", "id"))
_IN_CONTEXT = (("context", "traits", "userId"), ("context", "traits", "id"))
_encode = msgspec.json.Encoder().encode


def call(message: Mapping[str, Any]) -> CanduCall | Outcome:
    """Return the call that a message becomes, or why it becomes none: `unsupported_call` or `discarded`, with a sentence.

    `message` is what a JSON decoder reads of the log's bytes; whatever is in it, nothing is raised.
    """
    kind = message.get("type")
    if not isinstance(kind, str) or not kind:
        return _discarded("the message has no type")
    words = _WORDS.get(kind)
    if words is None:
        return Outcome(Reason.UNSUPPORTED_CALL, detail=f"Candu takes {', '.join(_WORDS)}, not {kind[:80]}")
    user, name = _user(message, kind), _identifier(message.get(words.name)) if words.name else None
    if words.name and name is None:
        return _discarded(f"a call of type {kind} needs {words.name}, as text")
    if user is None and words.user_required:
        return _discarded(f"a call of type {kind} needs userId, for which anonymousId does not stand in")
    return _call(message, kind, {"userId": user, **({words.name: name} if words.name else {})})


def _call(message: Mapping[str, Any], kind: str, who: Mapping[str, str | None]) -> CanduCall:
    values, notices = _values(message, kind)
    timestamp = _timestamp(message.get("timestamp"))
    if timestamp is None and message.get("timestamp") is not None:
        notices.append(Notice("timestamp", Rule.NO_TIME))
    body = {
        "type": kind,
        **who,
        _WORDS[kind].values: values,
        "timestamp": timestamp,
        "messageId": _identifier(message.get("messageId")),
        "anonymousId": _identifier(message.get("anonymousId")),
        "context": {"source": SOURCE},
    }
    return CanduCall({word: value for word, value in body.items() if value is not None}, tuple(notices))


def bodies(calls: Sequence[CanduCall], *, arrays: bool, most_bytes: int) -> Iterator[tuple[int, str]]:
    """Yield (how many of the calls, in their order, and the body of a request that holds them).

    Without `arrays` each call goes by itself. Else as many go together, as an array, as `most_bytes` of UTF-8 hold; a call that
    alone is larger goes by itself, for the sender to judge.
    """
    waiting: list[bytes] = []
    size = 0
    for each in calls:
        written = _encode(each.body)
        if waiting and not (arrays and size + len(written) + 2 <= most_bytes):
            yield _joined(waiting)
            waiting, size = [], 0
        waiting.append(written)
        size += len(written) + 1
    if waiting:
        yield _joined(waiting)


def _joined(written: Sequence[bytes]) -> tuple[int, str]:
    text = b",".join(written).decode()
    return len(written), text if len(written) == 1 else f"[{text}]"


def request(body: str, *, base: str, key: Secret, dialect: Dialect) -> Rendered:
    """Return the request with a body; raise UsageError for a base address or a key that is none."""
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Authorization": authorization(key, dialect)}
    return Rendered("POST", address(base, EVENTS_PATH), headers, body)


def _discarded(sentence: str) -> Outcome:
    return Outcome(Reason.DISCARDED, detail=sentence)


def _user(message: Mapping[str, Any], kind: str) -> str | None:
    """Return the first id of a user that is not empty, as text."""
    places = (_IN_MESSAGE[:1] if kind == GROUP else _IN_MESSAGE) + _IN_CONTEXT
    return next((found for place in places if (found := _identifier(_at(message, place))) is not None), None)


def _at(value: Any, place: Sequence[str]) -> Any:
    for word in place:
        value = value.get(word) if isinstance(value, dict) else None
    return value


def _identifier(value: Any) -> str | None:
    """Return an id or a name as text, a number as JavaScript writes it; None for what is empty, or neither."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return text_of(value) if number else value if isinstance(value, str) and value else None


def _values(message: Mapping[str, Any], kind: str) -> tuple[dict[str, Value] | None, list[Notice]]:
    """Return traits or properties as Candu takes them, None where there are none and need not be, and what was done with them."""
    word = _WORDS[kind].values
    given = message.get(word)
    if given is None and kind == IDENTIFY:
        given = _at(message, ("context", "traits"))
    if given is None:
        given = {} if _WORDS[kind].values_required else None
    told = [Notice("traits", Rule.NOT_DOCUMENTED)] if kind == TRACK and message.get("traits") else []
    if given is None:
        return None, told
    if not isinstance(given, dict):
        return {}, [*told, Notice(word, Rule.NO_OBJECT)]
    values, notices = plain(given)
    return values, [*told, *(Notice(f"{word}.{each.name}", each.rule) for each in notices)]


def _timestamp(text: Any) -> str | None:
    """Return a time as Candu recommends it, with seconds and Z: zones become UTC, fractions are cut."""
    at = parse_timestamp(text) if isinstance(text, str) else None
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
