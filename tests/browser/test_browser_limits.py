"""The collector stays small, bounded and silent, whatever page, storage and service do to it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.acceptance.waiting import until
from tests.browser.visitor import Visitor, empties, press, queued, stored_keys

SCRIPT = Path(__file__).parents[2] / "candu_source" / "doors" / "static" / "collector.js"
_MOST_BYTES = 2_048
_LONG_MS = 3_600_000
# Leave not a character of room in localStorage.
_FILL = """() => { for (let size = 2 ** 22; size >= 1; size /= 2)
    try { for (let i = 0; ; i++) localStorage[`full${size}.${i}`] = 'x'.repeat(size); } catch {} }"""
# What a page may hand over by mistake or on purpose; each is thrown away by itself.
_HOSTILE = {
    "a cycle": "(() => { const detail = {}; detail.detail = detail; return detail; })()",
    "a getter that throws": "({ get properties() { throw { toString() { throw 1; } }; } })",
    "a toJSON that throws": "({ toJSON() { throw null; } })",
    "a big integer": "({ properties: { documentId: 1n } })",
    "a megabyte": "({ properties: { text: 'x'.repeat(1e6) } })",
}


def test_the_script_is_at_most_two_kilobytes() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= _MOST_BYTES


@pytest.mark.parametrize("detail", _HOSTILE.values(), ids=_HOSTILE)
def test_a_hostile_detail_harms_neither_page_nor_queue(visitor: Visitor, detail: str) -> None:
    page = visitor.open()
    page.evaluate(f"() => {{ window.dispatchEvent(new CustomEvent('candu.sdk.track', {{ detail: {detail} }})); }}")
    press(page, "View")
    assert [message["type"] for message in visitor.arrives(1)] == ["screen"]
    (warning,) = visitor.warned()
    assert "event dropped" in warning


@pytest.mark.parametrize(
    "call", ["push(null)", "push()", "push([])", "push({})", "push(['init'])", "push([{}, {}])", "init()", "consent()"]
)
def test_a_hostile_call_throws_nothing(visitor: Visitor, call: str) -> None:
    page = visitor.open()
    page.evaluate(f"() => {{ CanduSource.{call}; }}")
    page.evaluate("CanduSource.consent(true)")
    press(page, "View")
    assert [message["type"] for message in visitor.arrives(1)] == ["screen"]


def test_an_early_value_that_is_no_list_throws_nothing(visitor: Visitor) -> None:
    visitor.context.add_init_script("window.CanduSource = 1")
    press(visitor.open(), "View")
    visitor.arrives(1)


def test_a_refusal_is_warned_of_once_and_dropped(visitor: Visitor) -> None:
    page = visitor.open(token="pub_unknown")
    press(page, "View")
    visitor.warned()
    empties(page)
    press(page, "Interaction")
    until(lambda: len(visitor.river.gateway.posts) == 2, "the second try")
    empties(page)
    (warning,) = visitor.warned()
    assert "401 This door does not know the token" in warning


def test_a_wrong_origin_is_warned_of_with_the_setting(visitor: Visitor) -> None:
    river = visitor.river
    visitor.door = river.service.connect("Candu_elsewhere", "elsewhere", river.twin.url, "--origin", "https://app.example.com")
    press(visitor.open(), "View")
    (warning,) = visitor.warned()
    assert "403" in warning
    assert f"--origin {river.site.url}" in warning


def test_a_browser_without_storage_is_served_from_memory(visitor: Visitor) -> None:
    visitor.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page = visitor.context.new_page()
    visitor.visit(page, load="button")
    press(page, "Load the collector")
    visitor.river.gateway.mode = "503"
    press(page, "View", "Interaction")
    until(lambda: visitor.river.gateway.met("503"), "a try to fail")
    visitor.river.gateway.mode = "pass"
    assert len(visitor.arrives(2)) == 2


def test_a_full_storage_costs_no_event(visitor: Visitor) -> None:
    page = visitor.open(load="button")
    page.evaluate(_FILL)
    press(page, "Load the collector", "View", "Interaction")
    messages = visitor.arrives(2)
    assert len({message["anonymousId"] for message in messages}) == 1


def test_the_queue_is_bounded_and_keeps_the_newest(visitor: Visitor) -> None:
    visitor.river.gateway.mode = "503"
    page = visitor.open(retryMs=_LONG_MS)
    page.evaluate("for (let i = 0; i < 40; i++) CanduSource.push(['candu.sdk.track', { number: i, text: 'x'.repeat(3e4) }])")
    kept = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('candu-source.pub_')).map(key => localStorage[key])")
    assert 300_000 < sum(map(len, kept)) <= 400_000
    assert any('"number":39' in text for text in kept)
    assert not any('"number":0,' in text for text in kept)


def test_what_is_held_before_consent_is_bounded(visitor: Visitor) -> None:
    page = visitor.open(consent="wait", retryMs=_LONG_MS)
    page.evaluate("for (let i = 0; i < 150; i++) CanduSource.push(['candu.sdk.track', { number: i }])")
    visitor.river.gateway.mode = "503"
    page.evaluate("CanduSource.consent(true)")
    assert queued(page) == 100


def test_a_batch_has_at_most_a_hundred_events(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    gateway.mode = "503"
    page = visitor.open(load="button", token="", endpoint="", userId="", retryMs="")
    page.evaluate("history.replaceState(null, '', '/')")
    page.add_script_tag(url=f"{gateway.url}/v1/collector.js")
    page.evaluate("token => CanduSource.init({ token })", visitor.door.public_token)
    page.evaluate("for (let i = 0; i < 150; i++) CanduSource.push(['candu.sdk.track', {}])")
    until(lambda: gateway.met("503"), "a try")
    assert len(gateway.posts[0].items) == 100


def test_a_large_queue_goes_in_batches_that_a_browser_keeps_alive(visitor: Visitor) -> None:
    gateway = visitor.river.gateway
    gateway.mode = "503"
    page = visitor.open(retryMs=_LONG_MS)
    page.evaluate(
        """() => { for (let i = 0; i < 250; i++) CanduSource.push(['candu.sdk.track', { eventName: 'candu.sdk.content.interaction',
        properties: { documentId: 1, segmentId: 'é', versionId: 'v', eventName: 'é'.repeat(200) } }]); }"""
    )
    until(lambda: gateway.met("503"), "a try to fail")
    gateway.mode = "pass"
    visitor.visit(page)
    visitor.arrives(250)
    empties(page)
    assert len(gateway.passed_ids(beacons=False)) == 250
    assert [key for key in stored_keys(page) if key.startswith("candu-source.")] == ["candu-source.anonymousId"]
