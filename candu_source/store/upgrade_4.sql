-- Version 3 had one public token a connection, no schema names, no switches on lanes, and knew nothing of people, audits, replays and notices.

CREATE TABLE tokens_3 AS SELECT * FROM tokens;
DROP TABLE tokens;
DROP VIEW heads;
ALTER TABLE connections RENAME TO connections_3;
ALTER TABLE lanes RENAME TO lanes_3;

CREATE TABLE connections (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    slug         TEXT NOT NULL UNIQUE,
    environment  TEXT NOT NULL DEFAULT '',
    region       TEXT NOT NULL,
    segment_host TEXT,
    write_key    BLOB NOT NULL,
    rules        TEXT NOT NULL,
    paused       INTEGER NOT NULL DEFAULT 0,
    created_at   REAL NOT NULL,
    pruned_to    INTEGER NOT NULL DEFAULT 0,
    filtered_expired INTEGER NOT NULL DEFAULT 0,
    identity_secret BLOB,
    requests_per_minute INTEGER NOT NULL DEFAULT 0,
    pending_most INTEGER NOT NULL DEFAULT 0,
    segment_source TEXT
);

INSERT INTO connections (id, name, slug, region, segment_host, write_key, rules, paused, created_at, pruned_to, filtered_expired, identity_secret)
SELECT id, name, CASE WHEN row_number() OVER (PARTITION BY schema_name(name) ORDER BY created_at, id) = 1
    THEN schema_name(name) ELSE schema_name(name) || '_' || id END,
  region, segment_host, write_key, rules, paused, created_at, pruned_to, filtered_expired, identity_secret FROM connections_3;

CREATE TABLE tokens (
    digest     BLOB PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    door       TEXT NOT NULL,
    label      TEXT NOT NULL DEFAULT '',
    shown      TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL
);
CREATE INDEX tokens_of ON tokens (connection, door);

INSERT INTO tokens (digest, connection, door, shown, created_at, expires_at)
SELECT digest, connection, 'server', '…', created_at, expires_at FROM tokens_3;
INSERT INTO tokens (digest, connection, door, shown, created_at)
SELECT token_digest(public_token), id, 'browser', public_token, created_at FROM connections_3 WHERE public_token IS NOT NULL;

CREATE VIEW heads AS
SELECT c.id AS connection, max(c.pruned_to, coalesce((SELECT max(g.last_seq) FROM log g WHERE g.connection = c.id), 0)) AS head
FROM connections c;

CREATE TABLE lanes (
    connection    TEXT NOT NULL,
    destination   TEXT NOT NULL,
    cursor        INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    waiting_since REAL NOT NULL DEFAULT 0,
    due_at        REAL NOT NULL DEFAULT 0,
    held          TEXT,
    held_detail   TEXT,
    worker        TEXT,
    leased_at     REAL NOT NULL DEFAULT 0,
    leased_until  REAL NOT NULL DEFAULT 0,
    epoch         INTEGER NOT NULL DEFAULT 0,
    turn          INTEGER NOT NULL DEFAULT 0,
    dead_expired  INTEGER NOT NULL DEFAULT 0,
    enabled       INTEGER NOT NULL DEFAULT 1,
    confirmed     INTEGER NOT NULL DEFAULT 0,
    first_confirmed_at REAL,
    last_confirmed_at REAL,
    confirm_delay REAL NOT NULL DEFAULT 0,
    target_since  REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (connection, destination)
);

INSERT INTO lanes (connection, destination, cursor, failures, waiting_since, due_at, held, held_detail, worker, leased_at, leased_until, epoch, turn, dead_expired)
SELECT connection, destination, cursor, failures, waiting_since, due_at, held, held_detail, worker, leased_at, leased_until, epoch, turn, dead_expired
FROM lanes_3;
DROP TABLE tokens_3;
DROP TABLE connections_3;
DROP TABLE lanes_3;

CREATE INDEX dead_reasons ON dead_letters (connection, reason, seq, destination);
CREATE INDEX dead_latest ON dead_letters (connection, destination, died_at) WHERE replay_at IS NULL;
CREATE INDEX shape_notices_open ON shape_notices (connection) WHERE acked_at IS NULL;
CREATE INDEX filtered_groups ON filtered (connection, reason, name, accepted_at);
CREATE INDEX filtered_latest ON filtered (connection, id);
CREATE INDEX rejects_groups ON rejects (connection, code, last_at, count);
CREATE INDEX rejects_latest ON rejects (connection, last_at);

CREATE TABLE cursors (
    name    TEXT PRIMARY KEY,
    read_to INTEGER NOT NULL
);
INSERT INTO cursors (name, read_to) SELECT 'shapes:' || source, read_to FROM shape_cursors;
DROP TABLE shape_cursors;

CREATE VIRTUAL TABLE terms USING fts5 (term, content = '', detail = none, columnsize = 0, tokenize = 'ascii');
CREATE TRIGGER chunk_unindexed AFTER DELETE ON log WHEN OLD.place <= (SELECT read_to FROM cursors WHERE name = 'index:log') BEGIN
    INSERT INTO terms (terms, rowid, term)
    SELECT 'delete', CAST(key AS INTEGER), value FROM json_each(chunk_terms(OLD.connection, OLD.place - OLD.events + 1, OLD.messages));
