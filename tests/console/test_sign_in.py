"""Who gets in, and who does not."""

from __future__ import annotations

import json

import pytest

from candu_source.console.sign_in import local
from candu_source.model import Role, Secret
from tests.console.site import PASSWORD, Site


def test_a_stranger_is_sent_to_the_door_and_comes_back_to_where_they_were_going(site: Site) -> None:
    site.store.people.add("anna", Secret(PASSWORD), Role.OWNER, connections=None, by="test")
    visitor = site.visitor()
    sent = visitor.get("/console/people?x=1")
    assert (sent.status_code, sent.location) == (302, "/console/sign-in?next=/console/people?x%3D1")
    assert visitor.get("/").location == "/console/"
    assert visitor.sign_in("anna", next="/console/people?x=1").location == "/console/people?x=1"
    assert "anna" in visitor.get("/console/people").text


@pytest.mark.parametrize(
    ("name", "password"), [("anna", "wrong password"), ("nobody", PASSWORD), ("", ""), ("anna", ""), ("anna", "x" * 5000)]
)
def test_who_does_not_know_the_password_stays_outside(site: Site, name: str, password: str) -> None:
    site.store.people.add("anna", Secret(PASSWORD), Role.OWNER, connections=None, by="test")
    visitor = site.visitor()
    answer = visitor.sign_in(name, password)
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert visitor.get("/console/").status_code == 302


def test_guessing_ends_after_a_few_tries_for_a_name(site: Site) -> None:
    site.store.people.add("anna", Secret(PASSWORD), Role.VIEWER, connections=None, by="test")
    visitor = site.visitor()
    answers = [visitor.sign_in("anna", "no").status_code for _ in range(15)]
    assert answers[:5] == [422] * 5
    assert answers.count(422) <= 10  # a minute may have passed meanwhile
    refused = visitor.sign_in("anna")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_a_planted_session_is_worth_nothing_after_signing_in(site: Site) -> None:
    site.store.people.add("anna", Secret(PASSWORD), Role.OWNER, connections=None, by="test")
    forger, victim = site.visitor(), site.visitor()
    forger.csrf()
    planted = forger.client.get_cookie("candu_source_console", path="/")
    assert planted is not None
    victim.client.set_cookie("candu_source_console", planted.value, path="/")
    assert victim.sign_in("anna").status_code == 303
    assert forger.get("/console/").status_code == 302
    held = victim.client.get_cookie("candu_source_console", path="/")
    assert held is not None
    assert held.value != planted.value


def test_who_signs_out_is_out_even_with_the_cookie_of_before(site: Site) -> None:
    visitor = site.person()
    kept = visitor.client.get_cookie("candu_source_console", path="/")
    assert kept is not None
    assert visitor.post("/console/sign-out").status_code == 303
    visitor.client.set_cookie("candu_source_console", kept.value, path="/")
    assert visitor.get("/console/").status_code == 302


def test_another_password_and_removal_end_every_session(site: Site) -> None:
    anna, ben = site.person("anna"), site.person("ben")
    site.store.people.set_password("anna", Secret(PASSWORD + "!"), by="test")
    site.store.people.remove("ben", by="test")
    assert [each.get("/console/").status_code for each in (anna, ben)] == [302, 302]
    assert anna.sign_in("anna", PASSWORD + "!").status_code == 303
    assert ben.sign_in("ben").status_code == 422


def test_the_first_user_comes_by_a_link_that_works_once(site: Site) -> None:
    invitation = site.store.people.invite()
    assert invitation is not None
    link = f"/console/welcome/{invitation.reveal()}"
    visitor = site.visitor()
    weak = visitor.post(link, link, name="anna", password="short")
    assert (weak.status_code, "at least 12 characters" in weak.text) == (422, True)
    assert visitor.post(link, link, name="anna", password=PASSWORD).location == "/console/"
    assert "anna" in visitor.get("/console/people").text
    other = site.visitor()
    assert other.get(link).status_code == 404
    assert other.post(link, "/console/sign-in", name="eve", password=PASSWORD).status_code == 422
    assert [each.name for each in site.store.people.all()] == ["anna"]
    assert site.store.people.invite() is None


def test_a_newer_link_takes_the_older_one_back(site: Site) -> None:
    first, second = site.store.people.invite(), site.store.people.invite()
    assert first is not None
    assert second is not None
    assert [site.store.people.is_invited(each.reveal()) for each in (first, second)] == [False, True]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/consolex",
        "javascript:alert(1)",
        "/console\n/x",
        "",
        "/v1/admin/",
        "https:/console/",
        "/console/\\..\\x",
    ],
)
def test_signing_in_leads_nowhere_else(address: str) -> None:
    assert local(address) == "/console/"


def test_a_form_that_is_not_ours_is_refused(site: Site) -> None:
    owner, other = site.person("anna"), site.person("ben")
    fields = {"name": "eve", "password": PASSWORD, "role": "owner"}
    for token in (None, "x", other.csrf("/console/people")):
        answer = owner.client.post("/console/people/add", data={**fields, **({"csrf_token": token} if token else {})})
        assert answer.status_code == 400
        assert "Reload the page" in answer.text
    assert [each.name for each in site.store.people.all()] == ["anna", "ben"]
    assert owner.post("/console/people/add", "/console/people", **fields).status_code == 303


def test_a_cookie_alone_changes_nothing_by_the_api(site: Site) -> None:
    owner = site.person("anna")
    assert owner.client.post("/v1/admin/people/remove", json={"name": "anna"}).status_code == 401
    assert json.loads(owner.get("/v1/admin/people").data)["users"][0]["name"] == "anna"


def test_every_answer_forbids_scripts_of_others_and_frames(site: Site) -> None:
    for path in ("/console/sign-in", "/console/", "/v1/admin/", "/console/static/console.css", "/console/nowhere"):
        answer = site.visitor().get(path)
        headers = answer.headers
        answer.close()
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_last_owner_cannot_be_removed(site: Site) -> None:
    owner = site.person("anna")
    site.person("ben", Role.VIEWER)
    answer = owner.post("/console/people/remove", "/console/people", name="anna")
    assert (answer.status_code, "the only owner" in answer.text) == (422, True)
