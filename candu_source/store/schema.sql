-- The store, version 7. Times are seconds since the epoch. Every table names its connection: no query reads across customers by accident.

CREATE TABLE connections (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,          -- the nickname
    slug         TEXT NOT NULL UNIQUE,          -- the warehouse schema that the nickname names
    environment  TEXT NOT NULL DEFAULT '',      -- a label: production, staging…
    region       TEXT NOT NULL,
    segment_host TEXT,
    write_key    BLOB NOT NULL,                 -- encrypted
    rules        TEXT NOT NULL,                 -- JSON of model.Rules
    paused       INTEGER NOT NULL DEFAULT 0,
    created_at   REAL NOT NULL,
    pruned_to    INTEGER NOT NULL DEFAULT 0,    -- seqs up to here are released by retention
    filtered_expired INTEGER NOT NULL DEFAULT 0, -- filtered events that retention deleted
    identity_secret BLOB,                       -- encrypted; proves user ids that come from browsers
    requests_per_minute INTEGER NOT NULL DEFAULT 0, -- at its doors; 0 for no limit
    pending_most INTEGER NOT NULL DEFAULT 0,    -- events that may wait before its doors refuse more; 0 for no limit
    segment_source TEXT                         -- id of the source in the Segment workspace, where we made it
);

CREATE TABLE tokens (
    digest     BLOB PRIMARY KEY,                -- SHA-256 of the token
    connection TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    door       TEXT NOT NULL,                   -- server, browser or readback
    label      TEXT NOT NULL DEFAULT '',
    shown      TEXT NOT NULL,                   -- a browser's token as it stands in pages; of others, which are shown once, the end
    created_at REAL NOT NULL,
    expires_at REAL
);
CREATE INDEX tokens_of ON tokens (connection, door);

-- A row (a chunk) holds the events that one commit brought by one door for one connection: fewer and larger rows are far cheaper.
CREATE TABLE log (
    place       INTEGER PRIMARY KEY AUTOINCREMENT, -- of its last event among all ever written; SQLite remembers the highest: what vanishes is missed
    connection  TEXT NOT NULL,
    last_seq    INTEGER NOT NULL,               -- seqs are 1, 2, 3… per connection, without gaps
    events      INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    door        TEXT NOT NULL,
    digests     BLOB NOT NULL,                  -- of connection and message id, 16 bytes an event
    messages    BLOB NOT NULL,                  -- MessagePack array, compressed where that is worth it: the Segment calls, each serialised once
    raws        BLOB NOT NULL,                  -- likewise: the items as received
    UNIQUE (connection, last_seq)
);

-- Every event of the log by its digest: the second copy is refused here, and the whole commit with it. The newest are in a small table of
-- their own, and move on in bulk: else a page of a large index would be written for each event.
CREATE TABLE ids (
    digest BLOB PRIMARY KEY,
    place  INTEGER NOT NULL                     -- of the chunk that holds it
) WITHOUT ROWID;

CREATE TABLE new_ids (
    digest BLOB PRIMARY KEY,
    place  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE VIEW all_ids AS SELECT digest, place FROM new_ids UNION ALL SELECT digest, place FROM ids;

CREATE TRIGGER chunk_written AFTER INSERT ON log BEGIN
    INSERT INTO new_ids (digest, place)
    WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < NEW.events)
    SELECT substr(NEW.digests, 1 + 16 * n, 16), NEW.place FROM event;
END;

CREATE TRIGGER known_id BEFORE INSERT ON new_ids WHEN EXISTS (SELECT 1 FROM ids WHERE digest = NEW.digest) BEGIN
    SELECT RAISE(ABORT, 'the log has an event of this digest');
END;

CREATE TRIGGER chunk_deleted AFTER DELETE ON log BEGIN
    DELETE FROM ids WHERE digest IN (
        WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < OLD.events)
        SELECT substr(OLD.digests, 1 + 16 * n, 16) FROM event);
    DELETE FROM new_ids WHERE digest IN (
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
    enabled       INTEGER NOT NULL DEFAULT 1,   -- 0: its events wait
    confirmed     INTEGER NOT NULL DEFAULT 0,   -- events that came back by readback, ever
    first_confirmed_at REAL,                    -- with the key in force
    last_confirmed_at REAL,                     -- with the key in force
    confirm_delay REAL NOT NULL DEFAULT 0,      -- seconds that confirmations usually take
    target_since  REAL NOT NULL DEFAULT 0,      -- when key, region or host was changed
    kind          TEXT NOT NULL DEFAULT 'segment', -- who delivers it: the worker (segment, stream), or syncs (warehouse)
    began         INTEGER NOT NULL DEFAULT 0,   -- seqs up to here are none of its
    passed_expired INTEGER NOT NULL DEFAULT 0,  -- events that it passed over, whose tries retention deleted
    PRIMARY KEY (connection, destination)
);

