-- Version 5 knew no syncs: what a lane met, it met as a whole, and no lane passed an event over.

ALTER TABLE lanes ADD COLUMN passed_expired INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN due_at REAL NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX dead_due ON dead_letters (connection, destination, due_at, seq) WHERE replay_at IS NOT NULL;
CREATE INDEX dead_asked ON dead_letters (connection, destination, replay_at) WHERE replay_at IS NOT NULL;
CREATE INDEX attempts_passed ON attempts (connection, destination, last_seq, events) WHERE decision = 'filter';

-- Syncs: streams of a connection's events and users to what an integration describes, each a lane of its connection.
CREATE TABLE streams (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,                  -- its lane, and its name
    integration TEXT NOT NULL,
    choices     TEXT NOT NULL,                  -- JSON: what is sent, of what
    parameters  TEXT NOT NULL,                  -- JSON: what the integration asks for, without what is secret
    secrets     BLOB NOT NULL,                  -- encrypted JSON: what is secret
    created_at  REAL NOT NULL,
    PRIMARY KEY (connection, destination)
);

-- Integrations that people made: what is being written, and what syncs use.
CREATE TABLE integrations (
    name         TEXT PRIMARY KEY,
    state        TEXT NOT NULL,                 -- of what is being written: draft, submitted or released
    draft        BLOB NOT NULL,                 -- as a file
    released     BLOB,                          -- as a file; NULL: never released
    logo         BLOB,                          -- PNG
    changed_at   REAL NOT NULL,
    submitted_at REAL,
    released_at  REAL
);
