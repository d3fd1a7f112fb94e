"""The command line as a person types it, on a real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Run, import_lines, read, sample


def test_a_connection_from_beginning_to_end(typed: Run) -> None:
    made = read(typed("connections", "add", "Candu_Prod", "--write-key", "-", "--json", stdin="CANARY\n"))
    assert list(made) == ["id", "name", "token", "webhook_url", "interactions_url", "amplitude_url", "public_token", "script"]
    assert made["script"] == f'<script async src="http://127.0.0.1:8080/v1/collector.js" data-token="{made["public_token"]}"></script>'
    assert made["webhook_url"] == f"http://127.0.0.1:8080/v1/webhook/{made['token']}"
    (listed,) = read(typed("connections", "list", "--json"))
    assert (listed["name"], listed["state"], listed["accepted"]) == ("Candu_Prod", "delivering", 0)
    typed("connections", "pause", "Candu_Prod")
    assert read(typed("connections", "show", "Candu_Prod", "--json"))["state"] == "paused"
    typed("connections", "resume", "Candu_Prod")
    rotated = read(typed("connections", "rotate-token", "Candu_Prod", "--json"))
    assert rotated["token"] != made["token"]
    shown = typed("connections", "show", made["id"]).stdout
    assert "delivering" in shown
    assert "CANARY" not in shown


def test_rules_are_set_and_shown(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "portals.csv"
    table.write_text("contentId,portalId\nabc,7\n")
    run("connections", "add", "A", "--write-key", "k", "--region", "eu", "--portal", "12")
    run(
        "connections",
        "set",
        "A",
        "--classify",
        "candu.sdk.x=view",
        "--anonymous",
        "filter",
        "--portal",
        str(table),
        "--integration",
        "Braze=off",
    )
    shown = read(run("connections", "show", "A", "--json"))
    assert shown["classification"] == {"candu.sdk.x": "view"}
    assert (shown["anonymous"], shown["portal"], shown["segment"]) == ("filter", "table of 1", "https://events.eu1.segmentapis.com")
    assert shown["integrations"] == {"Candu": False, "Braze": False}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["connections", "show", "Nobody"], "there is no connection 'Nobody'"),
        (["connections", "add", "A", "--write-key", "a b"], "a write key is one word"),
        (["connections", "add", "", "--write-key", "k"], "1 to 100 printable characters"),
        (["connections", "add", "A", "--write-key", "k", "--segment-host", "ftp://x"], "segment_host: write a base address"),
        (["connections", "add", "A", "--write-key", "k", "--classify", "x"], "write NAME=view|interaction|filter"),
        (["connections", "add", "A", "--write-key", "k", "--portal", "no-such.csv"], "not a readable CSV file"),
        (["connections", "add", "A", "--write-key", "k", "--region", "mars"], "'mars' is not one of 'us', 'eu'"),
        (["events", "tail"], "There is no connection yet"),
        (["import", "no-such.jsonl"], "does not exist"),
        (["nonsense"], "No such command"),
    ],
)
def test_what_is_off_is_one_clear_line_and_exit_code_2(run: Run, words: list[str], said: str) -> None:
    assert said in run(*words, code=2).stderr


def test_a_name_is_taken_once(run: Run) -> None:
    run("connections", "add", "A", "--write-key", "k")
    assert "a connection named 'A' exists" in run("connections", "add", "A", "--write-key", "k", code=2).stderr


def test_an_unknown_setting_is_refused_at_start(typed: Run) -> None:
    assert (
        typed("ledger", code=2, CANDU_SOURCE_TYPO="1").stderr
        == "candu-source: CANDU_SOURCE_TYPO is not a setting; `candu-source settings` lists them all\n"
    )


def test_history_is_imported_once(run: Run, tmp_path: Path) -> None:
    run("connections", "add", "A", "--write-key", "k")
    view, call = sample("webhook/view.json"), sample("interactions/view.json")
    nameless = {name: value for name, value in call.items() if name != "messageId"}
    file = tmp_path / "history.jsonl"
    first = import_lines(run, file, view, call, nameless, sample("webhook/unknown-event.json"), sample("interactions/refused.json"))
    assert first == {"lines": 5, "accepted": 3, "duplicates": 0, "filtered": 1, "rejected": 1}
    assert read(run("import", str(file), "--json"))["lines"] == 0
    grown = [
        view,
        call,
        nameless,
        sample("webhook/unknown-event.json"),
        sample("interactions/refused.json"),
        sample("webhook/interaction.json"),
    ]
    assert import_lines(run, file, *grown) == {"lines": 1, "accepted": 1, "duplicates": 0, "filtered": 0, "rejected": 0}
    assert import_lines(run, file, nameless, view)["duplicates"] == 2
    assert "100%" in run("import", str(file)).stderr


def test_an_event_tells_its_life(run: Run, tmp_path: Path) -> None:
    run("connections", "add", "A", "--write-key", "k")
    import_lines(run, tmp_path / "a.jsonl", sample("webhook/interaction.json"))
    (row,) = read(run("events", "tail", "--json"))
    assert (row["type"], row["name"], row["state"]) == ("track", "tutorial.interaction", "pending")
    life = read(run("events", "show", row["message_id"], "--json"))
    assert life["raw"] == sample("webhook/interaction.json")
    assert life["message"]["properties"]["tutorialId"] == 48213
    assert life["attempts"] == []
    assert "Import your data" in run("events", "show", row["message_id"]).stdout
    assert "there is no event 'x'" in run("events", "show", "x", code=2).stderr


def test_filtered_events_go_on_once_the_table_knows_them(run: Run, tmp_path: Path) -> None:
    run("connections", "add", "A", "--write-key", "k")
    import_lines(run, tmp_path / "a.jsonl", sample("webhook/unknown-event.json"), sample("webhook/custom-event.json"))
    rows = {row["name"]: row for row in read(run("filtered", "list", "--json"))}
    way = rows["candu.sdk.checklist.completed"]["let_through"]
    assert way == "connections set A --classify candu.sdk.checklist.completed=interaction"
    run(*way.split())
    assert read(run("filtered", "replay", "--json")) == {"accepted": 1, "still_filtered": 1}
    run(*rows["Onboarding Finished"]["let_through"].split())
    assert read(run("filtered", "replay", "--json")) == {"accepted": 1, "still_filtered": 0}
    (tally,) = read(run("ledger", "--check", "--json"))
    assert (tally["accepted"], tally["filtered"], tally["pending"], tally["holds"]) == (2, 0, 2, True)


def test_rejects_are_shown_and_replayed(typed: Run, tmp_path: Path) -> None:
    typed("connections", "add", "A", "--write-key", "k")
    import_lines(typed, tmp_path / "a.jsonl", sample("interactions/refused.json"))
    (row,) = read(typed("rejects", "list", "--json"))
    assert set(row["errors"]) == {"properties.tutorialId", "properties.portalId"}
    assert read(typed("rejects", "show", str(row["id"]), "--json"))["raw"] == sample("interactions/refused.json")
    assert read(typed("rejects", "replay", "--json")) == {"accepted": 0, "still_refused": 1}
    assert read(typed("rejects", "list", "--json"))[0]["times"] == 1
    assert "there is no reject 99" in typed("rejects", "show", "99", code=2).stderr


def test_empty_states_say_what_to_do(run: Run) -> None:
    assert "connections add NAME" in run("connections", "list").stdout
    assert "nothing to prove" in run("ledger").stdout
    run("connections", "add", "A", "--write-key", "k")
    assert "No dead letters." in run("dead", "list").stdout
    assert "No rejects." in run("rejects", "list").stdout
    assert "No filtered events." in run("filtered", "list").stdout
    assert "No event yet" in run("events", "tail").stdout
    assert "Aborted" in run("dead", "replay", stdin="n\n", code=1).stderr
    assert "0 dead letters" in run("dead", "replay", "--yes").stdout


def test_doctor_finds_what_is_wrong_and_says_what_to_do(run: Run, tmp_path: Path) -> None:
    run("connections", "add", "A", "--write-key", "k")
    assert all(finding["ok"] for finding in read(run("doctor", "--offline", "--json")))
    (tmp_path / "store.db.key").unlink()
    findings = {finding["check"]: finding for finding in read(run("doctor", "--offline", "--json", code=1))}
    assert not findings["keys"]["ok"]
    assert "CANDU_SOURCE_SECRET_KEY" in findings["keys"]["advice"]


def test_a_file_that_is_not_a_store_is_said_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database" * 100)
    assert "file is not a database" in run("ledger", code=1).stderr


@pytest.mark.parametrize("words", [["--help"], ["connections", "add", "--help"], ["settings"], ["openapi"], ["--version"]])
def test_the_commands_explain_themselves(run: Run, words: list[str]) -> None:
    assert run(*words).stdout.strip()


def test_what_somebody_sent_cannot_command_a_terminal(run: Run, tmp_path: Path) -> None:
    run("connections", "add", "Candu_Prod", "--write-key", "k")
    hostile = {**sample("interactions/interaction.json"), "userId": "\x1b]0;owned\x07\x1b[2J\u202e"}
    import_lines(run, tmp_path / "hostile.jsonl", hostile)
    shown = run("events", "tail").stdout
    assert "]0;owned" in shown
    assert not set("\x1b\x07\u202e") & set(shown)
    assert read(run("events", "tail", "--json"))[0]["user"] == hostile["userId"]
