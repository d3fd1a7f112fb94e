"""Secrets stay secret: no log line, file, answer, page, metric or command shows a write key, a token or the secret key."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest
import requests
from click.testing import CliRunner

from candu_source.cli import commands
from candu_source.model import Secret
from candu_source.settings import Settings
from candu_source.twin import Twin
from tests.acceptance.hands import add_warehouse
from tests.acceptance.load import interaction
from tests.acceptance.oddities import echo_in_json, echo_plainly, far_end
from tests.acceptance.proof import rows
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_KEY = "canary" + secrets.token_hex(12)
_OTHER_KEY = "canary" + secrets.token_hex(12)
_IDENTITY_SECRET = "canary" + secrets.token_hex(12)
_PASSWORD = "canary" + secrets.token_hex(12)
# Nobody listens there.
_WAREHOUSE = f"postgresql://loader:{_PASSWORD}@127.0.0.1:9/warehouse"
_ORIGIN = "https://app.example.com"
_STRANGE_TOKEN = "cs_canary" + secrets.token_hex(12)
_FORGED = {
    "messageId": "forged",
    "timestamp": "2026-11-20T10:00:00Z",
    "type": "candu.sdk.screen",
    "detail": {"screenName": "candu.sdk.content", "properties": {"documentId": 1}},
    "userId": "u1",
    "userHmac": "00",
}
_SECRET_KEYS = [base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in range(2)]
_ECHOES = MappingProxyType(
    {"Candu_Echo_400": echo_in_json("400 Bad"), "Candu_Echo_Page": echo_plainly("500 Bad"), "Candu_Echo_401": echo_in_json("401 Bad")}
)
_AS_TABLE_AND_JSON = (
    "connections list",
    "connections show Candu_Twin",
    "events tail --connection Candu_Twin",
    "ledger --check",
    "dead list --connection Candu_Echo_400",
    "rejects list --connection Candu_Twin",
    "rejects show 1 --connection Candu_Twin",
    "filtered list --connection Candu_Twin",
    "doctor",
    "settings",
    "warehouse status warehouse --connection Candu_Twin",
)
_ONCE = (
    "openapi",
    "connections pause Candu_Twin",
    "connections resume Candu_Twin",
    f"connections add Candu_Twin --write-key {_KEY}",
    f"connections add Candu_Bad_Host --write-key {_KEY} --segment-host nowhere",
    f"connections add Candu_Bad_Key --write-key {_KEY}:{_KEY}",
    f"connections set Candu_Nobody --write-key {_KEY}",
    f"connections set Candu_Twin --write-key {_KEY}:{_KEY}",
    f"connections set Candu_Twin --write-key {_OTHER_KEY}",
    f"connections set Candu_Twin --write-key {_KEY}",
    f"connections set Candu_Twin --identity-secret {_IDENTITY_SECRET}",
    f"events show {_STRANGE_TOKEN[:3]} --connection Candu_Twin",
    f"warehouse add --connection Candu_Twin --name second --url {_WAREHOUSE}",
    f"warehouse add --connection Candu_Twin --name second --url {_WAREHOUSE.replace('@', '@@')}",
    f"warehouse set --connection Candu_Twin --url {_WAREHOUSE}",
    "warehouse status",
    "warehouse sync --connection Candu_Twin",
    "warehouse query --connection Candu_Twin VALUES(1)",
    "connections export",
    "audit",
)


@dataclass
class Seen:
    """Hold everything that anybody could read, by where, and the tokens that were given out."""

    texts: dict[str, bytes] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def places(self, secret: str) -> list[str]:
        """List where a secret can be read."""
        return [place for place, text in self.texts.items() if secret.encode() in text]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Run a service into everything that might give a secret away, and gather what it shows."""
    found = Seen()
    directory = tmp_path_factory.mktemp("secrets")
    echoes = {
        "Candu_Echo_400": echo_in_json("400 Bad"),
        "Candu_Echo_Page": echo_plainly("500 Bad"),
        "Candu_Echo_401": echo_in_json("401 Bad"),
    }
    with contextlib.ExitStack() as undo:
        hosts = {name: undo.enter_context(far_end(answer)) for name, answer in echoes.items()}
        twin = undo.enter_context(Twin())
        service = undo.enter_context(Service(directory, secret_key=_SECRET_KEYS[0], segment_write_key=_OTHER_KEY))
        service.serve()
        proof = ("--origin", _ORIGIN, "--identity", "require", "--identity-secret", _IDENTITY_SECRET)
        doors = [service.connect(name, _KEY, host, *proof) for name, host in {**hosts, "Candu_Twin": twin.url}.items()]
        add_warehouse(service, doors[-1], Secret(_WAREHOUSE))
        found.tokens += [door.token for door in doors]
        _knock(found, service, doors)
        until(lambda: all(_tried(service, door) for door in doors), "every lane to try")
        until(lambda: rows(service, "SELECT 1 FROM syncs WHERE error <> ''"), "a sync to fail")
        _ask(found, service, doors)
        _look(found, service, twin, doors[-1])
        service.stop()
        service.settings["secret_key"] = _SECRET_KEYS[1]
        service.serve()
        assert doors[-1].post(interaction("late")).status_code == 202
        until(lambda: rows(service, "SELECT * FROM lanes WHERE held = 'key_unreadable'"), "a lane whose key does not decrypt to be held")
        found.texts.update(
            {f"other secret key: {words}": _said(service, words) for words in ("doctor --offline", "connections list --json")}
        )
        found.tokens.append(str(service.read("connections", "rotate-token", "Candu_Twin")["token"]))
        service.stop()
        found.texts["the log"] = service.log.read_bytes()
        found.texts.update({str(file.relative_to(directory)): file.read_bytes() for file in _files(directory / "store")})
        yield found


