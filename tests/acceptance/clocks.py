"""Give a service a wall clock that jumps while it runs; its monotonic clock goes on, as on a machine whose time is set."""

from __future__ import annotations

from pathlib import Path

import libfaketime

from tests.acceptance.service import Service

_LIBRARY = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


class Clock:
    """Move the wall clock of every process of a service, also of its command line, from now on."""

    def __init__(self, service: Service, directory: Path) -> None:
        self._file = directory / "clock"
        self.jump(0)
        service.variables.update(
            LD_PRELOAD=str(_LIBRARY), FAKETIME_TIMESTAMP_FILE=str(self._file), FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1"
        )

    def jump(self, seconds: int) -> None:
        """Put the clock so many seconds ahead of the true time, or behind it."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)
