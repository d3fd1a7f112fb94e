"""Keep everything durably: `open_store` gives the parts, each for one need."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.settings import Settings
from candu_source.store.audit import SqlAudit
from candu_source.store.committer import Committer
from candu_source.store.connections import SEGMENT_LANE, SqlConnections
from candu_source.store.contents import SqlContents
from candu_source.store.lanes import SqlLanes
from candu_source.store.ledger import SqlLedger
from candu_source.store.retention import SqlKeeper
from candu_source.store.shapes import SqlShapes
from candu_source.store.shelves import SqlShelves
from candu_source.store.sqlite import Database
from candu_source.store.tokens import SqlTokens
from candu_source.store.trace import SqlTrace
from candu_source.store.vault import Vault, key_beside

__all__ = ["SEGMENT_LANE", "Database", "Store", "open_store"]


@dataclass(frozen=True, slots=True)
class Store:
    """Hold the parts of one open store; `made_key` tells whether a secret key was made just now."""

    database: Database
    log: Committer
    lanes: SqlLanes
    connections: SqlConnections
    tokens: SqlTokens
    audit: SqlAudit
    contents: SqlContents
    ledger: SqlLedger
    shelves: SqlShelves
    shapes: SqlShapes
    trace: SqlTrace
    keeper: SqlKeeper
    made_key: bool

    def close(self) -> None:
        """Commit what waits and close the file."""
        self.log.close()
        self.database.close()


def open_store(settings: Settings) -> Store:
    """Open (or make, or upgrade) the store that the settings name; raise StoreTooNew, StoreBusy, StoreFull or StoreError."""
    path = settings.store_path()
    database = Database(path, min_free_bytes=settings.min_free_mb * 2**20, max_bytes=settings.store_max_mb * 2**20)
    key, made = (settings.secret_key, False) if settings.secret_key else key_beside(path)
    vault = Vault(key)
    connections = SqlConnections(database, vault)
    return Store(
        database=database,
        log=Committer(database, deadline_seconds=settings.commit_deadline_ms / 1000),
        lanes=SqlLanes(database, vault.open, lease_seconds=settings.lease_seconds),
        connections=connections,
        tokens=SqlTokens(database, connections.named),
        audit=SqlAudit(database),
        contents=SqlContents(database),
        ledger=SqlLedger(database),
        shelves=SqlShelves(database),
        shapes=SqlShapes(database),
        trace=SqlTrace(database),
        keeper=SqlKeeper(database, retention_days=settings.retention_days, reject_retention_days=settings.reject_retention_days),
        made_key=made,
    )
