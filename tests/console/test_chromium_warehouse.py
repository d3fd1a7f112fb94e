"""The Warehouse tab in a real Chromium: charts with data in them, tables that open, and parts that renew themselves."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from candu_source import intake
from candu_source.app import sync_warehouse
from candu_source.doors import DOORS
from tests.console.showing import Shown, complaints, drawn

_LIGHT = pytest.mark.parametrize("page", ["light"], indirect=True)


def _open(page: Page, shown: Shown, path: str = "") -> None:
    page.goto(f"{shown.url}/console/connections/{shown.full.id}/warehouse{path}")


def test_questions_and_tables_are_accessible_and_fit(page: Page, shown: Shown) -> None:
    found = []
    _open(page, shown)
    expect(page.locator(".answered canvas")).to_have_count(1)
    for summary in page.locator(".table-card summary").all():
        summary.click()
    found += complaints(page)
    for path in ("/tables/tutorial_interaction", "/questions/interaction_rate"):
        _open(page, shown, path)
        found += complaints(page)
    assert found == []


def test_the_tab_asks_and_draws_the_first_questions(page: Page, shown: Shown) -> None:
    _open(page, shown)
    expect(page.locator(".answered canvas")).to_have_count(1)
    expect(page.locator(".bars li:visible")).to_have_count(10)
    charts = page.locator(".chart").all()
    assert len(charts) == 2  # people by day, and the latest syncs
    assert all(drawn(chart) > 100 for chart in charts)
    days = page.locator(".answered .chart").get_attribute("data-chart")
    assert days is not None
    assert len(json.loads(days)["times"]) == 11


@_LIGHT
def test_a_table_opens_by_the_keyboard(page: Page, shown: Shown) -> None:
    _open(page, shown)
    card = page.locator(".table-card", has=page.locator("strong:text-is('tutorial_interaction')"))
    expect(card.locator(".columns")).to_be_hidden()
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card.locator("dt:text-is('event_name')")).to_be_visible()


@_LIGHT
def test_a_sync_asked_for_is_seen_to_end_and_what_it_brought_appears(page: Page, shown: Shown) -> None:
    _open(page, shown)
    rows = page.locator("#state .figures dd").first
    before = int(rows.inner_text())
    properties = {"tutorialId": 777, "segmentId": "Everyone", "versionId": "1", "portalId": 1}
    items = [{"type": "tutorial.view", "userId": "zoe", "messageId": f"new-{number}", "properties": properties} for number in range(30)]
    heard = DOORS["interactions"](json.dumps(items).encode(), shown.full)
    intake.accept(shown.full, "interactions", heard, shown.site.store.log, shown.site.telltale)
    page.click("button:text-is('Sync now')")
    expect(page.locator("#state .badge")).to_have_text("Sync asked for")
    warehouse = shown.site.store.warehouses.named(shown.full)
    assert not sync_warehouse(shown.site.settings, shown.site.store, warehouse, shown.site.telltale).error
    expect(rows).to_have_text(str(before + 30), timeout=10_000)
    expect(page.locator(".bars li").first).to_contain_text("777")


@pytest.mark.parametrize("page", ["narrow"], indirect=True)
def test_an_address_that_is_off_says_so_and_stays_where_it_was_typed(page: Page, shown: Shown) -> None:
    page.goto(f"{shown.url}/console/connections/{shown.empty.id}/warehouse")
    page.fill("[name=url]", "postgresql://loader:canary@127.0.0.1:9/x")
    page.click("button:text-is('Connect')")
    expect(page.locator("form[aria-label=PostgreSQL] .off")).to_contain_text("Url: ")
    assert "canary" not in page.locator("form[aria-label=PostgreSQL] .off").inner_text()
    assert page.input_value("[name=url]").endswith("127.0.0.1:9/x")


@_LIGHT
def test_a_column_is_left_out(page: Page, shown: Shown) -> None:
    _open(page, shown, "/tables/screens")
    page.uncheck("[value=content_id][name=column]")
    page.click("button:text-is('Save')")
    expect(page.locator(".said")).to_contain_text("Chosen for screens")
    card = page.locator(".table-card", has=page.locator("strong:text-is('screens')"))
    card.locator("summary").click()
    expect(card.locator("dt:text-is('content_id') + dd")).to_contain_text("not loaded")
