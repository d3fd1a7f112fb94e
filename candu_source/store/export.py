"""Write out everything that a connection has, secrets aside, as lines of JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from candu_source.draft import said
from candu_source.model import Connection
from candu_source.store.chunks import logged
from candu_source.store.sqlite import Database

# Rows at a time; each may hold an input as large as a body may be.
_STEP = 8
# Kind of line -> the statement that walks its rows, whose first column is the place to go on from, and the names of the other columns.
_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "token": ("export_tokens", "use label shown created_at expires_at"),
        "content": ("export_contents", "content_id slug name portal_id"),
        "filtered": ("export_filtered", "message_id name reason door accepted_at raw"),
        "reject": ("export_rejects", "door code errors count first_at last_at raw"),
        "attempt": (
            "export_attempts",
            "destination first_seq last_seq events replay settled started_at seconds outcome status detail decision",
        ),
        "dead_letter": ("export_dead_letters", "destination seq reason detail died_at replay_at"),
        "audit": ("export_audit", "at who action name changes"),
    }
)
# Columns that hold JSON already.
_JSON = frozenset({"errors", "changes"})
_encode = msgspec.json.Encoder().encode


class SqlExport:
    """Walk a connection's rows a few at a time, whatever their number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, connection: Connection) -> Iterator[bytes]:
        """Yield lines of JSON, each with its `kind`: the connection first, then its events in order, then the kinds of the table above.

        Messages are as they were made; raw input stands in `raw` as text, or in `raw_base64` where it is none. Times are seconds since
        the epoch. What comes while this is read may be in it or not.
        """
        own = {"id": connection.id, "slug": connection.slug, "created_at": connection.created_at}
        yield _line({"kind": "connection", **own, **said(connection)})
        for row in self._walk("export_chunks", connection):
            for event in logged(row):
                known = {name: getattr(event, name) for name in ("seq", "message_id", "accepted_at", "door")}
                yield _line({"kind": "event", **known, "message": msgspec.Raw(event.message), **_raw(event.raw)})
        for kind, (statement, names) in _KINDS.items():
            for row in self._walk(statement, connection):
                yield _line({"kind": kind, **_named(names.split(), row)})

    def _walk(self, statement: str, connection: Connection) -> Iterator[Any]:
        wanted = {"connection": connection.id, "after": 0, "most": _STEP}
        while rows := self._database.rows(statement, wanted):
            yield from (row[1:] for row in rows)
            wanted["after"] = rows[-1][0]


def _named(names: Sequence[str], row: Any) -> dict[str, Any]:
    values = dict(zip(names, row, strict=True))
    values |= {name: msgspec.Raw(values[name].encode()) for name in _JSON & values.keys()}
    return {**values, **_raw(values.pop("raw"))} if "raw" in values else values


def _raw(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _line(values: Mapping[str, Any]) -> bytes:
    return _encode(values) + b"\n"
