"""Commands that limit, switch, delete and remember connections, as a person types them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from candu_source.model import TokenUse
from tests.cli.inside import Inside
from tests.store.shelf import admit, aside


@pytest.fixture(autouse=True)
def _connection(inside: Inside) -> None:
    inside.run("connections", "add", "Candu_Prod", "--write-key", "CANARY", "--environment", "production", "--pending-most", "10")


def test_limits_and_labels_are_set_and_shown(inside: Inside) -> None:
    inside.run("connections", "set", "Candu_Prod", "--requests-per-minute", "600", "--environment", "")
    shown = inside.read("connections", "show", "Candu_Prod")
    assert (shown["requests_per_minute"], shown["pending_most"], shown["environment"]) == (600, 10, "")
    assert (shown["schema"], shown["lanes"]) == ("candu_prod", {"segment": "on"})
    refused = inside.run("connections", "set", "Candu_Prod", "--pending-most", "many", code=2)
    assert refused.stderr.startswith("candu-source: pending_most: 'many' is off")


def test_a_paused_connection_shows_the_quota_left(inside: Inside) -> None:
    connection = inside.store.connections.named("Candu_Prod")
    inside.store.log.append(admit(connection, 1, 2, 3))
    assert "There is room for 7 more." in inside.run("connections", "pause", "Candu_Prod").stdout
    (row,) = inside.read("connections", "list")
    assert (row["state"], row["environment"], row["pending"], row["quota_left"]) == ("paused", "production", 3, 7)
    assert "7" in inside.run("connections", "list").stdout


def test_renaming_takes_the_schema_along_and_a_taken_one_is_refused(inside: Inside) -> None:
    inside.run("connections", "add", "Other", "--write-key", "k")
    refused = inside.run("connections", "set", "Other", "--name", "candu prod", code=2)
    assert "names the warehouse schema candu_prod" in refused.stderr
    assert inside.run("connections", "set", "Other", "--name", "Third").stdout == "Third: changed.\n"
    assert inside.read("connections", "show", "Third")["schema"] == "third"


def test_a_rule_table_is_emptied_by_an_empty_text(inside: Inside) -> None:
    inside.run("connections", "set", "Candu_Prod", "--classify", "a=view", "--classify", "b=filter")
    inside.run("connections", "set", "Candu_Prod", "--classify", "", "--classify", "c=view")
    assert inside.read("connections", "show", "Candu_Prod")["classification"] == {"c": "view"}


def test_a_lane_is_switched(inside: Inside) -> None:
    assert "its events wait" in inside.run("connections", "lane", "Candu_Prod", "segment", "--off").stdout
    assert inside.read("connections", "list")[0]["state"] == "off"
    inside.run("connections", "lane", "Candu_Prod", "--on")
    assert inside.read("connections", "list")[0]["state"] == "delivering"
    assert "it has segment" in inside.run("connections", "lane", "Candu_Prod", "mars", "--on", code=2).stderr


def test_tokens_are_added_listed_and_expired(inside: Inside) -> None:
    made = inside.read("connections", "tokens", "add", "Candu_Prod", "--label", "deploy")
    readback = inside.read("connections", "tokens", "add", "Candu_Prod", "--use", "readback")
    assert readback["readback_url"].endswith(f"/v1/readback/{readback['token']}")
    page = inside.read("connections", "tokens", "add", "Candu_Prod", "--use", "browser")
    assert page["public_token"] in page["script"]
    rows = inside.read("connections", "tokens", "list", "Candu_Prod")
    assert sorted(row["use"] for row in rows) == ["browser", "browser", "readback", "server", "server"]
    assert made["token"] not in json.dumps(rows)
    (labelled,) = [row for row in rows if row["label"] == "deploy"]
    assert made["token"].endswith(labelled["token"].lstrip("…"))
    inside.run("connections", "tokens", "expire", "Candu_Prod", labelled["id"][:16])
    assert inside.store.tokens.owner(made["token"], TokenUse.SERVER) is None
    assert "has no token zz" in inside.run("connections", "tokens", "expire", "Candu_Prod", "zz", code=2).stderr
    assert "at most 100" in inside.run("connections", "tokens", "add", "Candu_Prod", "--label", "x" * 101, code=2).stderr


@pytest.mark.parametrize("use", [TokenUse.SERVER, TokenUse.BROWSER])
def test_tokens_rotate_with_overlap(inside: Inside, use: TokenUse) -> None:
    field, words = ("public_token", ["--public"]) if use is TokenUse.BROWSER else ("token", [])
    first = inside.read("connections", "rotate-token", "Candu_Prod", *words)[field]
    second = inside.read("connections", "rotate-token", "Candu_Prod", "--grace-hours", "1", *words)[field]
    assert inside.store.tokens.owner(first, use) == inside.store.tokens.owner(second, use) is not None
    third = inside.read("connections", "rotate-token", "Candu_Prod", *words)[field]
    inside.store.tokens.forget()
    found = [inside.store.tokens.owner(token, use) is not None for token in (first, second, third)]
    assert found == [False, False, True]


def test_deleting_wants_the_nickname(inside: Inside) -> None:
    inside.store.log.append(admit(inside.store.connections.named("Candu_Prod"), 1, 2))
    asked = inside.run("connections", "delete", "Candu_Prod", stdin="candu_prod\n", code=2)
    assert "2 events wait, and will be delivered no more. Type Candu_Prod to delete it" in asked.stdout
    assert "Candu_Prod is as it was" in asked.stderr
    assert "as it was" in inside.run("connections", "delete", "Candu_Prod", "--confirm", "", code=2).stderr
    inside.run("connections", "delete", "Candu_Prod", stdin="Candu_Prod\n")
    assert inside.read("connections", "list") == []
    assert inside.read("ledger", "--check") == []
    assert inside.store.database.rows("export_chunks", {"connection": "x", "after": 0, "most": 1}) == []


def test_deleting_exports_first_and_the_audit_stays(inside: Inside, tmp_path: Path) -> None:
    connection = inside.store.connections.named("Candu_Prod")
    inside.store.log.append(admit(connection, 1, 2))
    inside.store.log.append(aside(connection, filtered=("3",), rejects=(b"x",)))
    file = tmp_path / "all.ndjson"
    done = inside.run("connections", "delete", "Candu_Prod", "--confirm", "Candu_Prod", "--export", str(file))
    assert done.stdout == f"8 lines in {file}\nCandu_Prod: deleted.\n"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["message_id"] for line in lines if line["kind"] in ("event", "filtered")] == ["m1", "m2", "m3"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "CANARY" not in file.read_text()
    for name in ("Candu_Prod", connection.id):
        rows = inside.read("audit", "--connection", name)
        assert [row["action"] for row in rows] == ["connection.deleted", "connection.added"]
        assert rows[0]["changes"] == {"name": ["Candu_Prod", None], "events": [2, None]}


def test_nothing_is_deleted_when_the_export_cannot_be_written(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    for file in (tmp_path / "there", tmp_path / "no" / "where"):
        done = inside.run("connections", "delete", "Candu_Prod", "--confirm", "Candu_Prod", "--export", str(file), code=2)
        assert "nothing was deleted" in done.stderr
    assert (tmp_path / "there").read_text() == "precious"
    assert len(inside.read("connections", "list")) == 1


def test_the_audit_tells_who_changed_what(inside: Inside) -> None:
    inside.run("connections", "add", "Other", "--write-key", "k")
    inside.run("connections", "set", "Candu_Prod", "--write-key", "CANARY2", "--region", "eu")
    rows = inside.read("audit")
    assert [row["action"] for row in rows] == ["write_key.changed", "connection.changed", "connection.added", "connection.added"]
    assert rows[0]["who"].startswith("command line")
    assert rows[1]["changes"] == {"region": ["us", "eu"]}
    assert "CANARY" not in json.dumps(rows)
    assert [row["name"] for row in inside.read("audit", "-n", "1", "--before", str(rows[2]["id"]))] == ["Candu_Prod"]
    assert {row["name"] for row in inside.read("audit", "-c", "Other")} == {"Other"}
    told = inside.run("audit").stdout
    assert "region: us → eu" in told
    assert "write_key: … → …" in told
    assert "none was deleted" in inside.run("audit", "-c", "Nobody", code=2).stderr
