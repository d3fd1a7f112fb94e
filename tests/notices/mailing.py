"""Run a real mail server on loopback, with and without TLS, a password, and a mind of its own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "anna@example.com", "canary p:ss/word"
READERS = "from=a@example.com&to=b@example.com"


@dataclass
class Mails:
    """Keep what is sent, and refuse what is told."""

    port: int = 0
    refused: frozenset[str] = frozenset()
    kept: list[EmailMessage] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    tls: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take or refuse a reader."""
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        assert isinstance(envelope.content, bytes)
        self.kept.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=default))
        self.signed_in.append(bool(session.authenticated))
        self.tls.append(session.ssl is not None)
        return "250 OK"


@contextlib.contextmanager
def mail_server(
    certificate: Path | None = None, *, tls: str = "none", refused: tuple[str, ...] = (), auth: bool = False
) -> Iterator[Mails]:
    """Serve; `tls` is none, starttls or implicit."""
    mails = Mails(refused=frozenset(refused))
    context = _context(certificate) if certificate else None
    options: dict[str, Any] = {"authenticator": _check, "auth_require_tls": tls == "starttls"} if auth else {}
    if tls == "starttls":
        options["tls_context"] = context
    controller = _Controller(mails, hostname="127.0.0.1", port=0, ssl_context=context if tls == "implicit" else None, **options)
    controller.start()
    mails.port = controller.port
    yield mails
    controller.stop()


class _Controller(Controller):
    """Serve on a free port."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _check(_: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def make_certificate(file: Path) -> Path:
    """Write a certificate for 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
