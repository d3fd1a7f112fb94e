"""The command line, as it is typed: replay, and its verbs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from candu_source.errors import UsageError
from candu_source.model import Connection, PortalRule
from candu_source.moments import moment
from tests.acceptance.service import Service
from tests.replay.scene import Scene, named, view

Ask = Callable[..., subprocess.CompletedProcess[str]]


def environment(scene: Scene, directory: Path, events_per_second: int) -> dict[str, str]:
    """Return the environment of commands on the scene's store."""
    return Service(directory, store_url=scene.settings.store_url, replay_events_per_second=events_per_second).environment()


@pytest.fixture
def ask(scene: Scene, tmp_path: Path) -> Ask:
    """Run one command on the scene's store."""
    variables = {**environment(scene, tmp_path, 1_000_000), "COLUMNS": "200"}

    def command(*words: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "candu_source", *words]
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, env=variables, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return command


@pytest.fixture
def customer(scene: Scene) -> Connection:
    """Make a customer with three delivered events and a mapping that has changed since."""
    made = scene.customer(name="Candu_Prod")
    scene.send(made, view(1), view(2, userId="\x1b[2Ju2"), named("Signup", 3))
    scene.deliver()
    scene.twin.clear()
    return scene.change(made, portal=PortalRule("constant", 9))


def test_a_replay_from_the_dry_run_to_the_audit(scene: Scene, customer: Connection, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "calls.ndjson"
    shown = ask("replay", "--connection", "Candu_Prod", "--lane", "segment", "--since", "1h", "--dry-run", "--calls", str(file)).stdout
    assert "properties.portalId" in shown
    assert "3 calls would be sent." in shown
    told: Any = json.loads(ask("replay", "--dry-run", "--json").stdout)
    assert told["counts"] == {"changed": 2, "unchanged": 1}
    (difference,) = told["fields"]
    assert (difference["path"], difference["kind"], difference["events"]) == ("properties.portalId", "added", 2)
    assert difference["samples"][0] == {"message_id": f"candu:{customer.id}:id-1", "old": None, "new": 9}
    assert scene.arrived(customer) == []
    assert "Aborted" in ask("replay", "--connection", "Candu_Prod", stdin="n\n", code=1).stderr
    asked = ask("replay", "--connection", "Candu_Prod", stdin="y\n").stderr
    assert "Send 3 events of Candu_Prod to segment again" in asked
    assert "under the same message ids" in asked
    assert sorted(scene.arrived(customer)) == sorted(file.read_bytes().splitlines())
    (row,) = json.loads(ask("replay", "list", "--json").stdout)
    assert (row["id"], row["state"], row["looked_at"], row["counts"]) == (1, "done", 3, {"changed": 2, "unchanged": 1})
    assert "done" in ask("replay", "show", "1").stdout
    actions = [(each.action, each.who.partition(":")[0]) for each in scene.store.audit.rows(customer.id, 2)]
    assert actions == [("replay.finished", "command line"), ("replay.started", "command line")]


def test_narrowed_cancelled_and_resumed(scene: Scene, customer: Connection, ask: Ask) -> None:
    asked = ask("replay", "--user", "u1", "--event", "Signup", "--as-new", stdin="y\n").stderr
    assert "Look through 3 events of Candu_Prod and send those that match" in asked
    assert "Segment counts them again" in asked
    assert [json.loads(call)["event"] for call in scene.arrived(customer)] == ["Signup"]
    running = scene.start(customer)
    assert f"Replay {running.id} is cancelled after 0 of 3" in ask("replay", "cancel", str(running.id)).stdout
    assert json.loads(ask("replay", "resume", str(running.id), "--json").stdout)["state"] == "done"


def test_a_job_that_is_held_says_why(scene: Scene, customer: Connection, ask: Ask) -> None:
    scene.twin.fault(status=401)
    ended = ask("replay", "--yes", "--json", code=1)
    assert json.loads(ended.stdout)["state"] == "held"
    assert "Replay 1 is held (key_refused" in ended.stderr
    assert "`replay resume 1`" in ended.stderr


def test_an_interrupted_command_leaves_its_job_to_the_worker_at_once(scene: Scene, customer: Connection, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "candu_source", "replay", "--yes"]
    started = subprocess.Popen(command, env=environment(scene, tmp_path, 1), stderr=subprocess.PIPE, text=True)
    scene.twin.wait(requests=1, timeout_seconds=60)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert started.returncode == 130, told
    assert "The worker goes on with replay 1; `replay cancel 1` ends it." in told
    running = scene.store.replays.get(customer.id, 1)
    assert running.state == "running"
    assert scene.play(running).counts == {"changed": 2, "unchanged": 1}


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--since", "yesterday"], "is no time; write"),
        (["--lane", "moon"], "no lane 'moon'"),
        (["--calls", "x"], "--calls goes with --dry-run"),
        (["--dry-run", "--calls", "/nowhere/x"], "/nowhere/x cannot be written"),
        (["--user", "u", "--until", "2w", "--yes"], "nothing of Candu_Prod matches"),
        (["show", "7"], "there is no replay 7"),
    ],
)
def test_what_is_off_is_one_clear_line(customer: Connection, ask: Ask, words: list[str], advice: str) -> None:
    assert advice in ask("replay", *words, code=2).stderr


def test_a_moment_is_a_time_or_so_long_ago() -> None:
    assert [moment(text, 1e6) for text in ("90s", "15m", "2h", "3d", "1w")] == [1e6 - s for s in (90, 900, 7200, 259_200, 604_800)]
    assert moment("1970-01-02", 0) == moment("1970-01-02T01:00:00+01:00", 0) == 86_400
    for text in ("", "h", "-1h", "1.5h", "٣h", "9999999d", "2026-13-01", "tomorrow"):
        with pytest.raises(UsageError):
            moment(text, 1e6)
