"""Say where notices go and what goes there: pure; an address may be a secret, `shown` is what people see of it."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from candu_source.errors import UsageError
from candu_source.model import Secret

_ADDRESS_CHARACTERS = 2_000
# RFC 8314: submission with STARTTLS, and with TLS from the first byte.
_PORTS = {"smtp": 587, "smtps": 465}
# A letter that is not taken is tried again after 10 s, 20 s, 40 s… up to a quarter of an hour, for a day.
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS, _GIVE_UP_SECONDS = 10.0, 900.0, 86_400.0
_DOUBLINGS = 7  # 10 s doubled seven times is beyond the longest wait
_SMTP_EXAMPLE = "smtp://user:password@host:587/?from=a@example.com&to=b@example.com (or smtps://)"


class ChannelKind(StrEnum):
    """Name what a channel speaks."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    SMTP = "smtp"


class What(StrEnum):
    """Say what a letter tells of a notice, or that it only tries the channel."""

    OPENED = "opened"
    CLOSED = "closed"
    TEST = "test"


class Letter(NamedTuple):
    """Hold what a channel is told; `id` is the notice's (0 for a test), `connection` a name or empty, times since the epoch."""

    what: What
    id: int
    cause: str
    connection: str
    urgency: int
    text: str
    opened_at: float
    closed_at: float | None = None


class Answer(NamedTuple):
    """Say whether a letter was taken, and what came back, in our own words and without a secret."""

    ok: bool
    detail: str


class Post(NamedTuple):
    """Hold one letter on its way; `address` is None when it does not decrypt, `tries` counts those before."""

    id: int
    channel: int
    kind: ChannelKind
    address: Secret | None
    tries: int
    made_at: float
    letter: Letter


class Mailbox(NamedTuple):
    """Hold the parts of an SMTP address."""

    host: str
    port: int
    tls: bool
    user: str
    password: Secret
    sender: str
    to: tuple[str, ...]


def checked(kind: ChannelKind, text: str) -> Secret:
    """Return an address fit for a kind of channel; raise UsageError that says what it should look like, without repeating it."""
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > _ADDRESS_CHARACTERS:
        raise UsageError(f"the address of a channel is one word of at most {_ADDRESS_CHARACTERS} ASCII characters")
    if kind is ChannelKind.SMTP:
        mailbox(Secret(text))
    else:
        _web(text)
    return Secret(text)


def shown(kind: ChannelKind, address: Secret) -> str:
    """Return what may be shown of an address: the host, and of a mail the readers; path, user and password may be secrets."""
    if kind is ChannelKind.SMTP:
        box = mailbox(address)
        return f"{'smtps' if box.tls else 'smtp'}://{box.host}:{box.port} to {', '.join(box.to)}"
    url = _web(address.reveal())
    return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}/…"


def mailbox(address: Secret) -> Mailbox:
    """Take an SMTP address apart; raise UsageError."""
    url = _split(address.reveal())
    query = parse_qs(url.query.replace("+", "%2B"))  # a plus is no blank in a mail address
    to = tuple(part for text in query.pop("to", []) for part in text.split(","))
    senders = query.pop("from", [])
    if url.scheme not in _PORTS or not url.hostname or url.path.strip("/") or query or len(senders) != 1 or not to:
        raise UsageError(f"the address of an smtp channel looks like {_SMTP_EXAMPLE}")
    for each in (*senders, *to):
        _insist_mail_address(each)
    password = Secret(unquote(url.password or ""))
    port = url.port or _PORTS[url.scheme]
    return Mailbox(url.hostname, port, url.scheme == "smtps", unquote(url.username or ""), password, senders[0], to)


def next_try(post: Post, now: float) -> float | None:
    """Return when to try a post again that was not taken, or None when it is a day old."""
    if now - post.made_at >= _GIVE_UP_SECONDS:
        return None
    return now + min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * (1 << min(post.tries, _DOUBLINGS)))


def _web(text: str) -> SplitResult:
    url = _split(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise UsageError("the address of a webhook or slack channel looks like https://host/path")
    return url


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port, url.hostname
    except ValueError:
        raise UsageError("the address of a channel is not an address: host or port is off") from None
    return url


def _insist_mail_address(text: str) -> None:
    try:
        fits = bool(Address(addr_spec=text).domain)
    except (ValueError, IndexError, MessageError):
        fits = False
    if not fits or not text.isascii() or not text.isprintable():
        raise UsageError(f"from and to of an smtp channel are plain mail addresses; it looks like {_SMTP_EXAMPLE}")
