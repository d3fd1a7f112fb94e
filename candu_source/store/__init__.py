"""Keep everything durably: `open_store` gives the parts, each for one need."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.settings import Settings
from candu_source.store.admin_tokens import SqlAdminTokens
from candu_source.store.audit import SqlAudit
from candu_source.store.channels import SqlChannels
from candu_source.store.committer import Committer
from candu_source.store.confirmations import SqlConfirmations
from candu_source.store.confirmer import Confirmer
from candu_source.store.connections import SEGMENT_LANE, SqlConnections
from candu_source.store.contents import SqlContents
from candu_source.store.departures import SqlDepartures
from candu_source.store.entries import SqlEntries
from candu_source.store.export import SqlExport
from candu_source.store.groups import SqlGroups
from candu_source.store.index import SqlIndex
from candu_source.store.integrations import SqlIntegrations
from candu_source.store.lanes import SqlLanes
from candu_source.store.ledger import SqlLedger
from candu_source.store.notices import SqlNotices
from candu_source.store.people import SqlPeople
from candu_source.store.probes import SqlProbes
from candu_source.store.replay_turns import SqlReplayable, SqlTurns
from candu_source.store.replays import SqlReplays
from candu_source.store.retention import SqlKeeper
from candu_source.store.search import SqlSearch
from candu_source.store.setbacks import SqlSetbacks
from candu_source.store.shapes import SqlShapes
from candu_source.store.shelves import SqlShelves
from candu_source.store.sqlite import Database
from candu_source.store.stats import SqlStats
from candu_source.store.streams import SqlStreams
from candu_source.store.tokens import SqlTokens
from candu_source.store.trace import SqlTrace
from candu_source.store.vault import Vault, key_beside
from candu_source.store.warehouses import SqlWarehouses

__all__ = ["SEGMENT_LANE", "Database", "Store", "open_store"]


@dataclass(frozen=True, slots=True)
class Store:
    """Hold the parts of one open store; `made_key` tells whether a secret key was made just now."""

    database: Database
    log: Committer
    lanes: SqlLanes
    connections: SqlConnections
    departures: SqlDepartures
    export: SqlExport
    tokens: SqlTokens
    confirmations: SqlConfirmations
    confirmer: Confirmer
    probes: SqlProbes
    audit: SqlAudit
    people: SqlPeople
    admin_tokens: SqlAdminTokens
    vault: Vault
    contents: SqlContents
    ledger: SqlLedger
    shelves: SqlShelves
    groups: SqlGroups
    shapes: SqlShapes
    trace: SqlTrace
    index: SqlIndex
    search: SqlSearch
    stats: SqlStats
    keeper: SqlKeeper
    replays: SqlReplays
    turns: SqlTurns
    replayable: SqlReplayable
    notices: SqlNotices
    channels: SqlChannels
    warehouses: SqlWarehouses
    streams: SqlStreams
    integrations: SqlIntegrations
    setbacks: SqlSetbacks
    entries: SqlEntries
    made_key: bool

    def close(self) -> None:
        """Commit what waits and close the file."""
        self.log.close()
        self.confirmer.close()
        self.database.close()


def open_store(settings: Settings) -> Store:
    """Open (or make, or upgrade) the store that the settings name; raise StoreTooNew, StoreBusy, StoreFull or StoreError."""
    path = settings.store_path()
    database = Database(path, min_free_bytes=settings.min_free_mb * 2**20, max_bytes=settings.store_max_mb * 2**20)
    key, made = (settings.secret_key, False) if settings.secret_key else key_beside(path)
    vault = Vault(key)
    connections = SqlConnections(database, vault, settings.segment_hosts())
    confirmations = SqlConfirmations(database)
    replays = SqlReplays(database, lease_seconds=settings.lease_seconds)
    return Store(
        database=database,
        log=Committer(database, deadline_seconds=settings.commit_deadline_ms / 1000),
        lanes=SqlLanes(database, vault.open, hosts=settings.segment_hosts(), lease_seconds=settings.lease_seconds),
        connections=connections,
        departures=SqlDepartures(database),
        export=SqlExport(database),
        tokens=SqlTokens(database, connections.named),
        confirmations=confirmations,
        confirmer=Confirmer(confirmations, deadline_seconds=settings.commit_deadline_ms / 1000),
        probes=SqlProbes(database),
        audit=SqlAudit(database),
        people=SqlPeople(database),
        admin_tokens=SqlAdminTokens(database),
        vault=vault,
        contents=SqlContents(database),
        ledger=SqlLedger(database),
        shelves=SqlShelves(database),
        groups=SqlGroups(database),
        shapes=SqlShapes(database),
        trace=SqlTrace(database),
        index=SqlIndex(database),
        search=SqlSearch(database),
        stats=SqlStats(database),
        keeper=SqlKeeper(database, retention_days=settings.retention_days, reject_retention_days=settings.reject_retention_days),
        replays=replays,
        turns=SqlTurns(database, replays, connections, vault.open, hosts=settings.segment_hosts(), lease_seconds=settings.lease_seconds),
        replayable=SqlReplayable(database),
        notices=SqlNotices(
            database,
            connections.unreadable_keys,
            confirmations.evidence,
            quiet_seconds=settings.notice_silence_minutes * 60,
            keep_seconds=settings.reject_retention_days * 86_400,
        ),
        channels=SqlChannels(database, vault),
        warehouses=SqlWarehouses(database, vault),
        streams=SqlStreams(database, vault),
        integrations=SqlIntegrations(database),
        setbacks=SqlSetbacks(database),
        entries=SqlEntries(database),
        made_key=made,
    )
