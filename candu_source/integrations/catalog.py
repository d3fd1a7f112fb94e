"""Keep the integrations that are shipped: files like everybody's, and Candu's REST API, whose requests are written by code."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from candu_source.errors import NotFound, UsageError
from candu_source.integrations.tile import Info, Integration, Parameter, State
from candu_source.streams import CANDU_API

SHIPPED = ("candu", CANDU_API)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")

# `destinations.writing.candu_writer` reads these parameters.
_CANDU_API = Integration(
    info=Info(
        display_name="Candu",
        category="customer-engagement",
        summary="Send users, their groups and their events to Candu's REST API, whole, as a backend would.",
        description=(
            "Every identify, track and group call goes to Candu with all its traits or properties, so that content can be shown to whoever "
            "they say it is for. It takes events from every door; what came from Candu itself is not sent back to it."
        ),
    ),
    parameters=(
        Parameter("apiKey", "API key (from the settings of the Candu workspace)", secret=True),
        Parameter("endpoint", "Candu's address", default="https://api.candu.ai"),
        Parameter("dialect", "How the key is shown to Candu", default="bearer", options=("bearer", "basic-colon", "basic")),
        Parameter("arrays", "Several calls in one request", default="no", options=("no", "yes")),
    ),
    property_selection=False,
    state=State.RELEASED,
    by_code=True,
)


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an integration; that of a file has a point or a slash in it."""
    return _NAME.fullmatch(text) is not None


def shipped_file(name: str) -> bytes:
    """Return the file of a shipped integration; raise NotFound, and UsageError for one that has none."""
    if name == CANDU_API:
        raise UsageError(f"{CANDU_API} is written by code and has no file; `candu` sends to Candu by templates")
    if name not in SHIPPED:
        raise NotFound(f"there is no integration {name!r}; `candu-source integrations list` shows them all")
    return (resources.files("candu_source.integrations") / f"{name}.toml").read_bytes()


@cache
def shipped(name: str) -> Integration:
    """Return a shipped integration, the same each time; raise NotFound."""
    from candu_source.integrations.reading import read  # noqa: PLC0415 - who needs names alone starts sooner

    return _CANDU_API if name == CANDU_API else read(shipped_file(name), f"{name}.toml")
