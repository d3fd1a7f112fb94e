"""Make calls to send to the twin."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import requests

KEY = "wk_secret_0123456789"
LONG = 3_600_000
"""Milliseconds that no test waits: what is this late comes only when the fault is healed."""


def track(**fields: Any) -> dict[str, Any]:
    """Make a track call that Segment stores; a field given as None is left out."""
    call = {"type": "track", "userId": "u1", "event": "tutorial.interaction"} | fields
    return {name: value for name, value in call.items() if value is not None}


def sized(size: int) -> bytes:
    """Make a track call of exactly so many bytes of JSON."""
    bare = json.dumps(track(padding="")).encode()
    return json.dumps(track(padding="x" * (size - len(bare)))).encode()


def brief(value: object) -> str | None:
    """Name a test by the length of a long body: its bytes would fill the screen, and gzip holds the time."""
    return f"{len(value)} bytes" if isinstance(value, bytes) and len(value) > 30 else None


def post(url: str, *calls: dict[str, Any], key: str | None = KEY, **more: Any) -> requests.Response:
    """Send calls in one batch."""
    return requests.post(f"{url}/v1/batch", json={"batch": list(calls)} | more, auth=None if key is None else (key, ""), timeout=30)


def post_body(url: str, body: bytes, kind: str = "batch", **headers: str) -> requests.Response:
    """Send bytes as they are."""
    return requests.post(f"{url}/v1/{kind}", data=body, headers=headers, auth=(KEY, ""), timeout=30)


def in_background(act: Callable[[], requests.Response]) -> Future[requests.Response]:
    """Do something that does not come back by itself, in a thread."""
    future: Future[requests.Response] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except requests.RequestException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