def _knock(found: Seen, service: Service, doors: list[Door]) -> None:
    """Send what is accepted, refused and lost at every door."""
    for door in doors:
        hook, stranger = door.webhook_url, {"Authorization": f"Bearer {_STRANGE_TOKEN}"}
        browser = f"{service.url}/v1/browser/{door.public_token}"
        letters = {
            "accepted": requests.post(door.interactions_url, json=interaction("canary"), auth=(door.token, ""), timeout=30),
            "rejected": requests.post(hook, json={"payload": {"eventName": "tutorial.view"}}, timeout=30),
            "broken": requests.post(hook, data=b"{", headers={"Content-Type": "application/json"}, timeout=30),
            "no JSON": requests.post(hook, data=b"{}", timeout=30),
            "too large": requests.post(hook, data=b" " * 5_100_000, headers={"Content-Type": "application/json"}, timeout=30),
            "no such door": requests.post(f"{hook}/more", json={}, timeout=30),
            "refused by Amplitude's": requests.post(door.amplitude_url, json={"event_type": "_all"}, timeout=30),
            "page": requests.get(hook, timeout=30),
            "wrong method": requests.put(hook, timeout=30),
            "forged": requests.post(browser, json=_FORGED, headers={"Origin": _ORIGIN}, timeout=30),
            "strange token": requests.post(f"{service.url}/v1/webhook/{_STRANGE_TOKEN}", json={}, timeout=30),
            "strange Amplitude": requests.post(f"{service.url}/v1/amplitude/{_STRANGE_TOKEN}", json={}, timeout=30),
            "strange bearer": requests.post(door.interactions_url, json={}, headers=stranger, timeout=30),
        }
        found.texts.update({f"answer: {name}": _whole(answer) for name, answer in letters.items()})
        expected = [202, 422, 400, 415, 413, 404, 422, 200, 405, 422, 401, 401, 401]
        assert [answer.status_code for answer in letters.values()] == expected


def _ask(found: Seen, service: Service, doors: list[Door]) -> None:
    """Run every command, those that show something as a table and as JSON."""
    showing = [f"events show candu:{door.id}:canary --connection {door.name}" for door in doors]
    showing += _AS_TABLE_AND_JSON
    lines = [*showing, *(f"{line} --json" for line in showing)]
    found.texts.update({line: _said(service, line) for line in lines})
    found.texts.update({f"command {number}": _said(service, line) for number, line in enumerate(_ONCE)})


def _look(found: Seen, service: Service, twin: Twin, door: Door) -> None:
    """Look at every page of the service and of the twin."""
    assert twin.ids(_KEY)
    for path in ("/healthz", "/readyz", "/metrics", f"/{door.token}"):
        found.texts[f"page: {path[:9]}"] = _whole(requests.get(service.url + path, timeout=30))
    for path in ("messages", "stats", "sources", "faults", "ids"):
        found.texts[f"twin: {path}"] = _whole(requests.get(f"{twin.url}/__twin/{path}", timeout=30))


def _said(service: Service, line: str) -> bytes:
    """Run a command in this process, with the environment of the service's own; a fault of ours is raised."""
    environment = service.environment()
    ended = CliRunner().invoke(commands, line.split(), env=environment, obj=Settings.load(environment))
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
    return ended.output.encode()


def _whole(answer: requests.Response) -> bytes:
    headers: Mapping[str, str] = answer.headers
    return "\n".join(f"{name}: {value}" for name, value in headers.items()).encode() + b"\n\n" + answer.content


def _tried(service: Service, door: Door) -> bool:
    return bool(rows(service, "SELECT 1 FROM attempts WHERE connection = ?", door.id))


def _files(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file()]


@pytest.mark.parametrize("key", [_KEY, _OTHER_KEY], ids=["in use", "put in place"])
def test_a_write_key_is_shown_nowhere(seen: Seen, key: str) -> None:
    assert seen.places(key) == []


def test_a_write_key_is_shown_nowhere_as_the_credentials_it_makes(seen: Seen) -> None:
    credentials = base64.b64encode(f"{_KEY}:".encode()).decode().rstrip("=")
    assert seen.places(credentials[:-1]) == []


def test_a_token_is_shown_nowhere_but_where_it_was_made(seen: Seen) -> None:
    assert len(seen.tokens) == 5
    assert {token: seen.places(token) for token in seen.tokens} == {token: [] for token in seen.tokens}


def test_the_password_of_a_warehouse_is_shown_nowhere(seen: Seen) -> None:
    assert any(b"loader@127.0.0.1:9/warehouse" in text for text in seen.texts.values())
    assert seen.places(_PASSWORD) == []


def test_an_identity_secret_is_shown_nowhere(seen: Seen) -> None:
    assert seen.places(_IDENTITY_SECRET) == []


def test_a_token_that_nobody_knows_is_not_repeated(seen: Seen) -> None:
    assert seen.places(_STRANGE_TOKEN) == []


@pytest.mark.parametrize("number", [0, 1])
def test_the_secret_key_is_shown_nowhere(seen: Seen, number: int) -> None:
    assert seen.places(_SECRET_KEYS[number]) == []


def test_the_far_end_did_throw_the_request_back(seen: Seen) -> None:
    shown = [text for place, text in seen.texts.items() if place.startswith("events show") and b"[write key]" in text]
    assert shown, "no echo was kept, so that nothing was proved about echoes"