-- One event that was sent to Segment's other region, too, to tell a wrong region from a wrong key: one for each key.
CREATE TABLE probes (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    at          REAL NOT NULL,
    outcome     TEXT NOT NULL DEFAULT '',       -- reason code; empty: not known
    returned_at REAL,                           -- when the event was sent back
    PRIMARY KEY (connection, destination)
) WITHOUT ROWID;

-- What was confirmed with another key, or at another place, says nothing of this one.
CREATE TRIGGER target_changed AFTER UPDATE OF write_key, region, segment_host ON connections
WHEN OLD.write_key IS NOT NEW.write_key OR OLD.region IS NOT NEW.region OR OLD.segment_host IS NOT NEW.segment_host BEGIN
    UPDATE lanes SET first_confirmed_at = NULL, last_confirmed_at = NULL, target_since = (julianday('now') - 2440587.5) * 86400.0
    WHERE connection = NEW.id;
    DELETE FROM probes WHERE connection = NEW.id;
END;

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    first_seq   INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    replay      INTEGER NOT NULL,               -- a dead letter sent again
    settled     INTEGER NOT NULL,               -- ended these events, or set them aside; settled ranges tile the log
    started_at  REAL NOT NULL,
    seconds     REAL NOT NULL,
    outcome     TEXT NOT NULL,
    status      INTEGER,
    detail      TEXT NOT NULL,
    decision    TEXT NOT NULL
);
CREATE INDEX attempts_settled ON attempts (connection, destination, first_seq) WHERE settled;
CREATE INDEX attempts_of ON attempts (connection, last_seq);
CREATE INDEX attempts_passed ON attempts (connection, destination, last_seq, events) WHERE decision = 'filter';

CREATE TABLE dead_letters (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    died_at     REAL NOT NULL,
    replay_at   REAL,                           -- asked to be sent again, or parked
    due_at      REAL NOT NULL DEFAULT 0,        -- when that is
    tries       INTEGER NOT NULL DEFAULT 0,     -- of a parked one, by now
    PRIMARY KEY (connection, destination, seq)
);
CREATE INDEX dead_reasons ON dead_letters (connection, reason, seq, destination);
CREATE INDEX dead_latest ON dead_letters (connection, destination, died_at) WHERE replay_at IS NULL;
CREATE INDEX dead_due ON dead_letters (connection, destination, due_at, seq) WHERE replay_at IS NOT NULL;
CREATE INDEX dead_replays ON dead_letters (connection, destination, seq) WHERE replay_at IS NOT NULL;
CREATE INDEX dead_asked ON dead_letters (connection, destination, replay_at) WHERE replay_at IS NOT NULL;

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
CREATE INDEX filtered_groups ON filtered (connection, reason, name, accepted_at);
CREATE INDEX filtered_latest ON filtered (connection, id);

-- What was kept as filtered and has become an event of the log is filtered no more.
CREATE TRIGGER filtered_no_more AFTER INSERT ON new_ids BEGIN
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
CREATE INDEX rejects_groups ON rejects (connection, code, last_at, count);
CREATE INDEX rejects_latest ON rejects (connection, last_at);

-- How much went aside, by reason: kept by triggers, so that a page about a million costs what one about ten costs.
CREATE TABLE piles (
    connection TEXT NOT NULL,
    shelf      TEXT NOT NULL,                   -- rejects, filtered or dead
    reason     TEXT NOT NULL,
    name       TEXT NOT NULL,                   -- of filtered events; the lane of dead letters
    items      INTEGER NOT NULL,
    more       INTEGER NOT NULL,                -- how often rejects came; dead letters that are asked for again
    PRIMARY KEY (connection, shelf, reason, name)
) WITHOUT ROWID;

