"""Contents, portals and calls of Candu's REST API at the command line: what a file may say, and how it is said that a row is off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Run, import_lines, read, sample

ROWS = [
    {"contentId": "c1", "slug": "welcome", "name": "Welcome", "portalId": 3},
    {"contentId": "c2", "portalId": "4"},
    {"slug": "banner", "name": "Banner, top"},
]
LISTED: list[dict[str, Any]] = [
    {"contentId": None, "slug": "banner", "name": "Banner, top", "portalId": None},
    {"contentId": "c1", "slug": "welcome", "name": "Welcome", "portalId": 3},
    {"contentId": "c2", "slug": None, "name": None, "portalId": 4},
]
CSV = 'portalId,contentId,name,slug\n3,c1,Welcome,welcome\n4,c2,,\n,,"Banner, top",banner\n\n,,,\n'


@pytest.fixture
def one(run: Run) -> Run:
    """Make one connection."""
    run("connections", "add", "A", "--write-key", "k")
    return run


def told(run: Run, path: Path, text: str, code: int = 0) -> Any:
    """Import a file of contents; return what was printed, or the line of the error."""
    path.write_text(text)
    done = run("contents", "import", str(path), "--json", code=code)
    return done.stderr if code else read(done)


@pytest.mark.parametrize("text", [json.dumps(ROWS), "\ufeff" + json.dumps(ROWS), CSV, "\ufeff" + CSV.replace("\n", "\r\n")])
def test_a_file_is_told_and_listed(one: Run, tmp_path: Path, text: str) -> None:
    assert told(one, tmp_path / "contents", text) == {"imported": 3, "known": 3}
    assert read(one("contents", "list", "--json")) == LISTED
    shown = one("contents", "list").stdout
    assert "Banner, top" in shown
    assert "contentId" in shown
    assert told(one, tmp_path / "contents", text) == {"imported": 3, "known": 3}
    assert read(one("contents", "list", "--json")) == LISTED


def test_what_a_later_file_leaves_out_stays(one: Run, tmp_path: Path) -> None:
    told(one, tmp_path / "a.json", json.dumps(ROWS))
    assert told(one, tmp_path / "b.csv", "contentId,name\nc1,Hello\nc3,Third\n") == {"imported": 2, "known": 4}
    told(one, tmp_path / "c.json", '[{"contentId": "c1", "slug": null}]')
    rows = {row["contentId"]: row for row in read(one("contents", "list", "--json"))}
    assert rows["c1"] == {"contentId": "c1", "slug": "welcome", "name": "Hello", "portalId": 3}
    assert rows["c3"]["name"] == "Third"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: begin with headings, each once, of contentId, slug, name, portalId"),
        ("id,slug\n", "row 1: begin with headings"),
        ("slug,slug\n", "row 1: begin with headings"),
        ("c1,3\n", "row 1: begin with headings"),
        ("contentId,portalId\nc1,3\nc2,x\n", 'row 3: portalId: Not an integer: send 12, 12.0 or "12". (a row has contentId, slug'),
        ("contentId,portalId\nc1,9007199254740993\n", "row 2: portalId: Beyond 2^53."),
        (
            "slug,portalId\nwelcome,3\n",
            "row 2: contentId: Missing: a content is known by its contentId, or by its slug where no portalId is",
        ),
        ("name\nWelcome\n", "row 2: contentId: Missing"),
        ("slug,name\na,b,c\n", "row 2: 3 cells under 2 headings; put quotes around a comma"),
        ('slug\n"a"b\n', "neither JSON nor CSV"),
        ('[{"slug": "a"}, {"slug": 5}]', "row 2: slug: Not a valid string."),
        ('[{"slug": "a", "title": "b"}]', "row 1: title: Unknown field. (a row has contentId, slug, name, portalId)"),
        ('[{"contentId": ""}]', "row 1: contentId: "),
        ('[{"slug": "a\\u0000"}]', "row 1: slug: The text holds a NUL character."),
        ('[{"contentId": "a", "portalId": true}]', "row 1: portalId: Not an integer"),
        ("[5]", "row 1: body: "),
        ('{"slug": "a"}', "write a JSON list of objects with contentId, slug, name, portalId"),
        ('[{"slug": "a",}]', "The JSON breaks at line 1, column 15"),
    ],
)
def test_a_row_that_is_off_is_named_and_nothing_is_told(one: Run, tmp_path: Path, text: str, said: str) -> None:
    line = told(one, tmp_path / "contents", text, code=2)
    assert said in line
    assert line.startswith(f"candu-source: {tmp_path / 'contents'}")
    assert line.count("\n") == 1
    assert read(one("contents", "list", "--json")) == []


def test_a_file_that_is_no_text_is_said_so(one: Run, tmp_path: Path) -> None:
    (tmp_path / "contents").write_bytes(b"\xff\xfe")
    assert "cannot be read as UTF-8 text" in one("contents", "import", str(tmp_path / "contents"), code=2).stderr
    assert "does not exist" in one("contents", "import", "no-such", code=2).stderr


def test_the_empty_state_says_what_to_do(one: Run) -> None:
    assert "contents import FILE" in one("contents", "list").stdout
    one("connections", "add", "B", "--write-key", "k")
    assert "Say which with --connection: A, B." in one("contents", "list", code=2).stderr
    assert read(one("contents", "list", "--connection", "B", "--json")) == []


def test_portals_are_looked_up_in_the_contents(one: Run, tmp_path: Path) -> None:
    one("connections", "set", "A", "--portal", "lookup")
    assert read(one("connections", "show", "A", "--json"))["portal"] == "table of 0"
    told(one, tmp_path / "contents", CSV)
    assert read(one("connections", "show", "A", "--json"))["portal"] == "table of 2"
    table = tmp_path / "portals.csv"
    table.write_text("contentId,portalId\nc1,30\nc9,90\n")
    one("connections", "set", "A", "--portal", str(table))
    assert read(one("connections", "show", "A", "--json"))["portal"] == "table of 3"
    assert read(one("contents", "list", "--json"))[1] == {**LISTED[1], "portalId": 30}
    one("connections", "set", "A", "--portal", "omit")
    assert read(one("connections", "show", "A", "--json"))["portal"] == "omit"
    one("connections", "set", "A", "--portal", "lookup")
    view = sample("webhook/view.json")
    view["payload"]["properties"]["contentId"] = "c9"
    assert import_lines(one, tmp_path / "a.jsonl", view)["accepted"] == 1
    (row,) = read(one("events", "tail", "--json"))
    assert read(one("events", "show", row["message_id"], "--json"))["message"]["properties"]["portalId"] == 90


def test_a_connection_may_begin_with_a_table(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "portals.csv"
    table.write_text("c1,7\n")
    run("connections", "add", "A", "--write-key", "k", "--portal", str(table))
    assert read(run("contents", "list", "--json")) == [{"contentId": "c1", "slug": None, "name": None, "portalId": 7}]
    table.write_text("c1,7\n,8\n")
    assert "row 2: write contentId,portalId" in run("connections", "set", "A", "--portal", str(table), code=2).stderr


@pytest.mark.parametrize("door", ["auto", "rest"])
def test_calls_of_candus_api_are_imported_once(one: Run, tmp_path: Path, door: str) -> None:
    calls = [sample(f"rest/{name}.json") for name in ("identify", "track", "group")]
    nameless = {name: value for name, value in calls[1].items() if name != "messageId"}
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in [*calls, nameless, nameless]))
    totals = read(one("import", str(path), "--door", door, "--json"))
    assert totals == {"lines": 5, "accepted": 4, "duplicates": 1, "filtered": 0, "rejected": 0}
    rows = read(one("events", "tail", "--json"))
    assert [(row["door"], row["type"], row["name"]) for row in rows] == [
        ("rest", "identify", None),
        ("rest", "track", "Upgraded plan"),
        ("rest", "group", None),
        ("rest", "track", "Upgraded plan"),
    ]


@pytest.mark.parametrize("door", ["auto", "amplitude"])
def test_what_amplitude_exports_is_imported_once(one: Run, tmp_path: Path, door: str) -> None:
    lines = [sample(f"amplitude/{name}.json") for name in ("event", "user", "user")]
    path = tmp_path / "export.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    totals = read(one("import", str(path), "--door", door, "--json"))
    assert totals == {"lines": 3, "accepted": 2, "duplicates": 1, "filtered": 0, "rejected": 0}
    rows = read(one("events", "tail", "--json"))
    assert [(row["door"], row["type"], row["name"]) for row in rows] == [
        ("amplitude", "track", "Upgraded plan"),
        ("amplitude", "identify", None),
    ]


def test_refused_and_filtered_calls_are_replayed_through_their_door(one: Run, tmp_path: Path) -> None:
    one("connections", "set", "A", "--anonymous", "filter")
    refused = {"type": "track", "userId": "u", "event": ""}
    nobodys = {"type": "group", "groupId": "g", "anonymousId": "a", "traits": {}}
    assert import_lines(one, tmp_path / "a.jsonl", refused, nobodys)["filtered"] == 1
    assert read(one("rejects", "list", "--json"))[0]["door"] == "rest"
    assert read(one("rejects", "replay", "--json")) == {"accepted": 0, "still_refused": 1}
    one("connections", "set", "A", "--anonymous", "send")
    assert read(one("filtered", "replay", "--json")) == {"accepted": 1, "still_filtered": 0}
    assert [(row["type"], row["user"]) for row in read(one("events", "tail", "--json"))] == [("group", "a")]
