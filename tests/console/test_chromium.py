"""The console in a real Chromium: looks, accessibility, live parts, forms, and the newcomer's whole path."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.service import Service, free_port
from tests.console.showing import NAMED, PATHS, Shown, complaints_of_every_look, drawn
from tests.console.site import PASSWORD

_SAMPLES = Path(__file__).parents[2] / "samples" / "webhook"
_JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_every_page_is_accessible_and_fits_in_every_look(page: Page, shown: Shown) -> None:
    found = []
    for path in PATHS:
        for connection in (shown.full, shown.empty) if "{connection}" in path else (shown.full,):
            page.goto(f"{shown.url}/console/" + path.replace("{connection}", connection.id))
            found += complaints_of_every_look(page)
    for path in NAMED:
        page.goto(f"{shown.url}/console/" + path.replace("{connection}", shown.full.id))
        found += complaints_of_every_look(page)
    assert found == []


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_charts_are_drawn_and_stay_so_when_the_page_renews_itself(page: Page, shown: Shown) -> None:
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/delivery")
    expect(page.locator(".chart canvas")).to_have_count(4)
    with page.expect_response(lambda answer: "delivery?period" in answer.url):
        expect(page.locator(".funnel").first).to_be_visible()
    expect(page.locator("[data-until]")).to_be_visible()
    page.locator(".chart summary").first.click()
    expect(page.locator(".chart table").first).to_be_visible()


@pytest.mark.parametrize("page", ["narrow"], indirect=True)
def test_a_form_that_is_off_says_so_and_keeps_what_was_typed(page: Page, shown: Shown) -> None:
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/settings")
    page.fill("[name=allowed_origins]", "app.example.com")
    page.fill("[name=environment]", "staging")
    page.click("form.card button:text-is('Save')")
    expect(page.locator(".off")).to_contain_text("llowed_origins: 'app.example.com' is off")
    assert page.input_value("[name=environment]") == "staging"
    page.fill("[name=allowed_origins]", "https://app.example.com")
    page.fill("[name=environment]", "production")
    page.click("form.card button:text-is('Save')")
    expect(page.locator(".said")).to_contain_text("Saved")


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_a_reject_is_mended_and_sent(page: Page, shown: Shown) -> None:
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/rejects")
    row = page.locator("tr", has_text="interactions")
    row.locator("text=Look at it and mend it").click()
    page.click("text=Send it as it stands here")
    expect(page.locator(".answer .off")).to_contain_text("portalId")
    page.fill("textarea", page.input_value("textarea").replace('"tutorialId": 1', '"tutorialId": 1, "portalId": 7'))
    page.click("text=Send it as it stands here")
    expect(page.locator(".said")).to_contain_text("accepted")
    expect(page.locator("tr", has_text="interactions")).to_have_count(0)


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_rules_are_tried_on_the_latest_events_before_they_are_in_force(page: Page, shown: Shown) -> None:
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/mapping")
    expect(page.locator("#preview")).to_contain_text("the same")
    page.uncheck("[name=extra_properties]")
    expect(page.locator("#preview .removed").first).to_contain_text("properties.contentId")
    assert shown.site.store.connections.named(shown.full.id).rules.extra_properties


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_leaving_a_confirmation_changes_nothing(page: Page, shown: Shown) -> None:
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/dead")
    page.locator("text=/Send all .* again/").first.click()
    assert {job.kind for job in shown.site.store.replays.all(shown.full.id)} == {"events"}


def test_the_newcomers_whole_path_takes_a_few_clicks(chromium: Browser, tmp_path: Path) -> None:
    with Service(tmp_path, web_processes=1) as service:
        service.serve("--twin", "--twin-port", str(free_port()))
        page = chromium.new_context().new_page()
        clicks = 0
        page.goto(service.console_link())
        page.fill("[name=name]", "anna")
        page.fill("[name=password]", PASSWORD)
        for words in ("Begin", "Connect", "Try with the twin"):
            clicks += _click(page, words)
        webhook = page.locator("pre", has_text="/v1/webhook/").inner_text()
        clicks += _click(page, "Send a test event")
        expect(page.locator(".badge")).to_have_text("confirmed", timeout=30_000)
        for name in ("view", "interaction"):
            assert requests.post(webhook, data=(_SAMPLES / f"{name}.json").read_bytes(), headers=_JSON, timeout=10).ok
        page.click("nav a:text-is('Warehouse')")
        clicks += 1 + _click(page, "Keep a DuckDB warehouse here")
        expect(page.locator("#state .badge")).to_have_text("Up to date", timeout=30_000)
        expect(page.locator(".table-card", has_text="tutorial_interaction")).to_contain_text("1 row")
        expect(page.locator(".bars li > span")).to_have_text(["48213", "1 people 1"])  # the tutorial, its views, how many saw it
        expect(page.locator(".answered canvas")).to_have_count(1)
        assert [drawn(chart) > 0 for chart in page.locator(".chart").all()] == [True, True]
        page.context.close()
        assert clicks < 12


def _click(page: Page, words: str) -> int:
    page.locator(f"main :is(a.button, button):text-is('{words}')").first.click()
    return 1
