"""Every page and its JSON, with nothing and with much behind it, and hostile words on all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis

from candu_source.console import ACTIONS, FILES, PAGES
from candu_source.console.desk import Form
from candu_source.console.words import ago, commands, share, span
from candu_source.errors import UsageError
from candu_source.model import Connection, Role
from tests.console.furnish import FORMULA, HOSTILE, furnish, settle_down
from tests.console.site import Site, Visitor, open_site

_SIMPLE = [page.path for page in PAGES if "{id}" not in page.path and "path:" not in page.path]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Connection, Visitor]]:
    """Open one site with a connection that has something of everything."""
    site = open_site(tmp_path_factory.mktemp("pages"))
    connection = furnish(site)
    settle_down(site)
    yield site, connection, site.person()
    site.store.close()


@pytest.mark.parametrize("path", _SIMPLE)
def test_a_page_with_everything_escapes_what_is_hostile(furnished: tuple[Site, Connection, Visitor], path: str) -> None:
    _, connection, visitor = furnished
    answer = visitor.get("/console/" + path.replace("{connection}", connection.id))
    assert answer.status_code == 200, answer.text
    assert HOSTILE not in answer.text
    assert "<script>" not in answer.text
    assert "onclick" not in answer.text


@pytest.mark.parametrize("path", _SIMPLE)
def test_a_page_and_its_json_say_the_same(furnished: tuple[Site, Connection, Visitor], path: str) -> None:
    site, connection, visitor = furnished
    answer = visitor.get("/v1/admin/" + path.replace("{connection}", connection.name))
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    assert json.loads(answer.data)
    assert site.visitor().get("/v1/admin/" + path.replace("{connection}", connection.id)).status_code == 401


@pytest.mark.parametrize("path", _SIMPLE)
def test_a_page_with_nothing_says_so(site: Site, path: str) -> None:
    connection = site.connection()
    answer = site.person().get("/console/" + path.replace("{connection}", connection.id))
    assert answer.status_code == 200, answer.text


def test_what_is_on_the_pages_is_what_there_is(furnished: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = furnished
    base = f"/v1/admin/connections/{connection.id}/"

    def read(path: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(visitor.get(base + path).data)
        return found

    delivery = read("delivery")
    lane = next(each for each in json.loads(json.dumps(delivery["lanes"])) if each["destination"] == "segment")
    assert (lane["delivered"], lane["dead_events"], lane["confirmed"]) == (84, 12, 72)
    assert lane["failures"] == 1
    assert [group["events"] for group in read("dead")["groups"]] == [12]  # type: ignore[attr-defined]
    assert {group["code"] for group in read("rejects")["groups"]} == {"invalid"}  # type: ignore[attr-defined]
    assert {group["reason"] for group in read("filtered")["groups"]} == {"unknown_event", "custom_event"}  # type: ignore[attr-defined]
    assert len(read("events?user=user-1842")["events"]) == 20  # type: ignore[arg-type]
    assert {each["cause"] for each in json.loads(visitor.get("/v1/admin/notices").data)["open"]} >= {"shape_changed"}


def test_one_event_is_shown_with_its_whole_life(furnished: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = furnished
    found = json.loads(visitor.get(f"/v1/admin/connections/{connection.id}/events?state=dead").data)["events"]
    dead = json.loads(visitor.get(f"/v1/admin/connections/{connection.id}/events/{found[0]['message_id']}").data)
    tries = {each["destination"]: (each["status"], each["decision"]) for each in dead["attempts"]}
    assert tries == {"segment": (400, "bury"), "warehouse": (None, "advance")}
    pairs = {each["path"]: each["origin"] for each in dead["origins"]}
    assert pairs["properties.tutorialId"] == "payload.properties.documentId"
    assert pairs["context.integration.name"] is None
    page = visitor.get(f"/console/connections/{connection.id}/events/{found[0]['message_id']}")
    assert page.status_code == 200
    assert page.text.count("POST http://127.0.0.1:9/v1/batch") == 1
    assert HOSTILE not in page.text


@pytest.mark.parametrize("file", [file.path for file in FILES if "{id}" not in file.path])
def test_files_hold_no_formulas(furnished: tuple[Site, Connection, Visitor], file: str) -> None:
    _, connection, visitor = furnished
    with visitor.get("/console/" + file.replace("{connection}", connection.id)) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        if answer.mimetype == "text/csv":
            cells = [cell.strip('"') for line in answer.get_data(as_text=True).splitlines() for cell in line.split(",")]
            assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_a_user_id_that_is_a_formula_is_text_in_the_file(furnished: tuple[Site, Connection, Visitor]) -> None:
    _, connection, visitor = furnished
    text = visitor.get(f"/console/connections/{connection.id}/events.csv").text
    assert "'" + FORMULA.replace('"', '""') in text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("connections/{c}/events?since=yesterday", "since"),
        ("connections/{c}/events?state=lost", "state"),
        ("connections/{c}/events?before=x", ""),
        ("connections/{c}/delivery?period=FOREVER", "period"),
        ("connections/{c}/audit?before=x", "before"),
        ("connections/{c}/rejects/999", "reject"),
        ("connections/{c}/rejects/x", ""),
        ("connections/{c}/shapes/x", ""),
        ("connections/{c}/replays/999", "replay"),
        ("connections/{c}/events/nobody", "event"),
        ("connections/nobody/events", "connection"),
        ("nowhere", ""),
    ],
)
def test_what_is_off_is_named_and_never_breaks(furnished: tuple[Site, Connection, Visitor], path: str, said: str) -> None:
    site, connection, visitor = furnished
    for base in ("/console/", "/v1/admin/"):
        answer = visitor.get(base + path.replace("{c}", connection.id))
        assert answer.status_code in (404, 422), answer.text
        assert said in answer.text.lower()
    assert "console.failed" not in site.log.getvalue()


def test_the_json_is_described_address_by_address(furnished: tuple[Site, Connection, Visitor]) -> None:
    site, _, _ = furnished
    document = json.loads(site.visitor().get("/v1/admin/openapi.json").data)
    described = {(method, path) for path, item in document["paths"].items() for method in item if method != "parameters"}
    bare = [each.replace("{path:", "{") for each in ("connections/{connection}/events/{path:id}", "", "people")]
    assert {("get", f"/v1/admin/{path}") for path in bare} <= described
    assert len(described) == len(PAGES) + len(ACTIONS) + len(FILES)
    assert all(item[method]["summary"].endswith(".") for item in document["paths"].values() for method in item if method != "parameters")
    loaded = schemathesis.openapi.from_dict(document)
    assert sum(1 for _ in loaded.get_all_operations()) == len(described)


def test_a_word_of_a_closed_set_is_read_in_any_case_and_the_set_is_told() -> None:
    assert [Form({"role": text}).one_of("role", Role) for text in ("owner", " Viewer ")] == [Role.OWNER, Role.VIEWER]
    assert Form({}).one_of("role", Role, Role.VIEWER) is Role.VIEWER
    for given in ({}, {"role": "chief"}, {"role": ""}):
        with pytest.raises(UsageError, match="role: one of owner, viewer"):
            Form(given).one_of("role", Role)


def test_commands_are_shown_as_such_and_nothing_in_them_runs() -> None:
    assert commands("<b> `a <i>` c") == "&lt;b&gt; <code>a &lt;i&gt;</code> c"
    assert commands("one ` alone") == "one <code> alone</code>"


def test_numbers_are_said_as_people_read_them() -> None:
    assert [span(each) for each in (0.0123, 0.9999, 1, 9.96, 59.4, 61, 3600, 90_000, 40 * 86_400)] == [
        "12 ms",
        "1 s",
        "1 s",
        "10 s",
        "59 s",
        "1 min 1 s",
        "1 h",
        "1 d 1 h",
        "40 d",
    ]
    assert (ago(None, 10), ago(10, 10), ago(4, 10), ago(20, 10)) == ("never", "now", "6 s ago", "in 10 s")
    assert (share(None), share(1), share(0.99999), share(0.5)) == ("–", "100 %", "> 99.9 %", "50 %")


def test_the_pages_ask_nobody_else(tmp_path: Path) -> None:
    site = open_site(tmp_path)
    page = site.person().get("/console/").text
    site.store.close()
    assert "http://" not in page.replace(site.settings.base_url(), "")
    assert "https://" not in page
