"""The commands on integrations: each works on the shipped one and on a file, and says what is off in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from candu_source.cli import commands
from candu_source.settings import Settings
from tests.integrations.drafts import events, file

_EVENTS = "samples/amplitude/event.json"


def run(*words: str, stdin: str = "") -> Result:
    """Run a command on integrations in this process, on no store that there is."""
    return CliRunner().invoke(commands, ["integrations", *words], input=stdin, obj=Settings(store_url="sqlite:////nowhere/store.db"))


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., Result]:
    """Run commands on a store of its own."""
    settings = Settings(store_url=f"sqlite:///{tmp_path / 'store.db'}", min_free_mb=0)
    return lambda *words, stdin="": CliRunner().invoke(commands, ["integrations", *words], input=stdin, obj=settings)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Return a file whose body has a comma too many."""
    place = tmp_path / "acme.json"
    place.write_bytes(file(events=events(body='{"id": "${mappedFields.id?json_string}",\n}')))
    return str(place)


def test_what_is_shipped_is_listed_and_shown(kept: Callable[..., Result]) -> None:
    rows = json.loads(kept("list", "--json").stdout)
    assert [(row["integration"], row["display_name"], row["state"]) for row in rows] == [
        ("candu", "Candu - Event Stream", "released"),
        ("candu-api", "Candu", "released"),
    ]
    shown = json.loads(run("show", "candu", "--json").stdout)
    assert [each["name"] for each in shown["parameters"]] == ["apiKey", "endpoint"]
    assert "Candu - Event Stream" in run("show", "candu").stdout


def test_a_new_file_is_a_draft_and_is_not_written_over(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    assert run("new", str(place)).exit_code == 0
    assert json.loads(run("show", str(place), "--json").stdout)["state"] == "draft"
    again = run("new", str(place))
    assert again.exit_code == 2
    assert "cannot be written: File exists" in again.stderr


def test_a_check_shows_the_table_of_parameters_and_what_is_in_the_way(broken: str, tmp_path: Path) -> None:
    fine = run("check", "candu")
    assert fine.exit_code == 0
    assert "Nothing is in the way." in fine.stdout
    by_code = json.loads(run("check", "candu-api", "--json").stdout)
    assert by_code["flaws"] == []
    assert by_code["parameters"][0] == {"parameter": "apiKey", "declared": True, "used": ["code"]}
    place = tmp_path / "off.json"
    place.write_bytes(file(events=events(body="${mappedFields.id}\n  ${oops")))
    off = run("check", str(place))
    assert off.exit_code == 1
    assert "events.body, line 2" in off.stdout
    assert json.loads(run("check", str(place), "--json").stdout)["flaws"][0]["line"] == 2
    assert run("check", broken).exit_code == 0


def test_a_preview_shows_the_request_of_an_event(broken: str) -> None:
    shown = run("preview", "candu", "--event", _EVENTS, "-p", "apiKey=k", "-f", "userId=ann", "--property", "plan=pro", "--json")
    assert shown.exit_code == 0
    request = json.loads(shown.stdout)
    assert request["url"] == "https://api.candu.ai/api/eventWebhook"
    assert json.loads(request["body"])["properties"] == {"plan": "pro"}
    assert run("curl", "candu").stdout.startswith("curl --verbose --request POST")
    assert run("curl", broken).exit_code == 1
    assert '"type": "identify"' in run("preview", "candu", "--users").stdout
    off = run("preview", broken)
    assert off.exit_code == 1
    assert "take away the one at the end of line 1" in off.stderr


def test_numbers_of_an_event_keep_their_digits(tmp_path: Path) -> None:
    tile, event = tmp_path / "exact.json", tmp_path / "event.json"
    tile.write_bytes(file(events=events(body='["${mappedFields.id}", ${input.location_lat?c}]')))
    event.write_text('{"event_type": "x", "location_lat": 123456789012345.678901}')
    assert json.loads(run("preview", str(tile), "--event", str(event), "--json").stdout)["body"] == '["some id", 123456789012345.678901]'


def test_a_proof_says_what_fails(broken: str) -> None:
    fine = run("prove", "candu")
    assert fine.exit_code == 0
    assert "events: always renders" in fine.stdout
    off = run("prove", broken)
    assert off.exit_code == 1
    assert "events: fails where nothing is unusual" in off.stdout
    assert json.loads(run("prove", broken, "--json").stdout)["events"]["holds"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("preview", "candu", "--event", "nowhere.json"), "nowhere.json cannot be read"),
        (("preview", "candu", "--event", "pyproject.toml"), "pyproject.toml is no JSON"),
        (("preview", "candu", "-p", "apiKey"), "'apiKey' has no value"),
        (("preview", "samples/amplitude/chat.toml", "--users"), "has no payload for users"),
        (("preview", "candu-api"), "written by code"),
        (("curl", "candu-api"), "written by code"),
        (("prove", "candu-api"), "written by code"),
    ],
)
def test_what_is_off_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    refused = run(*words)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_what_does_not_render_is_an_error_with_its_place() -> None:
    refused = run("preview", "candu", "-p", "endpoint=nothing")
    assert refused.exit_code == 1
    assert "the URL renders as" in refused.stderr


def test_a_file_goes_into_the_catalog(kept: Callable[..., Result], tmp_path: Path, broken: str) -> None:
    off = kept("submit", broken)
    assert off.exit_code == 2
    assert "take away the one at the end of line 1" in off.stderr
    assert json.loads(kept("show", "acme", "--json").stdout)["state"] == "draft"  # it is kept, to be mended
    fine = tmp_path / "Acme.toml"
    assert run("new", str(fine)).exit_code == 0
    assert "acme: submitted" in kept("submit", str(fine)).stdout
    assert "no integration 'other'" in kept("release", "other").stderr
    assert "acme: released. 0 syncs use it" in kept("release", "acme").stdout
    row = json.loads(kept("list", "--json").stdout)[-1]
    assert (row["integration"], row["state"], row["shipped"], row["syncs"]) == ("acme", "released", False, 0)
    assert row["released_at"]
    for words in (("check", "acme"), ("prove", "acme"), ("preview", "acme"), ("curl", "acme")):
        assert kept(*words).exit_code == 0
    assert "is released as it is" in kept("submit", "acme").stderr
    assert "acme-2: submitted" in kept("submit", str(fine), "--name", "acme-2").stdout


def test_what_is_removed_is_asked_for_first(kept: Callable[..., Result], broken: str) -> None:
    kept("submit", broken)
    assert kept("remove", "acme", stdin="n\n").exit_code == 1
    assert kept("remove", "acme", stdin="y\n").exit_code == 0
    assert "no integration 'acme'" in kept("show", "acme").stderr
    assert "candu is shipped" in kept("remove", "candu", "--yes").stderr
