"""A newcomer runs the demo, follows the links that it prints, and sees the samples in the warehouse, drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.console.showing import drawn
from tests.console.site import PASSWORD


@pytest.fixture
def links(tmp_path: Path) -> Iterator[list[str]]:
    """Run the demo until the test is over; yield the console's links that it printed."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("CANDU_SOURCE_", "PROMETHEUS_"))}
    command = [sys.executable, "-u", "-m", "candu_source", "demo"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**clean, "CANDU_SOURCE_MIN_FREE_MB": "0"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        found: list[str] = []
        for line in demo.stdout:
            found += re.findall(r"http://\S+/console/\S+", line)
            if "Ctrl-C" in line:
                break
        yield found
        demo.terminate()
        demo.wait(60)
        demo.stdout.close()


def test_the_demo_ends_with_the_samples_drawn(chromium: Browser, links: list[str]) -> None:
    welcome, warehouse = links
    page = chromium.new_context().new_page()
    page.goto(welcome)
    page.fill("[name=name]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.click("button:text-is('Begin')")
    page.goto(warehouse)
    expect(page.locator("#state .badge")).to_have_text("Up to date")
    expect(page.locator(".table-card", has_text="tutorial_interaction")).to_contain_text("rows")
    expect(page.locator(".bars li").first).to_contain_text("48213")
    expect(page.locator(".answered canvas")).to_have_count(1)
    assert drawn(page.locator(".answered .chart")) > 0
    page.context.close()
