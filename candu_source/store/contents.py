"""Keep Candu's contents as each connection knows them: from events that were seen, and from what people tell."""

from __future__ import annotations

import json
from collections.abc import Sequence

from candu_source.model import Connection, Content
from candu_source.store.audit import write_audit
from candu_source.store.sqlite import Database


class SqlContents:
    """List contents and learn of more; every call names its connection (by id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, connection: str) -> list[Content]:
        """List the contents of a connection by slug, those without one last."""
        return [Content._make(row) for row in self._database.rows("contents", {"connection": connection})]

    def metadata(self, connection: str) -> list[tuple[str, str]]:
        """List (name, slug) of the contents that have a slug, by slug; the slug stands in for a name that is not known."""
        return [(name, slug) for name, slug in self._database.rows("content_metadata", {"connection": connection})]

    def tell(self, connection: Connection, contents: Sequence[Content], *, by: str) -> None:
        """Write down what was told, all or nothing: later words go over earlier ones, and what is None erases nothing."""
        statements = self._database.sql
        rows = [{"connection": connection.id, **content._asdict()} for content in contents]
        slugs = [row for row in rows if row["content_id"] is None]
        with self._database.write() as db:
            db.executemany(statements["tell_content"], [row for row in rows if row["content_id"] is not None])
            db.executemany(statements["tell_slug"], slugs)
            db.executemany(statements["rename_slug"], slugs)
            write_audit(db, statements, by, "contents.told", connection.name, {"contents": (None, len(rows))}, connection=connection.id)

    def set_portal(self, connection: Connection, content_id: str, portal_id: int | None, *, by: str) -> None:
        """Put another portal in place for one content; None takes it away."""
        wanted = {"connection": connection.id, "content_id": content_id, "portal_id": portal_id}
        with self._database.write() as db:
            db.execute(self._database.sql["set_portal"], wanted)
            changes = {content_id: (None, portal_id)}
            write_audit(db, self._database.sql, by, "portal.changed", connection.name, changes, connection=connection.id)

    def seen(self, connection: str, pairs: Sequence[tuple[str, str | None]]) -> int:
        """Learn (content id, slug) of events: add what is unknown, fill in a slug that was missing; return how many that were.

        When nothing is new this only reads. Ids and slugs that nobody could print are no contents, and are passed over.
        """
        clean = [(content_id, slug if _is_word(slug) else None) for content_id, slug in pairs if _is_word(content_id)]
        wanted = {"connection": connection, "pairs": json.dumps(clean)}
        if not self._database.rows("unseen_contents", wanted):
            return 0
        return self._database.run("see_contents", wanted)


def _is_word(text: str | None) -> bool:
    """Tell whether a text can stand in the table and be read back: not empty, no NUL, no half of a surrogate pair."""
    return text is not None and text != "" and text.isprintable()
