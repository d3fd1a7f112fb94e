"""Read, correct and write times as Segment does: pure. Source: Segment "Spec: Common fields" (timestamps)."""

from __future__ import annotations

from datetime import UTC, datetime

from candu_source.twin.rules import Call, text


def original_timestamp(call: Call) -> str | None:
    """Return the time the caller gives, as text: `timestamp`, or `originalTimestamp` when that is the one sent."""
    return text(call.timestamp) or text(call.original_timestamp)


def corrected_timestamp(received_at: datetime, sent_at: str | None, original: str | None) -> datetime:
    """Undo the sender's clock error: timestamp = receivedAt - (sentAt - originalTimestamp). Segment: Spec: Common fields.

    Times are ISO 8601; one without an offset is UTC. Without a readable original, or sentAt, there is nothing to
    undo: the result is receivedAt, or the original.
    """
    happened, sent = read_time(original), read_time(sent_at)
    if happened is None:
        return received_at
    if sent is None:
        return happened
    try:
        return received_at - (sent - happened)
    except OverflowError:
        return received_at


def read_time(value: str | None) -> datetime | None:
    """Read an ISO 8601 time, in UTC when it has no offset; None when it is not one."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def show_time(moment: datetime) -> str:
    """Write a time as Segment does: ISO 8601, UTC, milliseconds, Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
