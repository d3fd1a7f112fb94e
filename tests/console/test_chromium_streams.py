"""The two guides followed in a real Chromium: a sync to Candu set up by its steps, and an integration of one's own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.hands import connect
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import PATIENCE_SECONDS, until
from tests.console.guide import TRAILING
from tests.console.site import PASSWORD
from tests.destinations.listening import Listener, always

_SAMPLES = Path(__file__).parents[2] / "samples" / "amplitude"
_AMPLITUDE = {"Content-Type": "application/json", "User-Agent": "Amplitude/Webhook/1.0"}
# How long a page may take on a busy machine, in milliseconds; nothing is asserted about how quick it is.
_PATIENCE = PATIENCE_SECONDS * 1000
# The steps of "Amplitude setup" in the guide to Candu, in the order in which they stand there.
_STEPS = (
    "Status",
    "API Key (Access Token from the Candu platform)",
    "Create & Update users",
    "Send Events",
    "Select and filter events",
    "Save",
)
# What a sync chose to send, in a template.
_PROPERTIES = (
    "<#list mappedProperties?keys?filter(name -> mappedProperties[name]?has_content) as name>"
    '"${name?json_string}": ${mappedProperties[name]}<#sep>,</#sep></#list>'
)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Door, Door]]:
    """Run one service with a source, and a connection that stands in for Candu: it has the same door."""
    with Service(tmp_path_factory.mktemp("streams"), web_processes=1) as service:
        service.serve()
        source, candu = connect(service, {"Candu_Prod": "http://127.0.0.1:9", "Candu_Standin": "http://127.0.0.1:9"})
        yield service, source, candu


@pytest.fixture(scope="module")
def desk(chromium: Browser, doors: tuple[Service, Door, Door]) -> Iterator[Page]:
    """Sign the first owner in by the link that the service printed; nothing may be thrown in the page."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(doors[0].console_link())
    page.fill("[name=name]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.click("button:text-is('Begin')")
    yield page
    context.close()
    assert thrown == []


def _begin_sync(page: Page, service: Service, tile: str, door: Door, name: str) -> None:
    """Find a tile in the catalog, choose the connection, enter a sync name, and create it."""
    page.goto(f"{service.url}/console/")
    page.click("nav a:text-is('Catalog')")
    page.click(f".tile a:text-is('{tile}')")
    page.click(f"nav[aria-label='Connection of the sync'] a:text-is('{door.name}')")
    page.get_by_label("Sync name").fill(name)
    page.click("button:text-is('Create Sync')")
    expect(page.locator("main > .said")).to_contain_text(f"{name} is there, and off", timeout=_PATIENCE)


def _send(door: Door, sample: str, **changes: Any) -> None:
    """Post a sample to the Amplitude door, as Amplitude does."""
    item = json.loads((_SAMPLES / f"{sample}.json").read_text())
    assert requests.post(door.amplitude_url, json={**item, **changes}, headers=_AMPLITUDE, timeout=30).ok


def _messages(page: Page, service: Service, door: Door) -> list[dict[str, Any]]:
    """Return the messages that a connection has accepted."""
    base = f"{service.url}/v1/admin/connections/{door.id}/events"
    found = page.request.get(base).json()["events"]
    return [page.request.get(f"{base}/{each['message_id']}").json()["message"] for each in found]


def test_the_guides_steps_end_with_an_event_and_a_user_at_candu(desk: Page, doors: tuple[Service, Door, Door]) -> None:
    service, source, candu = doors
    _send(source, "event")  # from before: never sent, but there to be chosen from
    _begin_sync(desk, service, "Candu - Event Stream", source, "candu")
    shown = desk.locator("#setup").inner_text()
    assert [shown.index(step) for step in _STEPS] == sorted(shown.index(step) for step in _STEPS)
    expect(desk.locator("#at-parameters-apiKey .off")).to_contain_text("is empty", timeout=_PATIENCE)  # what blocks it, at its field
    desk.get_by_role("switch", name="Status").check()
    desk.get_by_label(_STEPS[1]).fill(candu.token)
    desk.get_by_label("Candu's address").fill(service.url)
    desk.get_by_role("switch", name="Users and their properties").check()
    desk.get_by_role("switch", name="Events are sent to Candu").check()
    desk.get_by_role("radiogroup", name="Event types").get_by_text("Only these").click()
    desk.get_by_role("group", name="Event type").get_by_text("Upgraded plan").check()
    desk.get_by_role("radiogroup", name="Properties").get_by_text("All").click()
    expect(desk.locator("#at-parameters-apiKey .off")).to_have_count(0, timeout=_PATIENCE)
    expect(desk.locator("#tried .numbered")).to_contain_text('"event": "Upgraded plan"', timeout=_PATIENCE)
    desk.click("#setup button:text-is('Save')")
    expect(desk.locator("main > .said")).to_contain_text("It is on", timeout=_PATIENCE)
    expect(desk.locator("#state .badge")).to_have_text("Delivering", timeout=_PATIENCE)
    _send(source, "event", uuid="not chosen", event_type="Other")
    _send(source, "event", uuid="chosen", event_properties={"newPlan": "Team"})
    _send(source, "user")

    def arrived() -> list[dict[str, Any]]:
        found = _messages(desk, service, candu)
        return found if {each["type"] for each in found} == {"track", "identify"} else []

    calls = until(arrived, "an event and a user at the stand-in")
    events = [each for each in calls if each["type"] == "track"]
    assert {each["event"] for each in events} == {"Upgraded plan"}
    assert {each["properties"]["newPlan"] for each in events} == {"Team"}  # nothing from before the sync was on
    assert {each["traits"]["plan"] for each in calls if each["type"] == "identify"} == {"Business+"}
    expect(desk.locator("#state dd").first).not_to_have_text("0", timeout=_PATIENCE)  # the page renews itself


def test_an_integration_of_ones_own_sends_what_its_command_sends(desk: Page, doors: tuple[Service, Door, Door]) -> None:
    service, source, _ = doors
    _send(source, "event", uuid="to be tried")
    with Listener(always("200 OK")) as far:
        _write(desk, service)
        _begin_sync(desk, service, "Acme", source, "acme")
        desk.get_by_label("REST API Endpoint").fill(far.url)
        desk.get_by_label("REST API Key").fill("it's $HOME")
        desk.get_by_role("switch", name="Events are sent to Acme").check()
        desk.get_by_role("radiogroup", name="Properties").get_by_text("All").click()
        expect(desk.locator("#tried .numbered")).to_contain_text("Business+", timeout=_PATIENCE)  # the form as it is now
        desk.click("#tried summary:text-is('Test Payload')")
        desk.click("#tried .test-payload button:text-is('Copy')")
        desk.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('curl')", timeout=_PATIENCE)
        command: str = desk.evaluate("navigator.clipboard.readText()")
        assert "$HOME" not in command
        subprocess.run(["bash", "-c", command.replace("[secret]", "it'\\''s $HOME")], check=True, capture_output=True, timeout=30)
        desk.click("button:text-is('Send test event')")
        expect(desk.locator("#tried .said")).to_contain_text("Sent once: 200", timeout=_PATIENCE)
        desk.get_by_role("switch", name="Status").check()
        desk.click("#setup button:text-is('Save')")
        expect(desk.locator("main > .said")).to_contain_text("It is on", timeout=_PATIENCE)
        _send(source, "event", uuid="once more")
        until(lambda: len(far.heard) == 3, "the delivery")
    pasted, tested, delivered = map(_parts, far.heard)
    assert pasted == tested == delivered
    assert pasted[0] == "PUT /events/track HTTP/1.1"
    assert pasted[1]["authorization"] == "Key it's $HOME"
    assert json.loads(pasted[2])["properties"]["newPlan"] == "Business+"


def _write(page: Page, service: Service) -> None:
    """Write the integration of the guide, its commas too many caught; submit and release it."""
    page.goto(f"{service.url}/console/catalog")
    page.locator("form[aria-label='New integration']").get_by_label("Name").fill("acme")
    page.click("button:text-is('Begin')")
    page.get_by_label("Display name", exact=True).fill("Acme")
    for label, name, kept in (("REST API Endpoint", "endpoint", "plain"), ("REST API Key", "apiKey", "secret")):
        page.get_by_label("Parameter display name").last.fill(label)
        page.get_by_label("Parameter name").last.fill(name)
        page.get_by_label("Kept as").last.select_option(kept)
        page.click("button:text-is('Add a parameter')")
    page.get_by_label("Destination property name").last.fill("external_id")
    page.get_by_label("Required").last.select_option("required")
    page.get_by_label("Property offered first").last.fill("user_id")
    page.get_by_label("Method, events").select_option("PUT")
    page.get_by_label("URL endpoint, events").fill("${parameters.endpoint}/track")
    page.get_by_label("Header key, events").last.fill("Authorization")
    page.get_by_label("Header value, events").last.fill("Key ${parameters.apiKey}")
    body = page.locator("[name=events_body]")
    body.fill('{\n  "a": 1,\n  "b": ${mappedFields.}\n}')
    expect(page.locator("#at-events-body [data-line='3']")).to_contain_text("Line 3, column", timeout=_PATIENCE)
    expect(page.locator(".lined .wrong").first).to_have_text("3", timeout=_PATIENCE)
    body.fill(TRAILING)
    expect(page.locator("#previewed .off")).to_contain_text("take away the one at the end of line 5", timeout=_PATIENCE)
    page.click("#setup button:text-is('Save')")
    expect(page.locator("main > .said")).to_contain_text("It cannot be submitted yet: events: the body is no JSON", timeout=_PATIENCE)
    body.fill(TRAILING.replace('"library": "some library",', _PROPERTIES).replace("},\n},\n", "}\n}\n"))
    expect(page.locator("#previewed .off")).to_have_count(0, timeout=_PATIENCE)
    page.click("button:text-is('Prove')")
    expect(page.locator("#proof")).to_contain_text("always renders", timeout=_PATIENCE)
    page.click("#setup button:text-is('Save')")
    expect(page.locator("main > .said")).to_have_text("Saved.", timeout=_PATIENCE)
    page.click("button:text-is('Submit')")
    page.click("button:text-is('Release')")
    expect(page.locator("main > .said")).to_contain_text("it stands in the catalog", timeout=_PATIENCE)


def _parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the first line, the headers that an integration names, and the body of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first, {name: value for name, value in headers.items() if re.fullmatch("content-.*|user-agent|authorization", name)}, body
