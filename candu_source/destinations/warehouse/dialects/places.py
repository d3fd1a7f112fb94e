"""Find the warehouse that people's words mean."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.dialects.server import Server
from candu_source.errors import UsageError
from candu_source.model import Secret

_DUCKDB, _SUFFIX = "duckdb:///", ".duckdb"
_POSTGRES = ("postgresql://", "postgres://")
PATIENCE_SECONDS = 30.0


def warehouse_at(place: Secret, *, allow_private: bool, read_copy: bool = True, patience: float = PATIENCE_SECONDS) -> Warehouse:
    """Return the warehouse at `duckdb:///path`, `path.duckdb`, `postgresql://…` or `host=… user=…`; raise UsageError.

    `patience` is how many seconds to wait for another one who has it open.
    """
    where = _read(place)
    if isinstance(where, Server):
        from candu_source.destinations.warehouse.dialects.postgres import PostgresWarehouse  # noqa: PLC0415 - a process loads what it needs

        return PostgresWarehouse(where, allow_private=allow_private, patience=patience)
    from candu_source.destinations.warehouse.dialects.duckdb import DuckDbWarehouse  # noqa: PLC0415 - 30 MB of memory

    return DuckDbWarehouse(where, read_copy=read_copy, patience=patience)


def shown(place: Secret) -> str:
    """Return where it is, without a password; raise UsageError as `warehouse_at` does."""
    where = _read(place)
    return where.shown() if isinstance(where, Server) else f"{_DUCKDB}{where}"


def _read(place: Secret) -> Path | Server:
    text = place.reveal().strip()
    if text.startswith(_POSTGRES):
        return Server.read(text)
    if text.startswith(_DUCKDB):
        return _file(unquote(text.removeprefix(_DUCKDB)))
    if text.endswith(_SUFFIX):
        return _file(text)
    if "=" in text:
        return Server.read(text)
    raise UsageError("the place of a warehouse is duckdb:///var/warehouse.duckdb (duckdb:////absolute/path) or postgresql://…")


def _file(path: str) -> Path:
    if not path.endswith(_SUFFIX) or path.endswith(f".read{_SUFFIX}") or "\0" in path:
        raise UsageError(f"the file of a warehouse ends with {_SUFFIX}, and not with .read{_SUFFIX}: so is the copy for readers called")
    return Path(path)
