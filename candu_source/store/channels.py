"""Keep the channels that notices go to, their addresses encrypted, and the posts that wait for them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from candu_source.channels import Answer, ChannelKind, Letter, Post, What, checked, next_try, shown
from candu_source.errors import NotFound, SecretUnreadable
from candu_source.model import Connection, Secret
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.sqlite import Database
from candu_source.store.vault import Vault


class KeptChannel(NamedTuple):
    """Hold one channel; `connection` is an id, empty for the notices of all; `error` is what its last try met, empty when it was taken."""

    id: int
    kind: str
    shown: str
    connection: str
    connection_name: str
    created_at: float
    waiting: int
    tried_at: float | None
    error: str


class SqlChannels:
    """Add, list and remove channels; hand out posts and settle them. Implements announcer.Posts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._sql = database.sql
        self._vault = vault

    def add(self, kind: ChannelKind, address: str, connection: Connection | None = None, *, by: str) -> KeptChannel:
        """Send notices of one connection, or of all and of the service, to an address from now on; raise UsageError for a bad one."""
        secret = checked(kind, address)
        public, whose = shown(kind, secret), connection.id if connection else ""
        row = {"kind": kind, "address": self._vault.seal(secret), "shown": public, "connection": whose}
        with self._database.write() as db:
            identifier = db.execute(self._sql["add_channel"], row).fetchone()[0]
            changes = {"kind": (None, kind), "address": (None, MASKED)}
            write_audit(db, self._sql, by, "channel.added", public, changes, connection=whose or None)
        return self.get(identifier)

    def all(self, connection: str | None = None) -> list[KeptChannel]:
        """List channels, those of one connection's id alone or all."""
        return [KeptChannel._make(row) for row in self._database.rows("channels", {"id": None, "connection": connection})]

    def get(self, identifier: int) -> KeptChannel:
        """Find a channel; raise NotFound."""
        row = self._database.row("channels", {"id": identifier, "connection": None})
        if row is None:
            raise NotFound(f"there is no channel {identifier}; `candu-source channels list` shows them")
        return KeptChannel._make(row)

    def address(self, channel: KeptChannel) -> Secret:
        """Return where a channel leads; raise SecretUnreadable when it was encrypted with another secret key."""
        return self._vault.open(self._database.row("channel_address", {"id": channel.id})[0])

    def remove(self, identifier: int, *, by: str) -> KeptChannel:
        """Send nothing there any more, and forget what waits for it; raise NotFound."""
        channel = self.get(identifier)
        with self._database.write() as db:
            db.execute(self._sql["remove_channel"], {"id": identifier})
            changes = {"kind": (channel.kind, None), "address": (MASKED, None)}
            write_audit(db, self._sql, by, "channel.removed", channel.shown, changes, connection=channel.connection or None)
        return channel

    def due(self, most: int, busy: Collection[int], now: float) -> list[Post]:
        """Return the next post of every channel that is due and not busy, the longest-waiting first."""
        posts = []
        for row in self._database.rows("due_posts", {"most": most, "busy": json.dumps(list(busy)), "now": now}):
            identifier, channel, kind, sealed, tries, made_at, what, *letter = row
            try:
                address = self._vault.open(sealed)
            except SecretUnreadable:
                address = None
            posts.append(Post(identifier, channel, ChannelKind(kind), address, tries, made_at, Letter(What(what), *letter)))
        return posts

    def settle(self, post: Post, answer: Answer, now: float) -> None:
        """Write down what became of a try: taken, to be tried again, or given up."""
        due_at = None if answer.ok else next_try(post, now)
        state = "sent" if answer.ok else "given_up" if due_at is None else "waiting"
        error = "" if answer.ok else answer.detail
        self._database.run("settle_post", {"id": post.id, "state": state, "now": now, "due_at": due_at or now, "error": error})
