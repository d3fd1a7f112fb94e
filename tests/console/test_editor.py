"""The integration editor without a browser: what is written, what it would send, what is wrong and where, and how it is released."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from candu_source.console.desk import Form
from candu_source.console.editing import rewritten, written
from candu_source.integrations.catalog import shipped
from candu_source.integrations.reading import read
from candu_source.integrations.tile import State
from candu_source.model import Role
from candu_source.streaming import Streaming
from tests.console.furnish import HOSTILE
from tests.console.guide import TRAILING
from tests.console.site import Site, Visitor, open_site

_PAGE = "/console/integrations/acme"
# A PNG of one pixel.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_FORM: dict[str, Any] = {
    "display_name": "Acme",
    "category": "marketing",
    "summary": "Send events to Acme.",
    "description": "Events,\r\nas they come.",
    "parameter_name": ["endpoint", "apiKey", ""],
    "parameter_display_name": ["REST API Endpoint", "REST API Key", ""],
    "parameter_secret": ["plain", "secret", "plain"],
    "parameter_default": ["https://localhost:3000", "", ""],
    "parameter_test": ["", "tested", ""],
    "mapping_name": ["external_id"],
    "mapping_required": ["required"],
    "mapping_default": ["user_id"],
    "events": "on",
    "events_method": "PUT",
    "events_url": "${parameters.endpoint}/track",
    "events_header": ["Authorization", ""],
    "events_header_value": ["Key ${parameters.apiKey}", ""],
    "events_body": '{\n  "id": "${mappedFields.external_id?json_string}",\n  "name": "${input.event_type?json_string}"\n}\n',
    "property_selection": "on",
    "requests_per_minute": "600",
    "body_bytes": "20000",
}


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Visitor]]:
    """Open one site, and sign its owner in."""
    site = open_site(tmp_path_factory.mktemp("editor"))
    yield site, site.person()
    site.store.close()


@pytest.fixture
def begun(signed_in: tuple[Site, Visitor]) -> Iterator[tuple[Site, Visitor]]:
    """Begin the integration acme; afterwards nothing is left."""
    site, visitor = signed_in
    answer = visitor.post("/console/integrations", "/console/people", name="acme")
    assert (answer.status_code, answer.location) == (303, _PAGE), answer.text
    yield signed_in
    for stream in site.store.streams.all():
        site.store.streams.remove(site.store.connections.named(stream.connection), stream, by="test")
    for kept in site.store.integrations.all():
        site.store.integrations.remove(kept.name, by="test")


def _post(visitor: Visitor, action: str, **fields: Any) -> Any:
    return visitor.post(f"{_PAGE}/{action}", "/console/people", **fields)


def _said(visitor: Visitor, action: str, site: Site, **fields: Any) -> dict[str, Any]:
    """Return what an action answers a program; its form is the same."""
    answer = visitor.client.post(
        f"/v1/admin/integrations/acme/{action}", json=fields, headers=site.program(name=f"{action}-{len(site.store.admin_tokens.all())}")
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_a_form_becomes_the_file_that_it_describes() -> None:
    found = read(written(Form(_FORM)), "acme")
    assert (found.info.description, [each.name for each in found.parameters]) == ("Events,\nas they come.", ["endpoint", "apiKey"])
    assert (found.parameters[1].secret, found.mappings[0].required, found.users) == (True, True, None)
    assert found.events is not None
    assert (found.events.method, dict(found.events.headers)) == ("PUT", {"Authorization": "Key ${parameters.apiKey}"})
    assert (found.requests_per_minute, found.body_bytes, found.property_selection) == (600, 20_000, True)


@pytest.mark.parametrize("body", [HOSTILE, "\n\n  \"'''\\ \t\x01\u2028 ü 😀\n", '"""', "a\\\nb", "${x!'''}"])
def test_no_text_is_changed_on_its_way_through_the_file(body: str) -> None:
    found = read(written(Form({**_FORM, "events_body": body})), "acme")
    assert found.events is not None
    assert found.events.body == body
    assert read(rewritten(found), "acme") == found


