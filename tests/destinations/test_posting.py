"""One request of a sync: nothing private is reached, no far end costs more than its time, and nothing of a secret is kept."""

from __future__ import annotations

import gzip
import html
import json
import re
import socket
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from candu_source.destinations.egress import is_public
from candu_source.destinations.masking import Masked
from candu_source.destinations.posting import Posted, Poster
from candu_source.errors import Reason
from candu_source.integrations.rendering import Rendered
from candu_source.model import Secret
from tests.destinations.listening import DRIP_SECONDS, Answer, Listener, always, dripping, whole

PUBLIC = "198.41.0.4"
OTHERS = tuple(f"198.41.0.{number}" for number in range(5, 10))
HEADERS = {"Content-Type": "application/json", "User-Agent": "Odd/1.0", "X-Odd": "a  b"}
SECRET = 'CANARY/ke y+<"é~'
_BIG = 100 * 2**20
# What the system holds between two ends of a connection, generously.
_BUFFERS = 16 * 2**20


class Names:
    """Say what names lead to, the last answer again and again; what is in no answer is a number, and means what the system says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._known: dict[str, list[list[str]]] = {}
        self._system = socket.getaddrinfo

    def lead(self, name: str, *answers: list[str]) -> None:
        """Let a name lead to these addresses, first to the first; to none is nowhere."""
        self._known[name] = list(answers)

    def look_up(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        """Answer as socket.getaddrinfo."""
        self.asked.append(host)
        if host not in self._known:
            return self._system(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        answers = self._known[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if not found:
            raise socket.gaierror("no way there from here")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)) for address in found]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Give names to resolve; nobody else is asked."""
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known.look_up)
    known.lead("localhost", ["127.0.0.1"])
    for public in (PUBLIC, *OTHERS):
        known.lead(public, [])
    return known


def post(url: str, *secrets: str, allow_private: bool = True, timeout_seconds: float = 5.0, body: str = "{}") -> Posted:
    """Send one request."""
    poster = Poster(senders=1, timeout_seconds=timeout_seconds, allow_private=allow_private)
    return poster.post(Rendered("POST", url, HEADERS, body), Masked(map(Secret, secrets)))


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0x7F.0.0.0x1",
            "017700000001",
            "0177.0.0.01",
        ),
        *("0", "0.0.0.0", "localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]"),  # noqa: S104 - asked for, not listened on
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[64:ff9b:1::7f00:1]"),
        *("[2002:7f00:1::1]", "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]"),
        *("169.254.169.254", "0xa9fea9fe", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1"),
        *("255.255.255.255", "[fe80::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]"),
        *("198.41.0.4@127.0.0.1", "198.41.0.4:80@127.0.0.1", "198.41.0.4%40x@127.0.0.1", "private.example"),
    ],
)
def test_nobody_private_hears_of_it(names: Names, host: str) -> None:
    names.lead("private.example", ["127.0.0.1", "10.0.0.1"])
    with Listener(always("200 OK")) as listener:
        met = post(f"http://{host}:{listener.port}/", allow_private=False).outcome
        assert listener.visitors() == 0
    assert met.code is Reason.ADDRESS_REFUSED, met
    assert "CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES" in met.detail


@pytest.mark.parametrize("address", ["198.41.0.4", "::ffff:198.41.0.4", "64:ff9b::198.41.0.4", "2002:c629:4::", "2001:500:200::b"])
def test_public_addresses_are_public_however_they_are_written(address: str) -> None:
    assert is_public(address)


def test_a_name_is_looked_up_once(names: Names) -> None:
    """What is public when it is looked at and private a moment later is not connected to."""
    names.lead("rebinding.example", [PUBLIC], ["127.0.0.1"])
    with Listener(always("200 OK")) as listener:
        met = post(f"http://rebinding.example:{listener.port}/", allow_private=False).outcome
        assert listener.visitors() == 0
    assert (met.code, names.asked[:2]) == (Reason.NETWORK, ["rebinding.example", PUBLIC])


def test_of_many_addresses_a_few_public_ones_are_tried(names: Names) -> None:
    names.lead("many.example", ["127.0.0.1", *OTHERS])
    with Listener(always("200 OK")) as listener:
        met = post(f"http://many.example:{listener.port}/", allow_private=False).outcome
        assert listener.visitors() == 0
    assert (met.code, names.asked[1:4]) == (Reason.NETWORK, list(OTHERS[:3]))


def test_who_is_really_connected_to_is_looked_at(names: Names) -> None:
    """A public number that leads inwards is refused before anything is said."""
    names.lead("inwards.example", [PUBLIC])
    names.lead(PUBLIC, ["127.0.0.1"])
    with Listener(always("200 OK")) as listener:
        met = post(f"http://inwards.example:{listener.port}/", allow_private=False).outcome
        assert listener.visitors() == 1
    assert (met.code, listener.heard) == (Reason.ADDRESS_REFUSED, [])


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with Listener(always("200 OK")) as private:
        with Listener(always(f"{status} Elsewhere", b"x", f"Location: {private.url}")) as listener:
            met = post(listener.url).outcome
            assert len(listener.heard) == 1
        assert private.visitors() == 0
    assert (met.code, met.status) == (Reason.ENDPOINT_WRONG, status)


