"""Hear kept inputs again and map them by today's rules: pure, no effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from candu_source import intake
from candu_source.errors import Reason, Refused
from candu_source.jobs import Aside, Past, Wanted
from candu_source.mapping import again_id, own_id
from candu_source.model import Admission, Call, Connection, Heard, Input, Reject
from candu_source.ports import Hear

# What comes of an event of the log; `filtered` and `refused` are followed by a reason.
UNCHANGED, CHANGED, NOT_WANTED, WAITING, EXPIRED = "unchanged", "changed", "not_wanted", "waiting", "expired"
FILTERED, REFUSED = "filtered", "refused"


class Verdict(NamedTuple):
    """Say what today's rules make of an event: `message` under its own id, `call` as it goes out; both None when it is not sent."""

    event: Past
    what: str
    message: bytes | None = None
    call: bytes | None = None


class _Known(msgspec.Struct, rename="camel"):
    """Read of a stored message what a replay is narrowed by."""

    timestamp: str
    user_id: str | None = None
    anonymous_id: str | None = None
    event: str | None = None
    name: str | None = None


_known = msgspec.json.Decoder(_Known).decode


def judge(event: Past, connection: Connection, hear: Hear, wanted: Wanted, namespace: str | None) -> Verdict:
    """Say what becomes of an event of the log; never raise.

    Its time and its id are facts about it and stay, whatever the mapping is; with a `namespace` its call goes out under another id.
    """
    if event.waiting:
        return Verdict(event, WAITING)
    try:
        return _judge(event, connection, hear, wanted, namespace)
    except Exception as error:  # noqa: BLE001 - what one event provokes must not end the replay of all others
        return Verdict(event, f"{REFUSED}:{_code(error)}")


def _judge(event: Past, connection: Connection, hear: Hear, wanted: Wanted, namespace: str | None) -> Verdict:
    known = _known(event.message)
    if wanted.user is not None and wanted.user not in (known.user_id, known.anonymous_id):
        return Verdict(event, NOT_WANTED)
    heard = _one(event.raw, connection, hear)
    if not _is_named(wanted.event, known, heard):
        return Verdict(event, NOT_WANTED)
    if isinstance(heard, Reject):
        return Verdict(event, f"{REFUSED}:{heard.code}")
    own, at = own_id(connection.id, event.message_id), datetime.fromisoformat(known.timestamp)
    message = _message(connection, event, heard, own, at)
    if isinstance(message, str):
        return Verdict(event, message)
    call = message if namespace is None else _message(connection, event, heard, again_id(connection.id, own, namespace), at)
    if isinstance(call, str):
        return Verdict(event, call)
    return Verdict(event, UNCHANGED if message == event.message else CHANGED, message, call)


def tally(place: int, verdicts: Sequence[Verdict], read_to: int) -> Counter[str]:
    """Count what becomes of the events between two places; those that the log has no more are expired."""
    counts = Counter(verdict.what for verdict in verdicts)
    if gone := read_to - place - len(verdicts):
        counts[EXPIRED] += gone
    return counts


def admit_aside(item: Aside, connection: Connection, hear: Hear) -> Admission:
    """Sort a reject or a filtered event by today's rules, as it would have been when it came; never raise.

    A filtered event keeps its id; what has none in a reject gets one that is the same every time. What nothing can be made of is refused.
    """
    try:
        admission = intake.admit(connection, item.door, _named(item, connection, hear), datetime.fromtimestamp(item.received_at, UTC))
    except Exception as error:  # noqa: BLE001 - what one input provokes must not end the replay of all others
        return _refused(item, connection, _code(error), str(error) if isinstance(error, Refused) else "The door broke over it.")
    if admission.rejects or admission.filtered or admission.events:
        return admission
    return _refused(item, connection, Reason.NOTHING_ACCEPTED, "There is no item in it.")


def no_door(_: bytes, connection: Connection) -> Sequence[Input]:
    """Stand for a door that is no more."""
    raise Refused(404, Reason.NOT_FOUND, f"The door by which this came to {connection.name} is no more.")


def _code(error: Exception) -> Reason:
    """Name what a door raised instead of an answer."""
    return error.code if isinstance(error, Refused) else Reason.INTERNAL


def _refused(item: Aside, connection: Connection, code: Reason, sentence: str) -> Admission:
    return Admission(connection.id, item.door, rejects=(Reject(0, code, {"body": [sentence]}, item.raw),))


def _named(item: Aside, connection: Connection, hear: Hear) -> list[Input]:
    if item.message_id is not None:
        return [_under(_one(item.raw, connection, hear), own_id(connection.id, item.message_id))]
    heard = hear(item.raw, connection)
    return [_under(each, _own(each) or f"reject:{item.id}:{place}") for place, each in enumerate(heard)]


def _message(connection: Connection, event: Past, heard: Heard | Call, own: str, at: datetime) -> bytes | str:
    """Return the message as it would be stored today, else what becomes of the event instead."""
    admission = intake.admit(connection, event.door, [_under(heard, own)], at)
    if admission.events:
        return admission.events[0].message
    aside: Sequence[Reject] = admission.rejects
    return f"{REFUSED}:{aside[0].code}" if aside else f"{FILTERED}:{admission.filtered[0].reason}"


def _one(raw: bytes, connection: Connection, hear: Hear) -> Input:
    """Hear one item; in a list of its own, so that nothing in it can pass for a list of items."""
    (heard,) = hear(b"[" + raw + b"]", connection)
    return heard


def _is_named(name: str | None, known: _Known, heard: Input) -> bool:
    return name is None or name in (known.event, known.name) or (not isinstance(heard, Reject) and heard.name == name)


def _own(heard: Input) -> str | None:
    return None if isinstance(heard, Reject) else heard.id


def _under(heard: Input, own: str) -> Input:
    return heard if isinstance(heard, Reject) else msgspec.structs.replace(heard, id=own)
