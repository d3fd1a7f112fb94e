"""Name things as Segment's warehouses do: pure."""

from __future__ import annotations

import re

_OTHERS = re.compile(r"[^a-z0-9]+")


def schema_name(nickname: str) -> str:
    """Return the warehouse schema that a source's nickname names: lower case, runs of other characters as `_`, none before a digit alone.

    Candu_Prod is candu_prod, 3doctors is _3doctors (Segment, "Warehouse schemas"); empty when no letter or digit is left.
    """
    slug = _OTHERS.sub("_", nickname.lower()).strip("_")
    return f"_{slug}" if slug[:1].isdigit() else slug
