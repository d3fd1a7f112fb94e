"""What goes out to a webhook, to Slack and by mail, against real servers; and what is told of what comes back."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from candu_source.channels import Answer, ChannelKind, What, checked, mailbox, shown
from candu_source.destinations.channels import Courier, mail, slack_body
from candu_source.errors import UsageError
from candu_source.model import Secret
from tests.acceptance.oddities import answered, far_end
from tests.notices.mailing import PASSWORD, READERS, USER, mail_server, make_certificate
from tests.notices.post import COURIER, LETTER, Receiver, babbler

HOSTILE = "<!channel> & \r\nBcc: c@example.com\r\n\r\n\x1b[2J<script>"
SIGNED_IN = f"{quote(USER)}:{quote(PASSWORD, safe='')}@"


def send(kind: ChannelKind, address: str, courier: Courier = COURIER) -> Answer:
    """Send one letter."""
    return courier.send(kind, Secret(address), LETTER)


def test_a_webhook_gets_all_there_is_to_know(receiver: Receiver) -> None:
    assert send(ChannelKind.WEBHOOK, receiver.url) == Answer(ok=True, detail="200 OK")
    assert receiver.bodies == [
        {
            "what": "opened",
            "id": 7,
            "cause": "lane_held",
            "connection": "Candu_Prod",
            "urgency": 1,
            "text": "It is held. Mend it.",
            "opened_at": "2023-11-14T22:13:20Z",
            "closed_at": None,
        }
    ]
    closed = LETTER._replace(what=What.CLOSED, closed_at=1_700_000_060.0)
    COURIER.send(ChannelKind.WEBHOOK, Secret(receiver.url), closed)
    assert (receiver.bodies[1]["what"], receiver.bodies[1]["closed_at"]) == ("closed", "2023-11-14T22:14:20Z")


def test_slack_gets_a_text_in_which_nothing_is_a_command(receiver: Receiver) -> None:
    assert send(ChannelKind.SLACK, receiver.url).ok
    assert receiver.bodies == [{"text": "opened: lane held, Candu_Prod\nIt is held. Mend it."}]
    hostile = slack_body(LETTER._replace(connection=HOSTILE, text=HOSTILE))["text"]
    assert not set("<>\x1b\r") & set(hostile)
    assert "&lt;!channel&gt; &amp; " in hostile
    assert hostile.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"no_service", "404 Not Found: no_service"),
        (403, b"invalid_token\n", "403 Forbidden: invalid_token"),
        (500, b"<html>canary-in-the-path</html>", "500 Internal Server Error"),
        (400, b"canary", "400 Bad Request"),
        (302, b"", "the address redirects; redirects are not followed"),
        (599, b"", "599"),
    ],
)
def test_a_refusal_is_told_without_repeating_what_may_be_a_secret(receiver: Receiver, status: int, body: bytes, said: str) -> None:
    receiver.status, receiver.body = status, body
    assert send(ChannelKind.SLACK, receiver.url) == Answer(ok=False, detail=said)
    assert receiver.tries == 1


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        (ChannelKind.WEBHOOK, "http://127.0.0.1:9/canary", "cannot be reached (ConnectionRefusedError)"),
        (ChannelKind.WEBHOOK, "https://canary.invalid/canary", "cannot be reached (gaierror)"),
        (ChannelKind.WEBHOOK, "http://.canary/", "cannot be reached (InvalidURL)"),
        (ChannelKind.SMTP, f"smtp://u:canary@127.0.0.1:9/?{READERS}", "cannot be reached (ConnectionRefusedError)"),
        (ChannelKind.SMTP, f"smtps://canary.invalid/?{READERS}", "cannot be reached (gaierror)"),
    ],
)
def test_what_cannot_be_reached_is_said_in_a_word(kind: ChannelKind, address: str, said: str) -> None:
    assert send(kind, address) == Answer(ok=False, detail=said)


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    receiver.status, receiver.body = 500, b"a" * 3_000_000
    assert send(ChannelKind.WEBHOOK, receiver.url) == Answer(ok=False, detail="500 Internal Server Error")
    with far_end(lambda _: answered("200 OK", b"", "X: " + "a" * 100_000)) as url:
        assert not send(ChannelKind.WEBHOOK, url).ok
    with babbler() as port:
        answer = send(ChannelKind.SMTP, f"smtp://127.0.0.1:{port}/?{READERS}")
    assert answer == Answer(ok=False, detail="no answer in time")


@pytest.mark.parametrize("scheme", ["http", "smtp", "smtps"])
def test_a_private_address_is_refused_unless_a_setting_allows_it(receiver: Receiver, scheme: str) -> None:
    address = receiver.url.replace("http", scheme) if scheme == "http" else f"{scheme}://{receiver.url.split('/')[2]}/?{READERS}"
    answer = send(ChannelKind.WEBHOOK if scheme == "http" else ChannelKind.SMTP, address, Courier(allow_private=False))
    assert answer == Answer(ok=False, detail="127.0.0.1 is not a public address; CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES allows it")
    assert receiver.tries == 0


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_nothing_connects_to_a_private_mail_server(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not send(ChannelKind.SMTP, f"{scheme}://127.0.0.1:{port}/?{READERS}", Courier(allow_private=False)).ok
        listener.setblocking(False)  # whoever had connected would stand in its queue
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_mail_is_taken() -> None:
    with mail_server() as mails:
        answer = send(ChannelKind.SMTP, f"smtp://127.0.0.1:{mails.port}/?from=a@example.com&to=b@example.com,c+d@example.com")
    assert answer == Answer(ok=True, detail="taken")
    (mail_,) = mails.kept
    assert (mail_["Subject"], mail_["From"]) == ("[candu-source] opened: lane held, Candu_Prod", "a@example.com")
    assert mail_["To"] == "b@example.com, c+d@example.com"
    assert mail_["Message-ID"] == "<opened.7.1700000000@example.com>"
    assert mail_.get_content() == "It is held. Mend it.\r\n\r\nopened: 2023-11-14T22:13:20Z\r\n"


def test_nothing_in_a_letter_becomes_a_header_or_a_reader() -> None:
    hostile = LETTER._replace(connection=HOSTILE * 20, text=f"é {HOSTILE}\r\n.\r\nRCPT TO:<evil@example.com>")
    with mail_server() as mails:
        assert COURIER.send(ChannelKind.SMTP, Secret(f"smtp://127.0.0.1:{mails.port}/?{READERS}"), hostile).ok
    (mail_,) = mails.kept
    assert set(mail_.keys()) & {"Bcc", "Cc"} == set()
    assert "Bcc: c@example.com" in mail_["Subject"]
    assert "\x1b" not in mail_.as_string()
    assert mail_.get_content().startswith("é <!channel> &")
    assert len(mails.kept) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate that nobody trusts by itself."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "both.pem")


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "implicit")])
def test_a_password_goes_over_tls_to_a_trusted_server_alone(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, tls: str
) -> None:
    with mail_server(certificate, tls=tls, auth=True) as mails:
        address = f"{scheme}://{SIGNED_IN}127.0.0.1:{mails.port}/?{READERS}"
        assert send(ChannelKind.SMTP, address) == Answer(ok=False, detail="TLS fails: CERTIFICATE_VERIFY_FAILED")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send(ChannelKind.SMTP, address) == Answer(ok=True, detail="taken")
        wrong = send(ChannelKind.SMTP, address.replace("canary", "wrong"))
    assert wrong == Answer(ok=False, detail="the server refuses user and password (535)")
    assert mails.signed_in == [True]


def test_a_password_is_not_sent_in_the_clear() -> None:
    with mail_server(auth=True) as mails:
        answer = send(ChannelKind.SMTP, f"smtp://{SIGNED_IN}127.0.0.1:{mails.port}/?{READERS}")
    assert not answer.ok
    assert "no STARTTLS" in answer.detail
    assert mails.kept == []


def test_readers_who_are_refused_are_told() -> None:
    with mail_server(refused=("b@example.com",)) as mails:
        nobody = send(ChannelKind.SMTP, f"smtp://127.0.0.1:{mails.port}/?{READERS}")
        some = send(ChannelKind.SMTP, f"smtp://127.0.0.1:{mails.port}/?{READERS}&to=c@example.com")
    assert nobody == Answer(ok=False, detail="the server refuses every reader (550)")
    assert some == Answer(ok=True, detail="taken, but for 1 of 2 readers")


def test_a_closed_notice_says_so_by_mail() -> None:
    box = mailbox(Secret(f"smtp://h/?{READERS}"))
    closed = mail(box, LETTER._replace(what=What.CLOSED, closed_at=1_700_000_060.0))
    assert closed["Subject"] == "[candu-source] healed: lane held, Candu_Prod"
    assert "closed: 2023-11-14T22:14:20Z" in closed.get_content()


@pytest.mark.parametrize(
    ("kind", "address", "seen"),
    [
        ("webhook", "https://u:canary@h.example:8/canary?k=canary", "https://h.example:8/…"),
        ("slack", "https://hooks.slack.com/services/T0/B0/canary", "https://hooks.slack.com/…"),
        ("smtp", f"smtp://u:canary@h?{READERS}", "smtp://h:587 to b@example.com"),
        ("smtp", f"smtps://h/?{READERS}&to=c@d.example", "smtps://h:465 to b@example.com, c@d.example"),
    ],
)
def test_of_an_address_the_host_is_shown(kind: str, address: str, seen: str) -> None:
    assert shown(ChannelKind(kind), checked(ChannelKind(kind), f" {address}\n")) == seen


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "canary"),
        ("webhook", "ftp://h/canary"),
        ("webhook", "https://"),
        ("webhook", "https://h:99999/canary"),
        ("webhook", "https://h/can ary"),
        ("webhook", "https://h/can\x00ary"),
        ("webhook", "https://h/" + "canary" * 400),
        ("slack", "smtp://h/canary"),
        ("smtp", "https://canary/"),
        ("smtp", "smtp://canary"),
        ("smtp", "smtp://u:canary@h/?from=a@x"),
        ("smtp", "smtp://u:canary@h/?to=a@x"),
        ("smtp", "smtp://u:canary@h/?from=a@x&from=b@x&to=a@x"),
        ("smtp", "smtp://u:canary@h/?from=a@x&to=canary"),
        ("smtp", "smtp://u:canary@h/?from=a@x&to=a@x%0d%0aBcc:canary@x"),
        ("smtp", "smtp://u:canary@h/?from=a@x&to=a@x,,"),
        ("smtp", "smtp://u:canary@h/?from=a@x&to=a@x&tls=no"),
        ("smtp", "smtp://[canary/?from=a@x&to=a@x"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(kind: str, address: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(ChannelKind(kind), address)
    assert "canary" not in str(caught.value)
    assert "address" in str(caught.value)
