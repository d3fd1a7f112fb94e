"""What the page dispatches reaches Segment, once, in the words of the Candu source."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from playwright.sync_api import Page

from tests.acceptance.waiting import until
from tests.browser.visitor import Visitor, await_collector, empties, press, queued, stored_keys

PROPERTIES = {
    "tutorialId": 48213,
    "segmentId": "Everyone",
    "versionId": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "contentId": "cnt_8Yw2",
    "placementId": "plc_home",
}
_SECRET = "identity-secret"


def test_view_and_interaction_are_the_documented_calls(visitor: Visitor) -> None:
    page = visitor.open()
    press(page, "View", "Interaction")
    view, interaction = sorted(visitor.arrives(2), key=lambda message: message["type"])
    assert (view["type"], view["name"]) == ("screen", "tutorial.view")
    assert view["properties"] == {**PROPERTIES, "slug": "getting-started"}
    assert (interaction["type"], interaction["event"]) == ("track", "tutorial.interaction")
    more = {"eventName": "Start tour", "trigger": "OnClick", "category": "Onboarding", "nodeId": "n-17", "nodeType": "Button"}
    assert interaction["properties"] == {**PROPERTIES, **more}
    assert {view["userId"], interaction["userId"]} == {"user-1842"}
    assert view["anonymousId"] == interaction["anonymousId"] != ""
    empties(page)
    assert len(visitor.river.gateway.passed_ids()) == 2


def test_the_context_is_the_pages(visitor: Visitor) -> None:
    page = visitor.open()
    page.evaluate("location.hash = 'access_token=secret'")
    press(page, "View")
    (message,) = visitor.arrives(1)
    context = message["context"]
    assert context["page"] == page.evaluate(
        "({path: '/', url: location.origin + '/' + location.search, search: location.search, title: document.title, referrer: ''})"
    )
    assert context["screen"] == page.evaluate("({width: screen.width, height: screen.height, density: devicePixelRatio})")
    assert (context["locale"], context["timezone"]) == ("en-GB", "Europe/Berlin")
    assert context["userAgent"] == page.evaluate("navigator.userAgent")
    assert "access_token" not in str(message)


def test_what_happened_before_the_script_came_arrives_once_with_its_own_time(visitor: Visitor) -> None:
    page = visitor.open(load="button")
    press(page, "View", "Interaction")
    pressed = page.evaluate("Date.now()")
    until(lambda: page.evaluate(f"Date.now() > {pressed} + 5"), "the time to go on")
    press(page, "Load the collector")
    await_collector(page)
    press(page, "Interaction")
    messages = visitor.arrives(3)
    empties(page)
    times = sorted(datetime.fromisoformat(message["timestamp"]).timestamp() * 1000 for message in messages)
    assert len(messages) == len(visitor.river.gateway.passed_ids()) == 3
    assert times[1] <= pressed < times[2]


def test_what_a_page_pushes_is_heard_before_and_after_loading(visitor: Visitor) -> None:
    page = visitor.open(load="button", token="", endpoint="")
    options = {"token": visitor.door.public_token, "endpoint": f"{visitor.river.gateway.url}/", "userId": 1842}
    page.evaluate("options => CanduSource.push(['init', options])", options)
    _push(page, "before")
    _load_bare(page, visitor)
    _push(page, "after")
    messages = visitor.arrives(2)
    assert [message["properties"]["eventName"] for message in messages] == ["before", "after"]
    assert {message["userId"] for message in messages} == {"1842"}


def test_events_wait_in_memory_until_the_page_gives_a_token(visitor: Visitor) -> None:
    page = visitor.open(load="button", token="", endpoint="")
    _load_bare(page, visitor)
    press(page, "View")
    assert stored_keys(page) == []
    page.evaluate("options => CanduSource.init(options)", {"token": visitor.door.public_token, "userId": "late"})
    assert [message["userId"] for message in visitor.arrives(1)] == ["late"]


def test_another_user_is_another_user_and_the_visitor_stays(visitor: Visitor) -> None:
    page = visitor.open()
    press(page, "View")
    visitor.arrives(1)
    page.evaluate("CanduSource.init({userId: 'user-2'})")
    press(page, "Interaction")
    visitor.arrives(2)
    page.evaluate("CanduSource.init({userId: ''})")
    press(page, "View")
    messages = visitor.arrives(3)
    assert [message["userId"] for message in messages] == ["user-1842", "user-2", None]
    assert len({message["anonymousId"] for message in messages}) == 1


def test_a_proof_goes_with_its_user_and_not_with_the_next(visitor: Visitor) -> None:
    river = visitor.river
    visitor.door = river.connect("--identity", "require", "--identity-secret", _SECRET)
    proof = hmac.new(_SECRET.encode(), b"user-1842", hashlib.sha256).hexdigest()
    page = visitor.open(userHmac=proof)
    press(page, "View")
    visitor.arrives(1)
    page.evaluate("CanduSource.init({userId: 'user-2'})")
    press(page, "View")
    assert "422" in visitor.warned()[0]
    assert [post.items[0].get("userHmac") for post in river.gateway.posts] == [proof, ""]
    assert [message["userId"] for message in visitor.arrives(1)] == ["user-1842"]


def test_nothing_is_kept_or_sent_before_consent(visitor: Visitor) -> None:
    page = visitor.open(consent="wait")
    press(page, "View", "Interaction")
    assert stored_keys(page) == []
    assert visitor.river.gateway.posts == []
    press(page, "Give consent")
    assert {message["type"] for message in visitor.arrives(2)} == {"screen", "track"}


def test_a_refusal_forgets_what_was_held_and_what_was_stored(visitor: Visitor) -> None:
    page = visitor.open(consent="wait")
    press(page, "View", "Refuse consent", "View", "Give consent", "Interaction")
    assert [message["type"] for message in visitor.arrives(1)] == ["track"]
    visitor.river.gateway.mode = "cut"
    press(page, "View")
    assert queued(page) == 1
    press(page, "Refuse consent")
    assert [key for key in stored_keys(page) if not key.endswith(".lease")] == []
    visitor.river.gateway.mode = "pass"
    press(page, "Give consent", "Interaction")
    assert [message["type"] for message in visitor.arrives(2)] == ["track", "track"]


def test_only_a_clear_yes_is_consent(visitor: Visitor) -> None:
    page = visitor.open(consent="denied")
    press(page, "View")
    page.evaluate("CanduSource.consent('true')")
    page.evaluate("CanduSource.consent(undefined)")
    press(page, "View")
    assert stored_keys(page) == []
    assert visitor.river.gateway.posts == []


def test_the_policy_is_strict_and_nothing_breaks_it(visitor: Visitor) -> None:
    page = visitor.open(load="button")
    page.evaluate("window.violations = []; addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective))")
    press(page, "Load the collector", "View")
    visitor.arrives(1)
    assert page.evaluate("violations") == []
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.inline = 1'}))")
    until(lambda: page.evaluate("violations"), "the policy to refuse an inline script")


def test_a_script_that_is_there_twice_sends_once(visitor: Visitor) -> None:
    page = visitor.open()
    _load_bare(page, visitor)
    press(page, "View", "Interaction")
    visitor.arrives(2)
    empties(page)
    assert len(visitor.river.gateway.passed_ids()) == 2


def _push(page: Page, label: str) -> None:
    properties = {"documentId": 48213, "segmentId": "Everyone", "versionId": "2fd4e1c6", "eventName": label}
    detail = {"eventName": "candu.sdk.content.interaction", "properties": properties}
    page.evaluate("detail => CanduSource.push(['candu.sdk.track', detail])", detail)


def _load_bare(page: Page, visitor: Visitor) -> None:
    """Load the script without any attribute."""
    page.add_script_tag(url=f"{visitor.river.gateway.url}/v1/collector.js")
    await_collector(page)
