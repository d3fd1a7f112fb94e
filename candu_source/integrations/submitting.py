"""Hold an integration to what it has to be before it is submitted. Pure."""

from __future__ import annotations

from candu_source.errors import UsageError
from candu_source.integrations.checking import check
from candu_source.integrations.proving import prove
from candu_source.integrations.tile import Integration


def insist_working(integration: Integration) -> None:
    """Raise UsageError for the first flaw that blocks it, else for the first payload that does not always render, or not as JSON."""
    for flaw in check(integration).blocking:
        raise UsageError(str(flaw))
    for kind in integration.payloads:
        proof = prove(integration, kind)
        if not proof.holds:
            raise UsageError(f"{kind}: {proof}")
