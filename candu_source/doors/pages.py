"""Answer a person who opens a door's address in a browser."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex"><title>candu-source</title>
<p>This is {what}. It takes POST.
<p>{seen}
</html>
"""


def door_page(what: str, seen: str) -> Response:
    """Return a short page without names: what the address is, and what was seen there."""
    page = Response(_PAGE.format(what=what, seen=seen), content_type="text/html; charset=utf-8")
    page.headers["Content-Security-Policy"] = "default-src 'none'"
    page.headers["Cache-Control"] = "no-store"
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


def last_seen(last: float | None) -> str:
    """Say when the last event came, given in seconds since the epoch."""
    return f"Last event seen {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S} UTC." if last else "No event seen yet."
