"""Connect a Segment workspace: make the source there, and the connection here with the write key read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from candu_source.errors import Conflict, UsageError
from candu_source.model import Connection, Secret


class Source(NamedTuple):
    """Hold one source of a Segment workspace."""

    id: str
    slug: str
    enabled: bool
    catalogue_id: str
    write_keys: Sequence[Secret]


class Workspace(Protocol):
    """A Segment workspace by its Public API; needed here. Every method raises UsageError for what the caller can mend."""

    def find_source(self, slug: str) -> Source | None:
        """Return the source of that slug, or None."""
        ...

    def create_source(self, slug: str) -> Source:
        """Make a Candu source of that slug; raise Conflict when it is taken."""
        ...


class Connections(Protocol):
    """Where connections are made; needed here."""

    def vet(self, draft: Connection) -> Connection:
        """Return a draft with its slug; raise Conflict when its name or slug is taken."""
        ...

    def add(self, draft: Connection, write_key: Secret, *, by: str) -> tuple[Connection, Secret]:
        """Make it and return it with the server's token; raise Conflict."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Hold what connecting gave; `token` is the server's, to be shown once, `made` whether the source was made just now."""

    connection: Connection
    token: Secret
    source: Source
    made: bool


def connect(workspace: Workspace, connections: Connections, draft: Connection, *, use_existing: bool, by: str) -> Connected:
    """Make or find the source that the draft's name gives, then the connection.

    Nothing is made at Segment when the connection could not be made here. Asked again after a failure, `use_existing` takes the source
    that is there. Raises UsageError and Conflict, which say what to do.
    """
    named = connections.vet(draft)
    there = workspace.find_source(named.slug)
    if there and not use_existing:
        raise Conflict(f"the workspace has a source {named.slug} already; --use-existing takes it, another name makes another")
    source = there or workspace.create_source(named.slug)
    connection, token = connections.add(replace(draft, segment_source=source.id), _key(source), by=by)
    return Connected(connection, token, source, made=there is None)


def _key(source: Source) -> Secret:
    """Return the source's write key; Segment leaves the keys out for tokens without the role."""
    if not source.write_keys:
        raise UsageError(
            f"Segment does not show the write key of source {source.slug} to this token: use one with the Source Admin role and "
            "--use-existing, or copy the key and `candu-source connections add`"
        )
    return source.write_keys[0]
