"""The newcomer's way on the command line, with a real service: connect a workspace, have it send back, see a test event confirmed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from candu_source.twin import Twin
from candu_source.twin.public_api import TOKEN
from tests.acceptance.service import Service


def test_from_a_token_to_a_confirmed_event(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path, segment_us_url=twin.url, segment_us_api_url=f"{twin.url}/public-api") as service:
        service.serve()
        told = json.loads(connect(service, "Candu_Prod", "--readback").stdout)
        assert told["source_made"]
        twin.readback(told["readback_url"])
        arrival = service.read("connections", "test", "Candu_Prod", "--wait", "60")
        assert (arrival["state"], arrival["causes"]) == ("confirmed", [])
        (call,) = twin.messages(status="stored")
        assert (call["messageId"], call["message"]["event"]) == (arrival["message_id"], "candu-source test")
        assert service.read("connections", "health", "Candu_Prod")["state"] == "healthy"

        again = connect(service, "Candu_Prod", code=2)
        assert "connections show" in again.stderr
        assert "Public API token" in connect(service, "Other", token="wrong", code=2).stderr

        unheard = service.ask("connections", "test", silent(service, twin), "--wait", "0.5", "--json")
        assert unheard.returncode == 1
        assert json.loads(unheard.stdout)["state"] in ("pending", "accepted")

        service.connect("Candu_Plain", "key-plain", twin.url)
        assert service.read("connections", "test", "Candu_Plain")["state"] == "accepted"
        service.do("connections", "pause", "Candu_Plain")
        waiting = service.ask("connections", "test", "Candu_Plain", "--wait", "0", "--json")
        assert (waiting.returncode, json.loads(waiting.stdout)["detail"]) == (1, "paused")
        assert service.stop() == 0
        written = b"".join(file.read_bytes() for file in [service.log, *service.store.parent.iterdir()] if file.is_file())
        assert TOKEN.encode() not in written
        assert told["readback_url"].rpartition("/")[2].encode() not in written


def silent(service: Service, twin: Twin) -> str:
    """Make a connection whose readback address nobody posts to, and return its name."""
    told = json.loads(connect(service, "Candu_Silent", "--readback").stdout)
    twin.readback("http://127.0.0.1:9/nowhere")
    return str(told["name"])


def connect(service: Service, name: str, *options: str, token: str = TOKEN, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Connect a workspace with a token from standard input, and no test event."""
    words = [sys.executable, "-m", "candu_source", "connect", name, "--token", "-", "--no-test", "--json", *options]
    done = subprocess.run(words, input=token + "\n", env=service.environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert token not in done.stdout + done.stderr
    return done
