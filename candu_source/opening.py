"""Open the store for a process."""

from __future__ import annotations

from candu_source.ports import Observer
from candu_source.settings import Settings
from candu_source.store import Store, open_store


def build_store(settings: Settings, observer: Observer) -> Store:
    """Open the store and say so when a secret key had to be made."""
    store = open_store(settings)
    if store.made_key:
        path = settings.store_path()
        observer.tell(
            "secret_key.made", file=f"{path}.key", advice="Keep a copy, or set CANDU_SOURCE_SECRET_KEY; without it write keys are lost."
        )
    return store