CREATE TRIGGER rejects_come AFTER INSERT ON rejects BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'rejects', NEW.code, '', 1, NEW.count)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER rejects_go AFTER DELETE ON rejects BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'rejects', OLD.code, '', -1, -OLD.count)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER rejects_change AFTER UPDATE OF code, count ON rejects BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'rejects', OLD.code, '', -1, -OLD.count)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'rejects', NEW.code, '', 1, NEW.count)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER filtered_come AFTER INSERT ON filtered BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'filtered', NEW.reason, NEW.name, 1, 0)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER filtered_go AFTER DELETE ON filtered BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'filtered', OLD.reason, OLD.name, -1, 0)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER filtered_change AFTER UPDATE OF reason, name ON filtered BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'filtered', OLD.reason, OLD.name, -1, 0)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'filtered', NEW.reason, NEW.name, 1, 0)
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER dead_come AFTER INSERT ON dead_letters BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'dead', NEW.reason, NEW.destination, 1, (NEW.replay_at IS NOT NULL))
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER dead_go AFTER DELETE ON dead_letters BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'dead', OLD.reason, OLD.destination, -1, -(OLD.replay_at IS NOT NULL))
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;
CREATE TRIGGER dead_change AFTER UPDATE OF reason, replay_at ON dead_letters BEGIN
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (OLD.connection, 'dead', OLD.reason, OLD.destination, -1, -(OLD.replay_at IS NOT NULL))
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
    INSERT INTO piles (connection, shelf, reason, name, items, more) VALUES (NEW.connection, 'dead', NEW.reason, NEW.destination, 1, (NEW.replay_at IS NOT NULL))
    ON CONFLICT (connection, shelf, reason, name) DO UPDATE SET items = items + excluded.items, more = more + excluded.more;
END;

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
CREATE INDEX shape_notices_open ON shape_notices (connection) WHERE acked_at IS NULL;

-- How far each reader of what came in has read: the log by place, filtered events and rejects by id.
CREATE TABLE cursors (
    name    TEXT PRIMARY KEY,                   -- shapes:log, index:log…
    read_to INTEGER NOT NULL
);

-- What searches find: of every event of the log its terms, under its place among all events ever written. Contentless: terms are not kept.
CREATE VIRTUAL TABLE terms USING fts5 (term, content = '', detail = none, columnsize = 0, tokenize = 'ascii');

-- What leaves the log leaves the index, as far as that has read: a contentless table has to be told the same terms again.
CREATE TRIGGER chunk_unindexed AFTER DELETE ON log WHEN OLD.place <= (SELECT read_to FROM cursors WHERE name = 'index:log') BEGIN
    INSERT INTO terms (terms, rowid, term)
    SELECT 'delete', CAST(key AS INTEGER), value FROM json_each(chunk_terms(OLD.connection, OLD.place - OLD.events + 1, OLD.messages));
END;

-- Counts by minute and by hour, for charts: nothing is derived from them that the ledger has to prove.
CREATE TABLE counts (
    connection TEXT NOT NULL,
    topic      TEXT NOT NULL,                   -- door:webhook, lane:segment…
    name       TEXT NOT NULL,                   -- accepted, filtered; first_attempt, after_retry, expired, discarded, latency:12…
    step       INTEGER NOT NULL,                -- 60 or 3600 seconds
    start      INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (connection, step, start, topic, name)
) WITHOUT ROWID;
CREATE INDEX counts_old ON counts (step, start);

-- When something came by each door last, refused or not.
CREATE TABLE last_seen (
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    at         REAL NOT NULL,
    PRIMARY KEY (connection, door)
) WITHOUT ROWID;

-- Events that Segment sent back: it does not only say that it has them.
CREATE TABLE confirmations (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    at          REAL NOT NULL,
    PRIMARY KEY (connection, destination, seq)
) WITHOUT ROWID;

-- Connections that were deleted: the ledger goes on counting their events, and what they left behind is purged.
CREATE TABLE departures (
    connection TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    events     INTEGER NOT NULL,                -- seqs that were given out
    deleted_at REAL NOT NULL,
    purged_at  REAL                             -- when nothing was left
) WITHOUT ROWID;

-- Who changed what, when. Secrets are masked before they come here.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         REAL NOT NULL,
    who        TEXT NOT NULL,                   -- user:anna, token:deploy, command line:root
    action     TEXT NOT NULL,                   -- connection.changed, token.added…
    connection TEXT,                            -- id; stays when the connection is gone
    name       TEXT NOT NULL,                   -- of the connection or of what was changed, as it was called then
    changes    TEXT NOT NULL                    -- JSON {field: [old, new]}
);
CREATE INDEX audit_of ON audit (connection, id);

-- People who may sign in.
CREATE TABLE users (
    name       TEXT PRIMARY KEY,
    password   TEXT NOT NULL,                   -- scrypt, with its salt
    role       TEXT NOT NULL,                   -- owner or viewer
    everything INTEGER NOT NULL,                -- sees every connection; else those of grants
    created_at REAL NOT NULL
);
CREATE TABLE grants (
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    connection TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (user, connection)
) WITHOUT ROWID;

