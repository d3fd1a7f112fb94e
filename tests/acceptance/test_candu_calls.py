"""The curl lines of Candu's own page, run as they stand there: another host and another key, and the calls are at Segment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from candu_source.twin import Twin
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

SAMPLES = Path(__file__).parents[2] / "samples" / "rest"
CANDU = "https://api.candu.ai"
KEYS = ("[YOUR_API_KEY]", "TestApiKey")  # as the page writes them

River = tuple[Service, Twin]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin; each test has its own connection and key."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("candu-calls")) as service:
        yield service.serve(), twin


def run_line(name: str, service: Service, authorization: str) -> Any:
    """Run a sample's curl line through bash with only host and key changed, and return the JSON that it prints."""
    line = (SAMPLES / f"{name}.sh").read_text("utf-8")
    assert line.count(CANDU) == 1
    [key] = [key for key in KEYS if f"Authorization: Bearer {key}" in line]
    line = line.replace(CANDU, service.url).replace(f"Authorization: Bearer {key}", f"Authorization: {authorization}")
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def delivered(twin: Twin, key: str, calls: int) -> dict[str, dict[str, Any]]:
    """Wait for so many calls of a key at the twin and return them by type."""
    until(lambda: len(twin.ids(key)) >= calls, f"{calls} calls at the twin")
    calls_there = [kept["message"] for kept in twin.messages(key=key)]
    assert len(calls_there) == calls
    return {call["type"]: call for call in calls_there}


def test_the_lines_of_the_page_reach_segment(river: River) -> None:
    service, twin = river
    door: Door = service.connect("Candu_Page", "page", twin.url)
    bearer = f"Bearer {door.token}"
    assert run_line("content-metadata", service, bearer) == []
    for name in ("identify", "track"):
        assert run_line(name, service, bearer) == {"success": True}
    calls = delivered(twin, "page", 2)
    identify, track = calls["identify"], calls["track"]
    assert identify["traits"] == {"email": "[email protected]", "location": "New York", "isAdmin": True}
    assert (track["event"], track["properties"]) == ("Upgraded plan", {"amountPaidInUSD": 30, "newPlan": "Business+"})
    for call, when in ((identify, "2021-11-01T15:58:02"), (track, "2022-01-20T11:21:02")):
        assert call["userId"] == "[USER_ID]"
        assert call["timestamp"].startswith(when)
        assert call["context"]["integration"] == {"name": "candu", "version": "1.0.0"}
        assert call["integrations"] == {"Candu": False}
        assert call["messageId"].startswith(f"candu:{door.id}:")


def test_contents_that_were_told_are_listed(river: River, tmp_path: Path) -> None:
    service, twin = river
    door = service.connect("Candu_Contents", "contents", twin.url)
    file = tmp_path / "contents.csv"
    file.write_text("contentId,slug,name\nc1,welcome,Welcome page\nc2,banner,\n")
    service.do("contents", "import", str(file), "--connection", door.name)
    listed = run_line("content-metadata", service, f"Bearer {door.token}")
    assert listed == [{"name": "banner", "slug": "banner"}, {"name": "Welcome page", "slug": "welcome"}]


def test_another_key_is_a_strangers(river: River) -> None:
    service, twin = river
    service.connect("Candu_Stranger", "stranger", twin.url)
    for name in ("identify", "content-metadata"):
        assert run_line(name, service, "Bearer TestApiKey")["status"] == 401
    assert twin.ids("stranger") == []


def test_the_lines_of_our_own_page_work_when_pasted(river: River) -> None:
    service, twin = river
    door = service.connect("Candu_Docs", "docs", twin.url)
    page = SAMPLES.parents[1] / "docs" / "rest.md"
    setting, *lines = re.findall(r"^```sh\n(.+?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert setting.startswith("export BASE=")
    variables = {**os.environ, "BASE": service.url, "TOKEN": door.token}
    said = [
        json.loads(
            subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=True, env=variables, cwd=page.parents[1]).stdout
        )
        for line in lines
    ]
    assert said == [{"success": True}, {"success": True}, {"success": True}, []]
    until(lambda: len(twin.ids("docs")) == 5, "5 calls at the twin")


def test_what_amplitude_posts_reaches_segment_and_is_an_echo_when_it_comes_round(river: River) -> None:
    service, twin = river
    door = service.connect("Candu_Amplitude", "amplitude", twin.url)
    agent = {"Content-Type": "application/json", "User-Agent": "Amplitude/Webhook/1.0"}
    bearer = {"Authorization": f"Bearer {door.token}"}
    event, user = ((SAMPLES.parent / "amplitude" / f"{name}.json").read_bytes() for name in ("event", "user"))
    assert requests.post(door.amplitude_url, data=event, headers=agent, timeout=30).status_code == 202
    assert requests.post(f"{service.url}/v1/amplitude", data=user, headers=agent | bearer, timeout=30).status_code == 202
    calls = delivered(twin, "amplitude", 2)
    assert calls["track"]["properties"] == json.loads(event)["event_properties"]
    assert calls["identify"]["traits"] == json.loads(user)["user_properties"]
    back = {"type": "track", "userId": "u", "event": "Upgraded plan", "messageId": calls["track"]["messageId"]}
    assert requests.post(f"{service.url}/api/eventWebhook", json=back, headers=bearer, timeout=30).json() == {"success": True}
    [kept] = service.read("filtered", "list", "--connection", door.name)
    assert (kept["name"], kept["reason"]) == ("Upgraded plan", "echo")
    assert len(twin.ids("amplitude")) == 2
