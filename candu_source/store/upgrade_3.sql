-- Version 2 had no public tokens, contents and shapes; tables of portals stood in the rules.

ALTER TABLE connections ADD COLUMN public_token TEXT;
ALTER TABLE connections ADD COLUMN identity_secret BLOB;
UPDATE connections SET public_token = 'pub_' || lower(hex(randomblob(12)));
CREATE UNIQUE INDEX connections_public ON connections (public_token);

CREATE TABLE contents (
    connection TEXT NOT NULL,
    content_id TEXT NOT NULL,
    slug       TEXT,
    name       TEXT,
    portal_id  INTEGER,
    PRIMARY KEY (connection, content_id)
);

CREATE TABLE shapes (
    connection TEXT NOT NULL,
    door       TEXT NOT NULL,
    event      TEXT NOT NULL,
    path       TEXT NOT NULL,
    type       TEXT NOT NULL,
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
