"""Whatever breaks between page and service, each event arrives exactly once."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Page

from tests.acceptance.waiting import until
from tests.browser.visitor import Visitor, empties, press, queued, stored_keys

_LONG_MS = 3_600_000
_WAITING_TABS = "navigator.locks.query().then(({ pending }) => pending.length)"


@pytest.mark.parametrize("mode", ["503", "429", "cut", "deaf"])
def test_an_outage_costs_no_event(visitor: Visitor, mode: str) -> None:
    gateway = visitor.river.gateway
    page = visitor.open()
    gateway.mode = mode
    press(page, "View", "Interaction", "Interaction")
    until(lambda: len(gateway.met(mode)) >= 3, "some tries to fail")
    gateway.mode = "pass"
    assert Counter(message["type"] for message in visitor.arrives(3)) == {"track": 2, "screen": 1}
    empties(page)
    assert len(visitor.arrives(3)) == len(set(gateway.passed_ids())) == 3
    assert visitor.warnings == []


def test_a_page_that_closes_right_after_a_click_loses_nothing(visitor: Visitor) -> None:
    page = visitor.open()
    page.evaluate("document.querySelectorAll('#events button')[1].click()")
    page.close()
    other = visitor.open()
    empties(other)
    assert [message["type"] for message in visitor.arrives(1)] == ["track"]


@pytest.mark.parametrize("leave", ["location.href = 'about:blank'", "location.reload()"])
def test_a_click_that_leaves_the_page_counts_once(visitor: Visitor, leave: str) -> None:
    page = visitor.open()
    page.evaluate(f"document.querySelectorAll('#events button')[1].click(); {leave}")
    other = visitor.open()
    empties(other)
    assert [message["type"] for message in visitor.arrives(1)] == ["track"]


def test_what_waits_leaves_by_beacon_and_stays_until_an_answer_confirms_it(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    page = visitor.open(retryMs=_LONG_MS)
    gateway.mode = "503"
    press(page, "View", "Interaction")
    until(lambda: gateway.met("503"), "a try to fail")
    gateway.mode = "pass"
    page.goto("about:blank")
    assert len(visitor.arrives(2)) == 2
    assert {post.beacon for post in gateway.met("pass")} == {True}
    visitor.visit(page)
    empties(page)
    assert [post.beacon for post in gateway.met("pass")][-1] is False
    assert len(visitor.arrives(2)) == len(set(gateway.passed_ids())) == 2


def test_a_cut_network_that_comes_back_after_a_reload(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    page = visitor.open()
    gateway.mode = "cut"
    press(page, "View", "Interaction")
    page.reload()
    assert queued(page) == 2
    seen = len(gateway.met("cut"))
    until(lambda: len(gateway.met("cut")) > seen, "the reloaded page to try")
    gateway.mode = "pass"
    assert len(visitor.arrives(2)) == 2
    empties(page)
    assert len(gateway.passed_ids()) == 2


def test_a_browser_that_is_online_again_sends_at_once(visitor: Visitor) -> None:
    page = visitor.open(retryMs=_LONG_MS)
    visitor.context.set_offline(True)
    press(page, "View")
    until(lambda: page.get_by_text("no answer from the service").count(), "a try without a network")
    assert queued(page) == 1
    visitor.context.set_offline(False)
    assert len(visitor.arrives(1)) == 1


def test_three_tabs_share_the_queue_and_send_one_at_a_time(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    gateway.hold()
    tabs = [visitor.open() for _ in range(3)]
    for tab in tabs:
        press(tab, "View", "Interaction", "View", "Interaction")
    until(lambda: tabs[0].evaluate(_WAITING_TABS) == 2, "two tabs to wait for the one that sends")
    assert len(gateway.posts) == 1
    gateway.release()
    visitor.arrives(12)
    empties(tabs[0])
    assert len(visitor.arrives(12)) == len(set(gateway.passed_ids())) == 12


def test_three_tabs_in_an_outage_send_each_event_once(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    gateway.mode = "503"
    tabs = [visitor.open() for _ in range(3)]
    for tab in tabs:
        press(tab, "View", "Interaction", "View", "Interaction")
    until(lambda: len(gateway.met("503")) > 3, "tries to fail")
    gateway.mode = "pass"
    visitor.arrives(12)
    empties(tabs[0])
    assert Counter(gateway.passed_ids()).most_common(1)[0][1] == 1


def test_without_web_locks_a_lease_keeps_other_tabs_waiting(visitor: Visitor) -> None:
    visitor.context.add_init_script("delete Navigator.prototype.locks")
    page = _stopped_clock(visitor)
    page.evaluate("localStorage['candu-source.lease'] = Date.now() + 5000")
    press(page, "View")
    assert _seconds_until_posted(page, visitor, 1) >= 5
    assert len(visitor.arrives(1)) == 1
    empties(page)
    page.clock.run_for(1_000)
    until(lambda: "candu-source.lease" not in stored_keys(page), "the lease to be given back")


def test_an_open_tab_sends_what_a_closed_one_left(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    staying = visitor.open()
    gateway.mode = "503"
    leaving = visitor.open(retryMs=_LONG_MS)
    press(leaving, "View")
    until(lambda: gateway.met("503"), "a try to fail")
    leaving.close()
    gateway.mode = "pass"
    press(staying, "Interaction")
    visitor.arrives(2)
    empties(staying)


def test_retry_after_is_honoured(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    gateway.mode, gateway.refusal = "429", {"Retry-After": "30"}
    page = _stopped_clock(visitor)
    press(page, "View")
    until(lambda: gateway.met("429"), "a try to fail")
    gateway.mode = "pass"
    assert _seconds_until_posted(page, visitor, 2) >= 30
    assert len(visitor.arrives(1)) == 1


def _stopped_clock(visitor: Visitor) -> Page:
    """Open the sample page with a clock that stands still."""
    page = visitor.context.new_page()
    page.clock.install(time=0)
    visitor.visit(page)
    page.clock.pause_at(60_000)
    return page


def _seconds_until_posted(page: Page, visitor: Visitor, count: int) -> int:
    """Let the page's clock run, second by second, until so many posts were made; return how many seconds it took."""
    seconds = 0

    def posted() -> bool:
        nonlocal seconds
        page.clock.run_for(1_000)
        seconds += 1
        return len(visitor.river.gateway.posts) >= count

    until(posted, f"{count} posts")
    return seconds
