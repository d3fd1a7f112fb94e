"""Send a notice to a webhook, to Slack or by mail; what comes back is told in our own words, so that no secret gets into them."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from candu_source import __version__
from candu_source.channels import Answer, ChannelKind, Letter, Mailbox, What, mailbox
from candu_source.destinations.egress import PrivateAddress, causes, connect_public, guarded_session
from candu_source.model import Secret

_TIMEOUT_SECONDS = 10.0
_HEADERS = {"User-Agent": f"candu-source/{__version__}", "Accept-Encoding": "identity"}
# Slack, "Incoming webhooks": a refusal is one word such as no_service. Of any other answer nothing is repeated.
_ANSWER_BYTES = 100
_WORD = re.compile(rb"[a-z]{1,20}(_[a-z]{1,20}){0,4}")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
# All that a mail server may say, and for how long: a greeting and an answer to each command need a hundredth.
_SMTP_BYTES, _SMTP_SECONDS = 65_536, 60.0
_SUBJECT_CHARACTERS = 200
_REDIRECTED = "the address redirects; redirects are not followed"


class Courier:
    """Implement announcer.Messenger over HTTP and SMTP."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def send(self, kind: ChannelKind, address: Secret, letter: Letter) -> Answer:
        """Send one letter once; every answer and network error becomes an Answer."""
        match kind:
            case ChannelKind.WEBHOOK:
                return self._post(address.reveal(), webhook_body(letter))
            case ChannelKind.SLACK:
                return self._post(address.reveal(), slack_body(letter))
            case ChannelKind.SMTP:
                return self._mail(mailbox(address), letter)

    def _post(self, url: str, body: dict[str, Any]) -> Answer:
        try:
            with (
                guarded_session(allow_private=self._allow_private) as session,
                session.post(url, json=body, headers=_HEADERS, timeout=_TIMEOUT_SECONDS, stream=True) as answer,
            ):
                return Answer(answer.ok, _status(answer) + ("" if answer.ok else _word(answer, url)))
        except requests.TooManyRedirects:
            return Answer(ok=False, detail=_REDIRECTED)
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            return Answer(ok=False, detail=_failure(error))

    def _mail(self, box: Mailbox, letter: Letter) -> Answer:
        try:
            return self._submit(box, mail(box, letter))
        except smtplib.SMTPAuthenticationError as error:
            return Answer(ok=False, detail=f"the server refuses user and password ({error.smtp_code})")
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            return Answer(ok=False, detail=f"the server refuses every reader ({', '.join(map(str, codes))})")
        except smtplib.SMTPResponseException as error:
            return Answer(ok=False, detail=f"the server answers {error.smtp_code}")
        except (OSError, UnicodeError) as error:
            return Answer(ok=False, detail=_failure(error))

    def _submit(self, box: Mailbox, message: EmailMessage) -> Answer:
        kind = _GuardedTLS if box.tls else _Guarded
        with kind(box, allow_private=self._allow_private) as server:
            server.ehlo_or_helo_if_needed()
            secure = box.tls
            if not secure and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
                secure = True
            if box.user and not secure:
                return Answer(ok=False, detail="the server offers no STARTTLS, and a password is not sent in the clear; use smtps://")
            if box.user:
                server.login(box.user, box.password.reveal())
            refused = server.send_message(message)
        return Answer(ok=True, detail=f"taken, but for {len(refused)} of {len(box.to)} readers" if refused else "taken")


def webhook_body(letter: Letter) -> dict[str, Any]:
    """Return the JSON of a webhook; `id` and `what` together tell a copy, `id` is 0 for a test."""
    times = {name: _clock(getattr(letter, name)) for name in ("opened_at", "closed_at")}
    return {**letter._asdict(), **times}


def slack_body(letter: Letter) -> dict[str, str]:
    """Return the body of Slack's incoming webhook, with `&`, `<` and `>` escaped as Slack's formatting asks for."""
    text = f"{_heading(letter)}\n{_line(letter.text)}"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def mail(box: Mailbox, letter: Letter) -> EmailMessage:
    """Return a mail; nothing in a letter can begin a header of its own."""
    message = EmailMessage()
    message["Subject"] = f"[candu-source] {_heading(letter)}"[:_SUBJECT_CHARACTERS]
    message["From"] = box.sender
    message["To"] = ", ".join(box.to)
    message["Date"] = formatdate(letter.closed_at or letter.opened_at)
    message["Message-ID"] = f"<{letter.what}.{letter.id}.{letter.opened_at:.0f}@{box.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    times = [f"{name}: {_clock(at)}" for name, at in (("opened", letter.opened_at), ("closed", letter.closed_at)) if at is not None]
    message.set_content("\n".join([_line(letter.text), "", *times]) + "\n")
    return message


def _heading(letter: Letter) -> str:
    """Say in a line what happened, and where."""
    what = {What.OPENED: "opened", What.CLOSED: "healed", What.TEST: "test"}[letter.what]
    return _line(f"{what}: {letter.cause.replace('_', ' ')}" + (f", {letter.connection}" if letter.connection else ""))


def _line(text: str) -> str:
    """Return a text as one printable line: names are whatever somebody sent."""
    return "".join(each if each.isprintable() else " " for each in text)


def _clock(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _status(answer: requests.Response) -> str:
    return f"{answer.status_code} {_PHRASES.get(answer.status_code, '')}".rstrip()


def _word(answer: requests.Response, url: str) -> str:
    """Return an answer that is a single word of reason, which cannot be a part of the address."""
    said = answer.raw.read1(_ANSWER_BYTES, decode_content=False).strip()
    return f": {said.decode()}" if _WORD.fullmatch(said) and said.decode() not in url else ""


def _failure(error: BaseException) -> str:
    known = list(causes(error))
    private = next((each for each in known if isinstance(each, PrivateAddress)), None)
    if private is not None:
        return str(private)
    if any(isinstance(each, TimeoutError | requests.Timeout) for each in known):
        return "no answer in time"
    if isinstance(known[-1], ssl.SSLError):
        return f"TLS fails: {known[-1].reason or type(known[-1]).__name__}"
    return f"cannot be reached ({type(known[-1]).__name__})"


class _Bounded:
    """Read what a mail server says, and no more of it than any conversation needs."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._left = _SMTP_BYTES
        self._deadline = time.monotonic() + _SMTP_SECONDS

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0 or time.monotonic() > self._deadline:
            raise TimeoutError("the server does not come to an end")
        return line

    def close(self) -> None:
        self._file.close()


class _Guarded(smtplib.SMTP):
    """Speak SMTP with a public address only, for a limited time."""

    def __init__(self, box: Mailbox, *, allow_private: bool, **options: Any) -> None:
        self._allow_private = allow_private
        super().__init__(box.host, box.port, timeout=_TIMEOUT_SECONDS, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        def to(address: str) -> socket.socket:
            connected: socket.socket = super(_Guarded, self)._get_socket(address, port, timeout)  # type: ignore[misc]
            return connected

        return to(host) if self._allow_private else connect_public(host, port, to)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        return super().getreply()


class _GuardedTLS(smtplib.SMTP_SSL, _Guarded):
    """The same, with TLS from the first byte."""

    def __init__(self, box: Mailbox, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        smtplib.SMTP_SSL.__init__(self, box.host, box.port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
