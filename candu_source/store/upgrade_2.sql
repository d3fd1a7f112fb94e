-- Version 1 kept a row for each event, the index of digests within the log, and filtered events without a digest.

DROP TRIGGER filtered_no_more;
DROP VIEW heads;
ALTER TABLE log RENAME TO log_1;
ALTER TABLE filtered RENAME TO filtered_1;

CREATE TABLE log (
    place       INTEGER PRIMARY KEY AUTOINCREMENT,
    connection  TEXT NOT NULL,
    last_seq    INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    door        TEXT NOT NULL,
    digests     BLOB NOT NULL,
    messages    BLOB NOT NULL,
    raws        BLOB NOT NULL,
    UNIQUE (connection, last_seq)
);

CREATE TABLE ids (
    digest BLOB PRIMARY KEY,
    place  INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO log (place, connection, last_seq, events, accepted_at, door, digests, messages, raws)
SELECT place, connection, seq, 1, accepted_at, door, digest, packed(message), packed(raw) FROM log_1 ORDER BY place;
INSERT INTO ids (digest, place) SELECT digest, place FROM log_1 ORDER BY digest;
DELETE FROM sqlite_sequence WHERE name = 'log';
UPDATE sqlite_sequence SET name = 'log' WHERE name = 'log_1';
DROP TABLE log_1;

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

CREATE VIEW heads AS
SELECT c.id AS connection, max(c.pruned_to, coalesce((SELECT max(g.last_seq) FROM log g WHERE g.connection = c.id), 0)) AS head
FROM connections c;

CREATE TABLE filtered (
    connection  TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    digest      BLOB NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    door        TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    raw         BLOB NOT NULL,
    PRIMARY KEY (connection, message_id)
);

INSERT INTO filtered (connection, message_id, digest, name, reason, door, accepted_at, raw)
SELECT connection, message_id, digest(connection, message_id), name, reason, door, accepted_at, raw FROM filtered_1;
DROP TABLE filtered_1;

CREATE TRIGGER filtered_no_more AFTER INSERT ON ids BEGIN
    DELETE FROM filtered WHERE digest = NEW.digest;
END;
