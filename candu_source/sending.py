"""Build what sends on somebody's word, for pages and commands too: they start without what only a worker needs."""

from __future__ import annotations

from candu_source.destinations.channels import Courier
from candu_source.destinations.posting import Poster
from candu_source.destinations.streams import StreamDestination
from candu_source.settings import Settings
from candu_source.store import Store


def build_courier(settings: Settings) -> Courier:
    """Return what sends to channels."""
    return Courier(allow_private=settings.allow_private_addresses)


def build_streams(settings: Settings, store: Store) -> StreamDestination:
    """Return what delivers the events of syncs."""
    poster = Poster(senders=settings.senders, timeout_seconds=settings.send_timeout_seconds, allow_private=settings.allow_private_addresses)
    return StreamDestination(poster, store.integrations.released)
