-- The store, version 3. Times are seconds since the epoch. Every table names its connection: no query reads across customers by accident.

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
    filtered_expired INTEGER NOT NULL DEFAULT 0, -- filtered events that retention deleted
    public_token TEXT,                          -- stands in web pages: lets browser events in, and nothing else
    identity_secret BLOB                        -- encrypted; proves user ids that come from browsers
);
CREATE UNIQUE INDEX connections_public ON connections (public_token);

CREATE TABLE tokens (
    digest     BLOB PRIMARY KEY,                -- SHA-256 of the token; the token itself is shown once and not kept
    connection TEXT NOT NULL REFERENCES connections (id),
    created_at REAL NOT NULL,
    expires_at REAL
);
CREATE INDEX tokens_of ON tokens (connection);

-- A row (a chunk) holds the events that one commit brought by one door for one connection: fewer and larger rows are far cheaper.
CREATE TABLE log (
    place       INTEGER PRIMARY KEY AUTOINCREMENT, -- of its last event among all ever written; SQLite remembers the highest: what vanishes is missed
    connection  TEXT NOT NULL,
    last_seq    INTEGER NOT NULL,               -- seqs are 1, 2, 3… per connection, without gaps
    events      INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    door        TEXT NOT NULL,
    digests     BLOB NOT NULL,                  -- of connection and message id, 16 bytes an event
    messages    BLOB NOT NULL,                  -- MessagePack array: the Segment calls, each serialised once
    raws        BLOB NOT NULL,                  -- MessagePack array: the items as received
    UNIQUE (connection, last_seq)
);

-- Every event of the log by its digest: the second copy is refused here, and the whole commit with it.
CREATE TABLE ids (
    digest BLOB PRIMARY KEY,
    place  INTEGER NOT NULL                     -- of the chunk that holds it
) WITHOUT ROWID;

CREATE TRIGGER chunk_written AFTER INSERT ON log BEGIN
    INSERT INTO ids (digest, place)
    WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < NEW.events)
    SELECT substr(NEW.digests, 1 + 16 * n, 16), NEW.place FROM event;
END;

CREATE TRIGGER chunk_deleted AFTER DELETE ON log BEGIN
    DELETE FROM ids WHERE digest IN (
        WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < OLD.events)
        SELECT substr(OLD.digests, 1 + 16 * n, 16) FROM event);
END;

-- The last seq given out on each connection.
CREATE VIEW heads AS
SELECT c.id AS connection, max(c.pruned_to, coalesce((SELECT max(g.last_seq) FROM log g WHERE g.connection = c.id), 0)) AS head
FROM connections c;

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
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: who reads on from an id misses nothing
    connection  TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    digest      BLOB NOT NULL UNIQUE,           -- as in the log
    name        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    door        TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    raw         BLOB NOT NULL,
    UNIQUE (connection, message_id)
);

-- What was kept as filtered and has become an event of the log is filtered no more.
CREATE TRIGGER filtered_no_more AFTER INSERT ON ids BEGIN
    DELETE FROM filtered WHERE digest = NEW.digest;
END;

CREATE TABLE rejects (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
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

-- Candu's contents that a connection has seen or been told of; the portal rule looks portals up here.
CREATE TABLE contents (
    connection TEXT NOT NULL,
    content_id TEXT,                            -- NULL: told by its slug alone, as in Candu's own list
    slug       TEXT,
    name       TEXT,
    portal_id  INTEGER,
    UNIQUE (connection, content_id),
    CHECK (content_id IS NOT NULL OR slug IS NOT NULL)
);
CREATE UNIQUE INDEX contents_told ON contents (connection, slug) WHERE content_id IS NULL;
CREATE INDEX contents_slug ON contents (connection, slug);

-- What is known of the shape of the inputs: of each door and event the paths and the JSON types that stand there.
CREATE TABLE shapes (
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    event      TEXT NOT NULL,
    path       TEXT NOT NULL,
    type       TEXT NOT NULL,
    always     INTEGER NOT NULL,                -- stood in the first input: its absence is noticed
    PRIMARY KEY (connection, door, event, path, type)
) WITHOUT ROWID;

-- What was not as known, once for each cause.
CREATE TABLE shape_notices (
    id         INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    event      TEXT NOT NULL,
    change     TEXT NOT NULL,                   -- unknown_event, new, missing or retyped
    path       TEXT NOT NULL,
    type       TEXT NOT NULL,                   -- as it came; empty where nothing came
    count      INTEGER NOT NULL,
    first_at   REAL NOT NULL,
    last_at    REAL NOT NULL,
    sample     BLOB NOT NULL,                   -- the first input that had it
    acked_at   REAL,
    UNIQUE (connection, door, event, change, path, type)
);

-- How far the watch on shapes has read: the log by place, filtered events and rejects by id.
CREATE TABLE shape_cursors (
    source  TEXT PRIMARY KEY,
    read_to INTEGER NOT NULL
);
