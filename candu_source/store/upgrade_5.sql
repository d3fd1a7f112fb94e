-- Version 4 knew no warehouses: every lane was Segment's and began at the log's beginning.

ALTER TABLE lanes ADD COLUMN kind TEXT NOT NULL DEFAULT 'segment';
ALTER TABLE lanes ADD COLUMN began INTEGER NOT NULL DEFAULT 0;

-- Warehouses, each a lane of its connection. How far each has come stands in the warehouse itself; the lane's cursor follows.
CREATE TABLE warehouses (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,                  -- its lane, and its name
    place       BLOB NOT NULL,                  -- encrypted: a file, or an address with a password in it
    shown       TEXT NOT NULL,                  -- what may be shown of it
    schema      TEXT NOT NULL,
    every       INTEGER NOT NULL,               -- minutes between syncs
    max_pending INTEGER NOT NULL,               -- events waiting that are not left until then; 0 for any number
    selection   TEXT NOT NULL,                  -- JSON: what is loaded of the tables
    choices     TEXT NOT NULL,                  -- JSON: what Segment does not document, and limits
    created_at  REAL NOT NULL,
    asked       TEXT NOT NULL DEFAULT '',       -- sync; or backfill: tables in JSON
    syncing_since REAL,                         -- a sync is under way
    tables      TEXT NOT NULL DEFAULT '[]',     -- JSON: tables, columns, types and rows, as the last sync left them
    PRIMARY KEY (connection, destination)
);

-- Syncs that were, latest last.
CREATE TABLE syncs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    started_at  REAL NOT NULL,
    seconds     REAL NOT NULL,
    events      INTEGER NOT NULL,
    rows        INTEGER NOT NULL,               -- new in the warehouse
    remarks     TEXT NOT NULL,                  -- JSON: what could not be loaded as it came
    error       TEXT NOT NULL                   -- empty: it went well
);
CREATE INDEX syncs_of ON syncs (connection, destination, id);
