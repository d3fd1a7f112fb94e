"""Say what went wrong, in one tree and one closed set of reason codes.

CanduSourceError
├── UsageError            the caller's words are off; the CLI prints it and exits 2
│   ├── NotFound          no connection, event or reject has that name
│   └── Conflict          the name is taken
├── SettingsError         the environment is off
├── Refused               a door says no to a whole request (carries the HTTP status)
├── StoreError
│   ├── StoreBusy         no commit within the deadline; the same request may be sent again
│   ├── StoreFull         disk or quota is low; nothing was taken
│   ├── StoreTooNew       the file was written by a newer candu-source
│   └── StaleLease        another worker holds the lane now
├── WarehouseError        a warehouse says no, or is not there; what was being loaded is not loaded
│   └── WarehouseBusy     another sync of the same source, or another program, has it open
└── SecretUnreadable      a stored key does not decrypt with the secret key in force
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Name why something was refused, filtered, held or given up: the same code in answers, metrics and logs."""

    # A whole request is refused (HTTP status beside it in doors/gate.py).
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    FORM_OUTDATED = "form_outdated"
    CONFLICT = "conflict"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    BODY_TOO_LARGE = "body_too_large"
    BROKEN_ENCODING = "broken_encoding"
    BROKEN_JSON = "broken_json"
    NOTHING_ACCEPTED = "nothing_accepted"
    STORE_BUSY = "store_busy"
    STORE_FULL = "store_full"
    QUOTA_FULL = "quota_full"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    ORIGIN_REFUSED = "origin_refused"
    SOURCE_REFUSED = "source_refused"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL = "internal"
    # One item is refused.
    INVALID = "invalid"
    SLACK_FORMAT = "slack_format"
    MESSAGE_TOO_LARGE = "message_too_large"
    IDENTITY_UNPROVEN = "identity_unproven"
    # One item is filtered: kept, counted, replayable.
    UNKNOWN_EVENT = "unknown_event"
    EXCLUDED_EVENT = "excluded_event"
    CUSTOM_EVENT = "custom_event"
    ANONYMOUS = "anonymous"
    ECHO = "echo"
    BOT = "bot"
    # One event is passed over by a sync.
    NOT_SELECTED = "not_selected"
    NOT_ENABLED = "not_enabled"
    UNSUPPORTED_CALL = "unsupported_call"
    # What an attempt met.
    ACCEPTED = "accepted"
    NETWORK = "network"
    TIMEOUT = "timeout"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    CONTENT_REFUSED = "content_refused"
    KEY_REFUSED = "key_refused"
    ENDPOINT_WRONG = "endpoint_wrong"
    ADDRESS_REFUSED = "address_refused"
    KEY_UNREADABLE = "key_unreadable"
    REFUSES_EVERYTHING = "refuses_everything"
    EXPIRED = "expired"
    DISCARDED = "discarded"
    SYNC_INCOMPLETE = "sync_incomplete"


class CanduSourceError(Exception):
    """Be the root of every error this package raises on purpose."""


class UsageError(CanduSourceError):
    """Tell the caller which word was off and what would be right."""


class NotFound(UsageError):  # noqa: N818 - a state, said as the field says it
    """Say that nothing has that name."""


class Conflict(UsageError):  # noqa: N818 - a state, said as the field says it
    """Say that the name is taken."""


class SettingsError(CanduSourceError):
    """Name the environment variable that is off and what it takes."""


class Refused(CanduSourceError):  # noqa: N818 - a verdict
    """Refuse a whole request: HTTP status, reason code, a sentence, and seconds to wait when waiting helps."""

    def __init__(self, status: int, code: Reason, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class StoreError(CanduSourceError):
    """Be the root of what the store can meet."""


class StoreBusy(StoreError):  # noqa: N818 - a state
    """Say that no commit came within the deadline; sending again is harmless."""


class StoreFull(StoreError):  # noqa: N818 - a state
    """Say that disk or quota is low and nothing was taken."""


class StoreTooNew(StoreError):  # noqa: N818 - a state
    """Say that the file was written by a newer candu-source."""


class StaleLease(StoreError):  # noqa: N818 - a state
    """Say that another worker holds the lane now; its outcomes count, ours do not."""


class SecretUnreadable(CanduSourceError):  # noqa: N818 - a state
    """Say that a stored secret does not decrypt with the secret key in force."""


class WarehouseError(CanduSourceError):
    """Say what a warehouse answered, without its password, and what to do; nothing of the batch was loaded."""


class WarehouseBusy(WarehouseError):  # noqa: N818 - a state
    """Say that somebody else has the warehouse, or this source's place in it, open."""
