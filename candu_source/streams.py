"""Hold a sync as a frozen value: one stream of a connection's events and users to the destination that an integration describes.

People, and Amplitude, call it a sync; the word stands here for what a warehouse's syncs did (`warehouses`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The native Candu destination is set up like every integration; it has no templates.
CANDU_API = "candu-api"
# Both lead to Candu, which knows already what came from it.
TO_CANDU = frozenset({"candu", CANDU_API})


@dataclass(frozen=True, slots=True)
class Stream:
    """Describe one sync of a connection, without the values of its secret parameters.

    `name` is its lane. `choices` are as people wrote them (`integrations.choices` reads them); `secrets` names the secret parameters
    that are filled in. While it is not `enabled` nothing is sent, and what comes meanwhile never will be.
    """

    connection: str
    name: str
    integration: str
    choices: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    enabled: bool = False
    created_at: float = 0.0
