"""Give a service a disk that fills up for real: a small mounted one where that is allowed, else files that may not grow."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.service import Service

_DISK_MB = 48
_LEFT_MB = 3
_MB = 2**20


class SmallDisk:
    """Mount a small disk for the store; room is made while the service runs."""

    def __init__(self, service: Service) -> None:
        self._directory = service.store.parent
        self._ballast = self._directory / "ballast"

    @classmethod
    @contextlib.contextmanager
    def put_under(cls, service: Service) -> Iterator[SmallDisk]:
        """Keep the store of a service that does not run yet on a disk of its own."""
        with mounted(service.store.parent):
            yield cls(service)

    def fill(self) -> None:
        """Leave so little room that SQLite meets the end of it soon."""
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _free(self._directory) - _LEFT_MB * _MB)

    def make_room(self) -> None:
        """Give the room back; the service need not be told."""
        self._ballast.unlink()


class LimitedFiles:
    """Forbid every process of the service to make files larger than a few MB; room is made by starting it again without the limit."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @classmethod
    @contextlib.contextmanager
    def put_under(cls, service: Service) -> Iterator[LimitedFiles]:
        """Let a service that does not run yet start under the limit."""
        blocks = _LEFT_MB * _MB // 512
        service.wrapper = ("sh", "-c", f'ulimit -f {blocks} && exec "$@"', "sh")
        yield cls(service)

    def fill(self) -> None:
        """Do nothing: the files are small from the start."""

    def make_room(self) -> None:
        """Start the service again without the limit."""
        self._service.stop()
        self._service.wrapper = ()
        self._service.serve()


@contextlib.contextmanager
def mounted(place: Path) -> Iterator[None]:
    """Mount a small disk; needs root."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "candu-source-test", str(place)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def ways_to_fill_up() -> list[type[SmallDisk | LimitedFiles]]:
    """List what this machine allows: limited files always, a mounted disk for root where mounting works."""
    if os.geteuid() != 0:
        return [LimitedFiles]
    try:
        with tempfile.TemporaryDirectory() as directory, mounted(Path(directory) / "disk"):
            return [SmallDisk, LimitedFiles]
    except (subprocess.CalledProcessError, FileNotFoundError):
        return [LimitedFiles]


def _free(directory: Path) -> int:
    stat = os.statvfs(directory)
    return stat.f_bavail * stat.f_frsize