-- Who is signed in.
CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,                -- SHA-256 of what the cookie holds
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
);

-- One-time links: who has one becomes the first user.
CREATE TABLE invitations (
    digest     BLOB PRIMARY KEY,                -- SHA-256
    expires_at REAL NOT NULL
);

-- Tokens for /v1/admin.
CREATE TABLE admin_tokens (
    digest     BLOB PRIMARY KEY,                -- SHA-256; the token is shown once
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,                   -- owner or viewer
    connection TEXT REFERENCES connections (id) ON DELETE CASCADE, -- NULL: every one
    shown      TEXT NOT NULL,                   -- its end
    created_at REAL NOT NULL
);

-- Events, rejects, filtered events or dead letters sent again: one job, its place in what it works through, and what came of it.
CREATE TABLE replays (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    connection   TEXT NOT NULL,
    kind         TEXT NOT NULL,                 -- events, rejects, filtered or dead
    destination  TEXT NOT NULL,                 -- the lane, for events
    wanted       TEXT NOT NULL,                 -- JSON of jobs.Wanted: what to send again
    namespace    TEXT,                          -- in new message ids; NULL: the same ids
    state        TEXT NOT NULL,                 -- running, held, cancelled or done
    detail       TEXT NOT NULL DEFAULT '',      -- why it is held
    total        INTEGER NOT NULL,              -- inputs to look at, counted at the beginning
    looked_at    INTEGER NOT NULL DEFAULT 0,
    place        INTEGER NOT NULL DEFAULT 0,    -- seq or id up to which it is done
    until        INTEGER NOT NULL,              -- seq or id at which it ends
    counts       TEXT NOT NULL DEFAULT '{}',    -- JSON {what came of it: inputs}
    failures     INTEGER NOT NULL DEFAULT 0,
    refusals     INTEGER NOT NULL DEFAULT 0,    -- single events refused in a row by the far end
    most         INTEGER NOT NULL DEFAULT 2500, -- events of the next request: halved by a refusal, doubled by an acceptance
    due_at       REAL NOT NULL DEFAULT 0,
    who          TEXT NOT NULL,
    created_at   REAL NOT NULL,
    changed_at   REAL NOT NULL,
    worker       TEXT,
    leased_until REAL NOT NULL DEFAULT 0,
    epoch        INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX replays_of ON replays (connection, id);
CREATE INDEX replays_open ON replays (id) WHERE state = 'running';

-- What needs a person: one open row for a cause, closed when it is healed.
CREATE TABLE notices (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,                   -- empty: the whole service
    cause      TEXT NOT NULL,                   -- causes.Cause
    subject    TEXT NOT NULL,                   -- the lane, the replay… where a cause has several
    urgency    INTEGER NOT NULL,                -- 1 needs a person now … 3 good to know
    text       TEXT NOT NULL,                   -- what happened, and what to do
    opened_at  REAL NOT NULL,
    seen_at    REAL NOT NULL,                   -- the cause was there
    closed_at  REAL
);
CREATE UNIQUE INDEX notices_open ON notices (connection, cause, subject) WHERE closed_at IS NULL;
CREATE INDEX notices_of ON notices (connection, id);
CREATE INDEX notices_closed ON notices (closed_at) WHERE closed_at IS NOT NULL;

-- Where notices are sent.
CREATE TABLE channels (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,                   -- webhook, slack or smtp
    address    BLOB NOT NULL,                   -- encrypted: an address may be a secret
    shown      TEXT NOT NULL,                   -- what may be shown of it
    connection TEXT NOT NULL,                   -- empty: notices of all connections
    created_at REAL NOT NULL
);

-- Notices on their way to channels.
CREATE TABLE notice_posts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- a channel gets its posts in this order
    notice   INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    channel  INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    what     TEXT NOT NULL,                     -- opened or closed
    state    TEXT NOT NULL DEFAULT 'waiting',   -- waiting, sent or given_up
    made_at  REAL NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    due_at   REAL NOT NULL,
    tried_at REAL,
    error    TEXT NOT NULL DEFAULT '',          -- what the last try met, masked
    UNIQUE (notice, channel, what)
);
CREATE INDEX posts_waiting ON notice_posts (channel, id) WHERE state = 'waiting';
CREATE INDEX posts_of ON notice_posts (channel, id);

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