def test_one_begins_with_nothing_with_a_shipped_one_or_with_a_file(begun: tuple[Site, Visitor]) -> None:
    site, visitor = begun
    assert site.store.integrations.named("acme").integration.payloads.keys() == {"events"}
    assert visitor.get(_PAGE).status_code == 200
    assert visitor.post("/console/integrations", "/console/", name="acme").status_code == 422  # it is there
    assert visitor.post("/console/integrations", "/console/", name="candu").status_code == 409
    assert visitor.post("/console/integrations", "/console/", name="../x").status_code == 422
    assert visitor.post("/console/integrations", "/console/", name="mine", **{"from": "candu"}).status_code == 303
    mine = site.store.integrations.named("mine").integration
    assert (mine.payloads, mine.state) == (shipped("candu").payloads, State.DRAFT)
    with visitor.get("/console/integrations/mine/integration.toml") as answer:
        taken = answer.data
    for missing in ("integrations/nobody/integration.toml", "catalog/nobody/logo.png", "catalog/candu/logo.png"):
        assert visitor.get(f"/console/{missing}").status_code == 404, missing
    for name, raw in (
        ("again", taken),
        ("json", b'{"connection": {"display_name": "J", "category": "c", "summary": "s", "description": "d"}}'),
    ):
        file = (io.BytesIO(raw), "acme.toml")
        assert visitor.post("/console/integrations", "/console/", name=name, file=file).status_code == 303
    assert site.store.integrations.named("again").integration == mine
    off = visitor.post("/console/integrations", "/console/", name="off", file=(io.BytesIO(b"state = 1"), "x.toml"))
    assert (off.status_code, "state: " in off.text) == (422, True)


def test_a_draft_is_saved_submitted_and_released_and_then_stands_in_the_catalog(begun: tuple[Site, Visitor]) -> None:
    site, visitor = begun
    connection = site.connection()
    answer = _post(visitor, "save", **_FORM, logo=(io.BytesIO(_PNG), "logo.png"))
    assert answer.status_code == 303
    assert "Saved." in visitor.get(_PAGE).text
    with visitor.get("/console/catalog/acme/logo.png") as logo:
        assert (logo.data, logo.mimetype) == (_PNG, "image/png")
    viewer = site.person("viewer", Role.VIEWER)
    assert "draft" in visitor.get("/console/catalog").text
    assert "Acme" not in viewer.get("/console/catalog").text
    assert viewer.get("/console/catalog/acme").status_code == 404
    assert _post(visitor, "release").status_code == 409  # not before it is submitted
    assert [_post(visitor, action).status_code for action in ("submit", "release")] == [303, 303]
    assert "Acme" in viewer.get("/console/catalog").text
    Streaming(site.store.streams, site.store.integrations).add(connection, "acme", "acme", {}, {}, by="test")
    assert _post(visitor, "save", **{**_FORM, "summary": "Another."}).status_code == 303
    assert "Another." not in viewer.get("/console/catalog").text  # what was released is in use
    assert _post(visitor, "remove", confirm="acme").status_code == 409
    assert {row.action for row in site.store.audit.rows(None, 20)} >= {"integration.added", "integration.changed", "integration.released"}


def test_commas_too_many_are_caught_when_a_draft_is_saved(begun: tuple[Site, Visitor]) -> None:
    site, visitor = begun
    said = _said(visitor, "save", site, **{**_FORM, "events_body": TRAILING})
    assert "It cannot be submitted yet" in said["said"]
    assert "take away the one at the end of line 5" in said["fault"]
    shown = visitor.get(_PAGE).text
    assert "take away the one at the end of line 5" in shown
    refused = _post(visitor, "submit")
    assert (refused.status_code, "line 5" in refused.text) == (422, True)
    assert site.store.integrations.named("acme").state is State.DRAFT


