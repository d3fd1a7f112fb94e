"""Take a picture of every page of the console, full and empty, in every look: `python -m tests.console.pictures DIRECTORY`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from candu_source.destinations.warehouse.questions import QUESTIONS
from tests.console.showing import LOOKS, NAMED, PATHS, Shown, show


def main(directory: Path) -> None:
    """Write the pictures as PNG files."""
    directory.mkdir(parents=True, exist_ok=True)
    chromium_path = shutil.which("chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as store:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        with show(chromium, Path(store)) as shown:
            for look in LOOKS:
                context = shown.context(chromium, look)
                for name, address in _addresses(shown).items():
                    _take(context.new_page(), shown.url + address, directory / f"{name}-{look}.png")
                context.close()
        chromium.close()


def _addresses(shown: Shown) -> dict[str, str]:
    found = {}
    for path in PATHS:
        name = path.replace("connections/{connection}/", "").replace("/", "-") or "overview"
        found[name] = "/console/" + path.replace("{connection}", shown.full.id)
        if "{connection}" in path:
            found[f"{name}-empty"] = "/console/" + path.replace("{connection}", shown.empty.id)
    event = shown.site.store.trace.tail(shown.full.id, most=1)[0].message_id
    reject = shown.site.store.shelves.rejects(shown.full.id, 1)[0].id
    found["event"] = f"/console/connections/{shown.full.id}/events/{event}"
    warehouse = f"/console/connections/{shown.full.id}/warehouse"
    found |= {f"warehouse-{name}": f"{warehouse}/questions/{name}" for name in QUESTIONS}
    found["warehouse-table"] = f"{warehouse}/tables/screens"
    found |= {"-".join(path.split("/")[-2:]): f"/console/{path.replace('{connection}', shown.full.id)}" for path in NAMED}
    found["reject"] = f"/console/connections/{shown.full.id}/rejects/{reject}"
    return found


def _take(page: Page, address: str, file: Path) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(150)  # charts and previews come a moment later
    page.screenshot(path=file, full_page=True)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
