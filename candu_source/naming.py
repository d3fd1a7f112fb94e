"""Name schemas as Segment's warehouses do, and lanes as addresses and commands can: pure."""

from __future__ import annotations

import re

from candu_source.errors import UsageError

_LANE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_OTHERS = re.compile(r"[^a-z0-9]+")


def schema_name(nickname: str) -> str:
    """Return the warehouse schema that a source's nickname names: lower case, runs of other characters as `_`, none before a digit alone.

    Candu_Prod is candu_prod, 3doctors is _3doctors (Segment, "Warehouse schemas"); empty when no letter or digit is left.
    """
    slug = _OTHERS.sub("_", nickname.lower()).strip("_")
    return f"_{slug}" if slug[:1].isdigit() else slug


def insist_on_lane_name(what: str, name: str) -> None:
    """Raise UsageError for a name that no lane can have; `what` would have it."""
    if not _LANE.fullmatch(name):
        raise UsageError(f"a {what} cannot be called {name!r}; use a-z, 0-9, - and _, a letter first")