def test_a_fault_is_told_at_its_line(begun: tuple[Site, Visitor]) -> None:
    _, visitor = begun
    body = '{\n  "a": "${input.event_type}",\n  "b": ${parameters.}\n}'
    page = visitor.client.post(
        f"{_PAGE}/preview", data={**_FORM, "events_body": body, "csrf_token": visitor.csrf("/console/")}, headers={"HX-Request": "true"}
    ).text
    told = page.split('id="at-events-body" hx-swap-oob="true">')[1].split("</div>")[0]
    assert 'data-line="3"' in told
    assert "Line 3, column" in told
    page = _post(visitor, "preview", **{**_FORM, "events_body": "\n${input.nothing}"}).text
    assert 'data-line="2"' in page.split('id="at-events-body"')[1].split("</div>")[0]  # it renders only where there is one
    undeclared = _post(visitor, "preview", **{**_FORM, "events_header_value": ["${parameters.other}", ""]}).text
    assert "parameters.other is used and not declared" in undeclared.split('id="at-events-headers"')[1].split("</div>")[0]
    nameless = _post(visitor, "preview", **{**_FORM, "display_name": ""})
    assert (nameless.status_code, "connection.display_name" in nameless.text) == (422, True)


def test_the_preview_shows_the_request_of_a_chosen_event_and_its_command(begun: tuple[Site, Visitor]) -> None:
    site, visitor = begun
    made = _said(visitor, "preview", site, **_FORM)["requests"]["events"]
    assert (made["method"], made["url"], made["headers"]["Authorization"]) == ("PUT", "https://localhost:3000/track", "Key tested")
    assert "-H 'Authorization:Key tested'" in made["curl"]
    pasted = json.dumps({"event_type": HOSTILE, "user_id": "ann"})
    page = _post(visitor, "preview", **_FORM, event=pasted)
    assert (page.status_code, HOSTILE in page.text, "apiKey" in page.text) == (200, False, True)
    assert _post(visitor, "preview", **_FORM, event="[1]").status_code == 422
    assert _post(visitor, "preview", **_FORM, message="nobody:1").status_code == 404
    no_user = _post(visitor, "preview", **_FORM, event='{"event_type": "x"}')
    assert "external_id is required" in no_user.text


def test_the_proof_gives_the_smallest_example_that_fails(begun: tuple[Site, Visitor]) -> None:
    site, visitor = begun
    assert _said(visitor, "prove", site, **_FORM)["proofs"][0]["holds"]
    page = _post(visitor, "prove", **{**_FORM, "events_body": '{"city": "${(input.city!"")}"}'})
    assert "fails where input.city = " in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize("role", list(Role))
def test_only_owners_of_everything_write_and_guests_read_nothing(begun: tuple[Site, Visitor], role: Role) -> None:
    site, owner = begun
    connection = site.connection(f"Candu_{role}")
    guest = site.person(f"guest-{role}", role, [connection.id])
    for path in ("", "/integration.toml"):
        with guest.get(_PAGE + path) as answer:
            assert answer.status_code == 404
    assert guest.get("/console/catalog/acme").status_code == 404
    viewer = site.person(f"viewer-{role}", Role.VIEWER)
    assert "Save</button>" not in viewer.get(_PAGE).text
    for visitor, status in ((guest, 404), (viewer, 403)):
        token = visitor.csrf("/console/")
        for action in ("", "/save", "/preview", "/prove", "/submit", "/release", "/remove"):
            path = f"{_PAGE}{action}" if action else "/console/integrations"
            assert visitor.client.post(path, data={"csrf_token": token, "name": "other", **_FORM}).status_code == status, action
    assert owner.client.post(f"{_PAGE}/save", data=_FORM).status_code == 400  # the form is not ours
    assert [each.name for each in site.store.integrations.all()] == ["acme"]


def test_what_is_hostile_is_text_on_every_page(begun: tuple[Site, Visitor]) -> None:
    _, visitor = begun
    hostile = {**_FORM, "display_name": HOSTILE, "summary": HOSTILE, "category": HOSTILE, "description": HOSTILE, "events_body": HOSTILE}
    assert _post(visitor, "save", **hostile).status_code == 303
    for path in (_PAGE, "/console/catalog", "/console/catalog/acme"):
        page = visitor.get(path)
        assert (page.status_code, HOSTILE in page.text) == (200, False), path
