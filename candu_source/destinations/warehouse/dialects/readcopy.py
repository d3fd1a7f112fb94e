"""Keep a copy of a DuckDB file for those who read: whoever has the old one open keeps it, whoever comes gets the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_PIECE_BYTES = 2**30


def read_copy_of(file: Path) -> Path:
    """Return the name of the copy: `warehouse.duckdb` is read as `warehouse.read.duckdb`."""
    return file.with_name(f"{file.stem}.read{file.suffix}")


def publish(file: Path) -> None:
    """Replace the copy where the file has changed since; raise OSError.

    The copy carries the file's time of change, so that one which a killed sync could not replace is replaced by the next. Who may read it
    is asked of the copy before it: people may open that to others.
    """
    copy, there = read_copy_of(file), file.stat()
    if copy.exists() and copy.stat().st_mtime_ns == there.st_mtime_ns:
        return
    draft = copy.with_name(f"{copy.name}.draft")
    with file.open("rb") as source, draft.open("wb") as target:
        _copy(source.fileno(), target.fileno(), there.st_size)
        os.fchmod(target.fileno(), (copy if copy.exists() else file).stat().st_mode & 0o777)
        os.utime(target.fileno(), ns=(there.st_atime_ns, there.st_mtime_ns))
        os.fsync(target.fileno())
    draft.replace(copy)


def _copy(source: int, target: int, size: int) -> None:
    """Copy by the kernel, which shares the blocks where the file system can; by hand where it does not copy."""
    try:
        while size > 0 and (copied := os.copy_file_range(source, target, min(size, _PIECE_BYTES))):
            size -= copied
    except (AttributeError, OSError):  # not Linux; or a file system that knows no such call
        os.lseek(source, 0, os.SEEK_SET)
        with os.fdopen(os.dup(source), "rb") as before, os.fdopen(os.dup(target), "wb") as after:
            before.seek(0), after.seek(0)
            shutil.copyfileobj(before, after)
