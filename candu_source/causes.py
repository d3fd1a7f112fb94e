"""Name what a notice can be about, how soon it needs a person, and what it says: one table, and what to do about held lanes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from candu_source.errors import Reason


class Urgency(IntEnum):
    """Say how soon a person is needed."""

    NOW = 1
    SOON = 2
    NOTE = 3


class Cause(StrEnum):
    """Name what a notice is about; of each connection and subject there is one open notice of a cause."""

    LANE_HELD = "lane_held"
    KEY_UNREADABLE = "key_unreadable"
    DISK_LOW = "disk_low"
    QUOTA_LOW = "quota_low"
    PAUSED_FILLING = "paused_filling"
    NEVER_CONFIRMED = "never_confirmed"
    CONFIRM_SILENT = "confirm_silent"
    CONFIRM_FALLING = "confirm_falling"
    OLDEST_PENDING = "oldest_pending"
    DEAD_GROWING = "dead_growing"
    SILENCE = "silence"
    REPLAY_HELD = "replay_held"
    SHAPE_CHANGED = "shape_changed"
    WAREHOUSE_FAILING = "warehouse_failing"
    WAREHOUSE_DOWN = "warehouse_down"
    WAREHOUSE_BEHIND = "warehouse_behind"


# cause -> how soon, and the sentence: what happened, to what, what to do next.
CAUSES: Mapping[Cause, tuple[Urgency, str]] = MappingProxyType(
    {
        Cause.LANE_HELD: (Urgency.NOW, "{lane} is held ({reason}); {pending} events wait. {advice}"),
        Cause.KEY_UNREADABLE: (
            Urgency.NOW,
            "The write key of {name} does not decrypt, and nothing of it is delivered. Set CANDU_SOURCE_SECRET_KEY to the key that it was "
            "stored with, or give it anew: `candu-source connections set {quoted} --write-key -`.",
        ),
        Cause.DISK_LOW: (
            Urgency.NOW,
            "Only {free} MB are free on the disk of the store; doors answer 503 when it is nearly full. Make room, or lower "
            "CANDU_SOURCE_RETENTION_DAYS.",
        ),
        Cause.QUOTA_LOW: (Urgency.NOW, "{what} is {percent} % full; {then} when nothing is left. {advice}"),
        Cause.PAUSED_FILLING: (
            Urgency.SOON,
            "{lane} does not deliver, because somebody stopped it, and {pending} of at most {most} events wait. {left} "
            "`candu-source connections resume {quoted}` delivers them; `candu-source connections set {quoted} --pending-most` allows more.",
        ),
        Cause.NEVER_CONFIRMED: (Urgency.NOW, "{lane}: {verdict}"),
        Cause.CONFIRM_SILENT: (Urgency.NOW, "{lane}: {verdict}"),
        Cause.CONFIRM_FALLING: (Urgency.SOON, "{lane}: {verdict}"),
        Cause.OLDEST_PENDING: (
            Urgency.SOON,
            "{lane} is behind: the oldest of {pending} waiting events came {span} ago. `candu-source events tail --connection {quoted}` "
            "shows them, and `events show` of one its tries.",
        ),
        Cause.DEAD_GROWING: (
            Urgency.SOON,
            "{lane} gave up on {dead} events within an hour. `candu-source dead list --connection {quoted}` shows why; "
            "once that is mended, `candu-source dead replay --connection {quoted}` sends them.",
        ),
        Cause.SILENCE: (
            Urgency.SOON,
            "Nothing has come to {name} for {span}, {gaps} times as long as usual at these hours. See whether Candu still sends; "
            "`candu-source rejects list --connection {quoted}` shows what was refused.",
        ),
        Cause.REPLAY_HELD: (
            Urgency.SOON,
            "Replay {id} of {name} is held: {detail}. Once that is mended, "
            "`candu-source replay resume {id} --connection {quoted}` goes on.",
        ),
        Cause.SHAPE_CHANGED: (
            Urgency.NOTE,
            "What comes to {name} is not shaped as known ({count} changes). `candu-source shapes list --connection {quoted}` shows them, "
            "`shapes ack` acknowledges them.",
        ),
        Cause.WAREHOUSE_FAILING: (
            Urgency.SOON,
            "{failures} syncs of the warehouse {lane} in a row failed; {pending} events wait. The last one: {error}. "
            "`candu-source warehouse status {warehouse} --connection {quoted}` tells more.",
        ),
        Cause.WAREHOUSE_DOWN: (
            Urgency.NOW,
            "{failures} syncs of the warehouse {lane} in a row failed; {pending} events wait, and until they are loaded the store deletes "
            "nothing of this connection and grows. The last one: {error}. "
            "`candu-source warehouse status {warehouse} --connection {quoted}` tells more; "
            "`candu-source warehouse remove --warehouse {warehouse} --connection {quoted}` gives it up.",
        ),
        Cause.WAREHOUSE_BEHIND: (
            Urgency.SOON,
            "The warehouse {lane} is behind: the oldest of {pending} waiting events came {span} ago, though a sync is due every {every} "
            "minutes. `candu-source warehouse status {warehouse} --connection {quoted}` tells whether one is under way.",
        ),
    }
)

_RESUME = "`candu-source connections resume {quoted}` tries again."
_HELD: Mapping[str, str] = MappingProxyType(
    {
        Reason.KEY_REFUSED: "Copy the write key from the Segment source: `candu-source connections set {quoted} --write-key -`.",
        Reason.ENDPOINT_WRONG: (
            "Check region and host: `candu-source connections set {quoted} --region … --segment-host …`, "
            "then `candu-source connections resume {quoted}`."
        ),
        Reason.ADDRESS_REFUSED: "The host is a private address; CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES=yes allows it.",
        Reason.KEY_UNREADABLE: (
            "Set CANDU_SOURCE_SECRET_KEY to the key it was stored with, then `candu-source connections resume {quoted}`."
        ),
        Reason.SYNC_INCOMPLETE: (
            "`candu-source syncs show {lane} --connection {quoted}` says what is missing; `candu-source syncs set` puts it right."
        ),
    }
)


def held_advice(reason: str, name: str, lane: str) -> str:
    """Return what to do about a lane of the connection `name` that is held for a reason code."""
    return _HELD.get(reason, _RESUME).format(quoted=shlex.quote(name), lane=lane)
