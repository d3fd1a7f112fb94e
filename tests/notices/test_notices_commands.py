"""The commands about notices and channels, and what the probes and the doctor say of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from candu_source.causes import Cause
from candu_source.channels import ChannelKind
from candu_source.cli import commands
from candu_source.model import Connection
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.web import build_web
from tests.notices.post import Receiver, found
from tests.store.shelf import make_store


@pytest.fixture
def settings(store: Store) -> Settings:
    """Return the settings of the test's store."""
    return Settings(store_url=f"sqlite:///{store.database.path}", min_free_mb=0, allow_private_addresses=True)


def run(settings: Settings, *words: str, code: int = 0, stdin: str = "") -> Result:
    """Run one command."""
    done = CliRunner().invoke(commands, words, env={"COLUMNS": "250"}, obj=settings, input=stdin)
    assert done.exit_code == code, done.output
    return done


def read(settings: Settings, *words: str, code: int = 0, stdin: str = "") -> Any:
    """Return what a command prints with --json."""
    return json.loads(run(settings, *words, "--json", code=code, stdin=stdin).stdout)


def test_notices_are_listed(settings: Settings, store: Store, connection: Connection) -> None:
    assert "Nothing needs a person." in run(settings, "notices", "list").stdout
    store.notices.reconcile([found(connection, text="It is\x1b[2J held."), found(cause=Cause.SHAPE_CHANGED)], 1_000.0)
    listed = read(settings, "notices", "list")
    assert [(row["cause"], row["connection"], row["urgency"]) for row in listed] == [
        ("lane_held", connection.name, "now"),
        ("shape_changed", None, "note"),
    ]
    shown = run(settings, "notices", "list").stdout
    assert "lane_held  now  open since 1970-01-01T00:16:40.000Z" in shown
    assert "\x1b" not in shown
    assert [row["cause"] for row in read(settings, "notices", "list", "--connection", connection.name)] == ["lane_held"]
    store.notices.reconcile([], 1_061.0)
    assert read(settings, "notices", "list") == []
    assert [row["closed_at"] for row in read(settings, "notices", "list", "--all")] == ["1970-01-01T00:17:41.000Z"] * 2
    assert "closed 1970-01-01" in run(settings, "notices", "list", "--all").stdout


def test_a_channel_from_beginning_to_end(settings: Settings, receiver: Receiver, connection: Connection) -> None:
    assert "No channel yet" in run(settings, "channels", "list").stdout
    made = read(settings, "channels", "add", "webhook", "-", "--connection", connection.name, stdin=f"{receiver.url}\n")
    assert (made["kind"], made["connection"], made["next"]) == ("webhook", connection.name, f"channels test {made['id']}")
    assert read(settings, "channels", "test", str(made["id"]))["answer"] == "200 OK"
    assert receiver.heard() == [("test", "test")]
    receiver.status = 404
    assert read(settings, "channels", "test", str(made["id"]), code=1)["answer"] == "404 Not Found"
    said = "".join(run(settings, "channels", *words).output for words in (["list"], ["remove", "1", "--yes"]))
    assert "canary" not in said + json.dumps(made)
    assert read(settings, "channels", "list") == []


def test_a_channel_is_removed_only_when_meant(settings: Settings, store: Store) -> None:
    store.channels.add(ChannelKind.SLACK, "https://hooks.slack.com/services/canary", by="test")
    asked = run(settings, "channels", "remove", "1", code=1, stdin="n\n").output
    assert "Send no more notices to https://hooks.slack.com/…?" in asked
    assert len(store.channels.all()) == 1
    run(settings, "channels", "remove", "1", stdin="y\n")
    assert store.channels.all() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["channels", "add", "webhook", "canary"], "looks like https://host/path"),
        (["channels", "add", "smtp", "smtp://canary"], "looks like smtp://user:password@host:587/"),
        (["channels", "add", "pigeon", "x"], "'pigeon' is not one of"),
        (["channels", "add", "slack", "https://h/canary", "--connection", "Nobody"], "there is no connection 'Nobody'"),
        (["channels", "test", "9"], "there is no channel 9"),
        (["channels", "remove", "9"], "there is no channel 9"),
        (["notices", "list", "--connection", "Nobody"], "there is no connection 'Nobody'"),
    ],
)
def test_what_is_off_is_one_clear_line(settings: Settings, words: list[str], said: str) -> None:
    said_so = run(settings, *words, code=2).stderr
    assert said in said_so
    assert "canary" not in said_so


def test_the_doctor_fails_for_what_is_urgent_alone(settings: Settings, store: Store) -> None:
    store.notices.reconcile([found(cause=Cause.SHAPE_CHANGED)], time.time())
    (noticed,) = [row for row in read(settings, "doctor", "--offline") if row["check"] == "notice"]
    assert (noticed["ok"], noticed["finding"]) == (True, "It is held.")
    store.notices.reconcile([found()], time.time())
    assert [row["ok"] for row in read(settings, "doctor", "--offline", code=1) if row["check"] == "notice"] == [False, True]


def test_the_probes_say_which_causes_are_open_and_nothing_of_customers(settings: Settings, store: Store, connection: Connection) -> None:
    store.notices.reconcile([found(connection, text="canary")], time.time())
    web = build_web(settings).test_client()
    ready = web.get("/readyz")
    assert (ready.status_code, json.loads(ready.text)["notices"]) == (200, {"lane_held": 1})
    metrics = web.get("/metrics").text
    assert 'candu_source_notices_open{cause="lane_held"} 1.0' in metrics
    assert 'candu_source_notices_open{cause="disk_low"} 0.0' in metrics
    assert "canary" not in ready.text + metrics


def test_every_cause_is_documented() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "notices.md").read_text("utf-8")
    assert [cause for cause in Cause if f"`{cause}`" not in page] == []


def test_an_upgraded_or_new_store_has_no_notices(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    assert (store.notices.open(), store.channels.all(), store.notices.causes()) == ([], [], {})
    store.close()
