"""Know which write keys exist, in which region, and whether their source is switched on."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

import msgspec

from candu_source.twin.rules import Drop, source_id

Region = Literal["us", "eu"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Describe one source: its write key, the region of its workspace, and whether it takes calls."""

    key: Annotated[str, msgspec.Meta(min_length=1)]
    region: Region = "us"
    enabled: bool = True


class Sources:
    """Hold the listed sources. Until one is listed, every key is known in every region. Safe to share between threads."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[Region, bool]] = {}

    def add(self, listed: list[Source]) -> None:
        """List sources, replacing those of the same key. The keys themselves are not kept."""
        with self._lock:
            self._listed.update({source_id(source.key): (source.region, source.enabled) for source in listed})

    def forget(self) -> None:
        """Unlist all: every key is known again."""
        with self._lock:
            self._listed.clear()

    def shown(self) -> list[dict[str, object]]:
        """Return the listed sources as {source, region, enabled}."""
        with self._lock:
            return [{"source": source, "region": region, "enabled": enabled} for source, (region, enabled) in self._listed.items()]

    def judge(self, source: str | None) -> Drop | None:
        """Return why everything sent with this key is dropped, or None. `source` is the key's `source_id`; None means no key."""
        if source is None:
            return Drop.NO_WRITE_KEY
        with self._lock:
            if not self._listed:
                return None
            region, enabled = self._listed.get(source, (None, False))
        if region is None:
            return Drop.UNKNOWN_WRITE_KEY
        if region != self._region:
            return Drop.WRONG_REGION
        return None if enabled else Drop.SOURCE_DISABLED
