"""Stand before the doors: the real application over a real store."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from candu_source.model import Connection, Rules, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import Store, open_store
from candu_source.store.shelves import KeptReject
from candu_source.web import build_web
from tests.doors.items import encode

MOST = 100_000
ORIGIN = "https://app.example.com"
PATHS = {
    "webhook": "/v1/webhook/{token}",
    "interactions": "/v1/interactions",
    "browser": "/v1/browser/{public}",
    "rest": "/api/eventWebhook",
    "amplitude": "/v1/amplitude/{token}",
}


class Web:
    """Hold one web application and a second view of its store."""

    def __init__(self, settings: Settings) -> None:
        self.log = io.StringIO()
        self.app: Flask = build_web(settings, Telltale(self.log))
        self.store: Store = open_store(settings)

    def sender(self, rules: Rules | None = None) -> Sender:
        """Make a connection of its own, so that tests do not see each other's events."""
        connection, token = self.store.connections.add(
            Connection("", uuid.uuid4().hex, rules=rules or Rules(allowed_origins=(ORIGIN,))),
            Secret("wk"),
            by="test",
        )
        return Sender(self, connection, token.reveal())

    def table_sizes(self) -> dict[str, int]:
        """Count the rows of every table there is."""
        with self.store.database.read() as db:
            # What searches read is made of the log.
            names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'terms%' ORDER BY name")
            tables = [name for (name,) in names]
            return {table: db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}  # noqa: S608 - our own tables


@dataclass(frozen=True)
class Sender:
    """Hold one connection with its token, and look at what became of what it sent."""

    web: Web
    connection: Connection
    token: str

    def address(self, door: str) -> str:
        """Return where a door takes what this sender sends."""
        return PATHS[door].format(token=self.token, public=self.connection.public_token)

    def send(self, door: str, body: object, **headers: str) -> TestResponse:
        """Post a body (JSON, or bytes as they are) to a door with this sender's token."""
        given = {"Content-Type": "application/json", "Origin": ORIGIN} | {name.replace("_", "-"): value for name, value in headers.items()}
        if door != "webhook":
            given.setdefault("Authorization", f"Bearer {self.token}")
        return self.web.app.test_client().post(self.address(door), data=encode(body), headers=given)

    def messages(self) -> list[dict[str, Any]]:
        """Return the Segment messages in the log, in order."""
        return [json.loads(event.message) for event in self.web.store.trace.tail(self.connection.id, most=MOST)]

    def raws(self) -> list[bytes]:
        """Return the raw bytes of the events in the log, in order."""
        return [event.raw for event in self.web.store.trace.tail(self.connection.id, most=MOST)]

    def rejects(self) -> list[KeptReject]:
        """Return the rejects, first come first."""
        return sorted(self.web.store.shelves.rejects(self.connection.id, MOST))

    def filtered(self) -> list[tuple[str, str]]:
        """Return (name, reason) of every filtered event, in order of their message ids."""
        groups, connection = self.web.store.groups, self.connection.id
        kept = [each for group in groups.filtered(connection) for each in groups.filtered_of(connection, group.reason, group.name, MOST)]
        return [(each.name, each.reason) for each in sorted(kept)]


def rejected(answer: TestResponse) -> dict[int, dict[str, list[str]]]:
    """Return index -> errors of what an answer says was refused."""
    assert answer.json is not None
    return {each["index"]: each["errors"] for each in answer.json["rejected"]}


def counts(answer: TestResponse) -> tuple[int, int, int, int]:
    """Return (accepted, duplicates, filtered, rejected)."""
    assert answer.json is not None
    return answer.json["accepted"], answer.json["duplicates"], answer.json["filtered"], len(answer.json["rejected"])


def assert_problem(answer: TestResponse, status: int, code: str) -> str:
    """Hold an answer to RFC 9457 and return its sentence."""
    assert answer.status_code == status, answer.get_data()
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["type"] == f"urn:candu-source:{code}"
    assert answer.json["status"] == status
    assert answer.json["title"]
    detail: str = answer.json["detail"]
    assert detail
    return detail