def _endless(head: str) -> Answer:
    return lambda _: (head.encode() if not place else b"A" * 2**16 for place in range(_BIG // 2**16))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (f"HTTP/1.1 200 OK\r\nContent-Length: {_BIG}\r\n\r\n", Reason.ACCEPTED),
        ("HTTP/1.1 500 Odd\r\n\r\n", Reason.SERVER_ERROR),
        (f"HTTP/1.1 302 Odd\r\nLocation: /\r\nContent-Length: {_BIG}\r\n\r\n", Reason.ENDPOINT_WRONG),
        ("HTTP/1.1 200 OK\r\nX-Odd: ", Reason.NETWORK),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n", Reason.ACCEPTED),
    ],
    ids=["a body", "a body of no length", "a redirect's body", "a header", "a chunk"],
)
def test_a_large_answer_is_not_taken(head: str, code: Reason) -> None:
    with Listener(_endless(head)) as listener:
        posted = post(listener.url)
    assert posted.outcome.code is code
    assert len(posted.answer) <= 240
    assert listener.sent < _BUFFERS


@pytest.mark.parametrize("status", ["200 OK", "500 Odd", "302 Odd"])
def test_a_packed_answer_is_not_unpacked(status: str) -> None:
    bomb = gzip.compress(b"A" * 10 * 2**20)
    with Listener(always(status, bomb, "Content-Encoding: gzip", "Location: /")) as listener:
        posted = post(listener.url)
    assert "AAAA" not in posted.answer + posted.outcome.detail


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (dripping(b"HTTP/1.1 ", b"2", b"00 OK\r\nContent-Length: 0\r\n\r\n"), Reason.TIMEOUT),
        (dripping(b"HTTP/1.1 200 OK\r\nX-Odd: ", b"x", b"\r\nContent-Length: 0\r\n\r\n"), Reason.TIMEOUT),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", whole("200 OK")), Reason.TIMEOUT),
        (dripping(b"", b"", whole("200 OK")), Reason.TIMEOUT),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", b""), Reason.ACCEPTED),
        (dripping(b"HTTP/1.1 500 Odd\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", b""), Reason.SERVER_ERROR),
    ],
    ids=["a status line", "a header", "many beginnings", "silence", "a body", "chunks"],
)
def test_an_answer_without_end_has_its_time(answer: Answer, code: Reason) -> None:
    with Listener(answer) as listener:
        posted = post(listener.url, timeout_seconds=0.3)
    assert posted.outcome.code is code
    assert posted.seconds < DRIP_SECONDS / 2


def test_connections_are_kept_and_cookies_are_not() -> None:
    poster = Poster(senders=1, timeout_seconds=5, allow_private=True)
    with Listener(always("200 OK", b"{}", "Set-Cookie: customer=one; Path=/")) as listener:
        for number in range(3):
            assert poster.post(Rendered("POST", listener.url, {"X-Number": str(number)}, "{}"), Masked([])).outcome.status == 200
        assert listener.visitors() == 1
    assert [b"cookie" in request.lower() for request in listener.heard] == [False] * 3


def test_what_is_sent_is_what_was_rendered() -> None:
    body = json.dumps({"name": "Zoë 🍎\u2028", "n": 1}, ensure_ascii=False)
    with Listener(always("200 OK")) as listener:
        post(listener.url, body=body)
    head, _, sent = listener.heard[0].partition(b"\r\n\r\n")
    assert sent == body.encode()
    assert all(f"\r\n{name}: {value}" in head.decode() for name, value in HEADERS.items())
    assert b"python" not in head.lower()


_ECHOES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in an address": lambda text: quote(text, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "in JSON": json.dumps,
    "in plain JSON": lambda text: json.dumps(text, ensure_ascii=False),
    "in a page": html.escape,
    "as credentials": lambda text: b64encode(f"{text}:".encode()).decode(),
    "as a password": lambda text: b64encode(f"user:{text}".encode()).decode(),
    "as another's password": lambda text: b64encode(f"somebody:{text}".encode()).decode(),
    "in Base64 for addresses": lambda text: urlsafe_b64encode(f"another:{text}?".encode()).decode(),
}


@pytest.mark.parametrize("name", _ECHOES)
def test_nothing_of_a_secret_is_kept(name: str) -> None:
    echo = _ECHOES[name](SECRET)
    for beginning in ("", "x" * 230):
        with Listener(always("400 Odd", f"{beginning} {echo}".encode())) as listener:
            posted = post(listener.url, SECRET, body=f'{{"key": "{echo}"}}')
        kept = posted.answer + posted.outcome.detail
        words = re.findall(r"[A-Za-z0-9+/_-]{4,}", kept)
        unpacked = (b64decode(word[skip : skip + (len(word) - skip) // 4 * 4], altchars=b"-_") for word in words for skip in range(4))
        assert not any(b"CANA" in each for each in unpacked)
        assert "CAN" not in kept
        assert "[secret]" in kept or beginning


def test_a_secret_in_an_address_is_not_told(names: Names) -> None:
    names.lead("canary.example", [])
    with Listener(always("200 OK")) as listener:
        met = post(f"http://canary.example:{listener.port}/", "canary").outcome
    assert (met.code, met.detail) == (Reason.NETWORK, f"[secret].example:{listener.port}: gaierror")


def test_of_a_user_in_an_address_nothing_is_told() -> None:
    with Listener(always("200 OK")) as listener:
        met = post(f"http://CANARY:CANARY@127.0.0.1:{listener.port}/", allow_private=False).outcome
    assert "CANARY" not in met.detail