END;
CREATE TABLE counts (
    connection TEXT NOT NULL,
    topic      TEXT NOT NULL,
    name       TEXT NOT NULL,
    step       INTEGER NOT NULL,
    start      INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (connection, step, start, topic, name)
) WITHOUT ROWID;
CREATE INDEX counts_old ON counts (step, start);
CREATE TABLE last_seen (
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    at         REAL NOT NULL,
    PRIMARY KEY (connection, door)
) WITHOUT ROWID;
CREATE TABLE confirmations (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    at          REAL NOT NULL,
    PRIMARY KEY (connection, destination, seq)
) WITHOUT ROWID;
CREATE TABLE probes (
    connection  TEXT NOT NULL,
    destination TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    at          REAL NOT NULL,
    outcome     TEXT NOT NULL DEFAULT '',
    returned_at REAL,
    PRIMARY KEY (connection, destination)
) WITHOUT ROWID;
CREATE TRIGGER target_changed AFTER UPDATE OF write_key, region, segment_host ON connections
WHEN OLD.write_key IS NOT NEW.write_key OR OLD.region IS NOT NEW.region OR OLD.segment_host IS NOT NEW.segment_host BEGIN
    UPDATE lanes SET first_confirmed_at = NULL, last_confirmed_at = NULL, target_since = (julianday('now') - 2440587.5) * 86400.0
    WHERE connection = NEW.id;
    DELETE FROM probes WHERE connection = NEW.id;
END;
CREATE TABLE departures (
    connection TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    events     INTEGER NOT NULL,
    deleted_at REAL NOT NULL,
    purged_at  REAL
) WITHOUT ROWID;
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         REAL NOT NULL,
    who        TEXT NOT NULL,
    action     TEXT NOT NULL,
    connection TEXT,
    name       TEXT NOT NULL,
    changes    TEXT NOT NULL
);
CREATE INDEX audit_of ON audit (connection, id);
CREATE TABLE users (
    name       TEXT PRIMARY KEY,
    password   TEXT NOT NULL,
    role       TEXT NOT NULL,
    everything INTEGER NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE grants (
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    connection TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (user, connection)
) WITHOUT ROWID;
CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE invitations (
    digest     BLOB PRIMARY KEY,
    expires_at REAL NOT NULL
);
CREATE TABLE admin_tokens (
    digest     BLOB PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    connection TEXT REFERENCES connections (id) ON DELETE CASCADE,
    shown      TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE replays (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    connection   TEXT NOT NULL,
    kind         TEXT NOT NULL,
    destination  TEXT NOT NULL,
    wanted       TEXT NOT NULL,
    namespace    TEXT,
    state        TEXT NOT NULL,
    detail       TEXT NOT NULL DEFAULT '',
    total        INTEGER NOT NULL,
    looked_at    INTEGER NOT NULL DEFAULT 0,
    place        INTEGER NOT NULL DEFAULT 0,
    until        INTEGER NOT NULL,
    counts       TEXT NOT NULL DEFAULT '{}',
    failures     INTEGER NOT NULL DEFAULT 0,
    refusals     INTEGER NOT NULL DEFAULT 0,
    most         INTEGER NOT NULL DEFAULT 2500,
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
CREATE TABLE notices (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    cause      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    urgency    INTEGER NOT NULL,
    text       TEXT NOT NULL,
    opened_at  REAL NOT NULL,
    seen_at    REAL NOT NULL,
    closed_at  REAL
);
CREATE UNIQUE INDEX notices_open ON notices (connection, cause, subject) WHERE closed_at IS NULL;
CREATE INDEX notices_of ON notices (connection, id);
CREATE INDEX notices_closed ON notices (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE channels (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    address    BLOB NOT NULL,
    shown      TEXT NOT NULL,
    connection TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE notice_posts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    notice   INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    channel  INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    what     TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'waiting',
    made_at  REAL NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    due_at   REAL NOT NULL,
    tried_at REAL,
    error    TEXT NOT NULL DEFAULT '',
    UNIQUE (notice, channel, what)
);
CREATE INDEX posts_waiting ON notice_posts (channel, id) WHERE state = 'waiting';
CREATE INDEX posts_of ON notice_posts (channel, id);

CREATE TABLE piles (
    connection TEXT NOT NULL,
    shelf      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    name       TEXT NOT NULL,
    items      INTEGER NOT NULL,
    more       INTEGER NOT NULL,
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
INSERT INTO piles (connection, shelf, reason, name, items, more)
SELECT connection, 'rejects', code, '', count(*), sum(count) FROM rejects GROUP BY connection, code;
INSERT INTO piles (connection, shelf, reason, name, items, more)
SELECT connection, 'filtered', reason, name, count(*), 0 FROM filtered GROUP BY connection, reason, name;
INSERT INTO piles (connection, shelf, reason, name, items, more)
SELECT connection, 'dead', reason, destination, count(*), sum(replay_at IS NOT NULL) FROM dead_letters GROUP BY connection, reason, destination;
