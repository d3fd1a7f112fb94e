-- Version 2 had no public tokens, contents and shapes; tables of portals stood in the rules.

ALTER TABLE connections ADD COLUMN public_token TEXT;
ALTER TABLE connections ADD COLUMN identity_secret BLOB;
UPDATE connections SET public_token = 'pub_' || lower(hex(randomblob(12)));
CREATE UNIQUE INDEX connections_public ON connections (public_token);

CREATE TABLE contents (
    connection TEXT NOT NULL,
    content_id TEXT,
    slug       TEXT,
    name       TEXT,
    portal_id  INTEGER,
    UNIQUE (connection, content_id),
    CHECK (content_id IS NOT NULL OR slug IS NOT NULL)
);
CREATE UNIQUE INDEX contents_told ON contents (connection, slug) WHERE content_id IS NULL;
CREATE INDEX contents_slug ON contents (connection, slug);

CREATE TABLE shapes (
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    event      TEXT NOT NULL,
    path       TEXT NOT NULL,
    type       TEXT NOT NULL,
    always     INTEGER NOT NULL,
    PRIMARY KEY (connection, door, event, path, type)
) WITHOUT ROWID;

CREATE TABLE shape_notices (
    id         INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    event      TEXT NOT NULL,
    change     TEXT NOT NULL,
    path       TEXT NOT NULL,
    type       TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first_at   REAL NOT NULL,
    last_at    REAL NOT NULL,
    sample     BLOB NOT NULL,
    acked_at   REAL,
    UNIQUE (connection, door, event, change, path, type)
);

CREATE TABLE shape_cursors (
    source  TEXT PRIMARY KEY,
    read_to INTEGER NOT NULL
);

INSERT INTO contents (connection, content_id, portal_id)
SELECT c.id, t.key, t.value FROM connections c, json_each(c.rules, '$.portal.table') t;

-- Ids of rejects and filtered events are given once and never again, so that who reads on from one misses nothing.
DROP TRIGGER filtered_no_more;
ALTER TABLE filtered RENAME TO filtered_2;
ALTER TABLE rejects RENAME TO rejects_2;

CREATE TABLE filtered (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    connection  TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    digest      BLOB NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    door        TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    raw         BLOB NOT NULL,
    UNIQUE (connection, message_id)
);

CREATE TABLE rejects (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL,
    digest     BLOB NOT NULL,
    door       TEXT NOT NULL,
    code       TEXT NOT NULL,
    errors     TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first_at   REAL NOT NULL,
    last_at    REAL NOT NULL,
    raw        BLOB NOT NULL,
    UNIQUE (connection, digest)
);

INSERT INTO filtered (connection, message_id, digest, name, reason, door, accepted_at, raw)
SELECT connection, message_id, digest, name, reason, door, accepted_at, raw FROM filtered_2 ORDER BY accepted_at;
INSERT INTO rejects (id, connection, digest, door, code, errors, count, first_at, last_at, raw)
SELECT id, connection, digest, door, code, errors, count, first_at, last_at, raw FROM rejects_2;
DROP TABLE filtered_2;
DROP TABLE rejects_2;

CREATE TRIGGER filtered_no_more AFTER INSERT ON ids BEGIN
    DELETE FROM filtered WHERE digest = NEW.digest;
END;
