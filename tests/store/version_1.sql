-- The store, version 1. Times are seconds since the epoch. Every table names its connection: no query reads across customers by accident.

CREATE TABLE connections (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    region       TEXT NOT NULL,
    segment_host TEXT,
    write_key    BLOB NOT NULL,                 -- encrypted
    rules        TEXT NOT NULL,                 -- JSON of model.Rules
    paused       INTEGER NOT NULL DEFAULT 0,
    created_at   REAL NOT NULL,
    pruned_to    INTEGER NOT NULL DEFAULT 0,    -- seqs up to here are released by retention
    filtered_expired INTEGER NOT NULL DEFAULT 0 -- filtered events that retention deleted
);

CREATE TABLE tokens (
    digest     BLOB PRIMARY KEY,                -- SHA-256 of the token; the token itself is shown once and not kept
    connection TEXT NOT NULL REFERENCES connections (id),
    created_at REAL NOT NULL,
    expires_at REAL
);
CREATE INDEX tokens_of ON tokens (connection);

CREATE TABLE log (
    place       INTEGER PRIMARY KEY AUTOINCREMENT, -- SQLite remembers the last place given out: a row that vanishes is missed
    connection  TEXT NOT NULL,
    seq         INTEGER NOT NULL,               -- 1, 2, 3… per connection, without gaps
    digest      BLOB NOT NULL UNIQUE,           -- of connection and message id, 16 bytes: the second copy is refused here
    message_id  TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    door        TEXT NOT NULL,
    message     BLOB NOT NULL,                  -- the Segment call, serialised once
    raw         BLOB NOT NULL,                  -- the item as received
    UNIQUE (connection, seq)
);

-- The last seq given out on each connection.
CREATE VIEW heads AS
SELECT c.id AS connection, max(c.pruned_to, coalesce((SELECT max(g.seq) FROM log g WHERE g.connection = c.id), 0)) AS head FROM connections c;

CREATE TABLE lanes (
    connection    TEXT NOT NULL,
    destination   TEXT NOT NULL,
    cursor        INTEGER NOT NULL DEFAULT 0,   -- all seqs up to here are delivered or dead
    failures      INTEGER NOT NULL DEFAULT 0,   -- tries in a row that did not get through
    waiting_since REAL NOT NULL DEFAULT 0,      -- when due_at was set: a clock that reads earlier has jumped
    due_at        REAL NOT NULL DEFAULT 0,
    held          TEXT,                         -- reason code, while only a person can mend it
    held_detail   TEXT,
    worker        TEXT,
    leased_at     REAL NOT NULL DEFAULT 0,
    leased_until  REAL NOT NULL DEFAULT 0,
    epoch         INTEGER NOT NULL DEFAULT 0,   -- grows with every claim: outcomes of an older claim are refused
    turn          INTEGER NOT NULL DEFAULT 0,   -- grows with every claim of any lane: the smallest is next
    dead_expired  INTEGER NOT NULL DEFAULT 0,   -- dead letters that retention deleted
    PRIMARY KEY (connection, destination)
);

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    first_seq   INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    replay      INTEGER NOT NULL,               -- a dead letter sent again
    settled     INTEGER NOT NULL,               -- ended these events (delivered or dead); settled ranges tile the log
    started_at  REAL NOT NULL,
    seconds     REAL NOT NULL,
    outcome     TEXT NOT NULL,
    status      INTEGER,
    detail      TEXT NOT NULL,
    decision    TEXT NOT NULL
);
CREATE INDEX attempts_settled ON attempts (connection, destination, first_seq) WHERE settled;
CREATE INDEX attempts_of ON attempts (connection, last_seq);

CREATE TABLE dead_letters (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    died_at     REAL NOT NULL,
    replay_at   REAL,                           -- asked to be sent again
    PRIMARY KEY (connection, destination, seq)
);
CREATE INDEX dead_replays ON dead_letters (connection, destination, seq) WHERE replay_at IS NOT NULL;

CREATE TABLE filtered (
    connection  TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    name        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    door        TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    raw         BLOB NOT NULL,
    PRIMARY KEY (connection, message_id)
);

-- What was kept as filtered and has become an event of the log is filtered no more.
CREATE TRIGGER filtered_no_more AFTER INSERT ON log BEGIN
    DELETE FROM filtered WHERE connection = NEW.connection AND message_id = NEW.message_id;
END;

CREATE TABLE rejects (
    id         INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    digest     BLOB NOT NULL,                   -- of door and raw: the same bytes again raise the count
    door       TEXT NOT NULL,
    code       TEXT NOT NULL,
    errors     TEXT NOT NULL,                   -- JSON {field: [message]}
    count      INTEGER NOT NULL,
    first_at   REAL NOT NULL,
    last_at    REAL NOT NULL,
    raw        BLOB NOT NULL,
    UNIQUE (connection, digest)
);

CREATE TABLE imports (
    connection TEXT NOT NULL,
    file       BLOB NOT NULL,                   -- digest of the file's path
    read_to    INTEGER NOT NULL,                -- byte offset up to which lines are committed
    before     BLOB NOT NULL,                   -- digest of what stood just before it: another file begins anew
    PRIMARY KEY (connection, file)
);
