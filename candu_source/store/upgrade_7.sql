-- Version 6 wrote each id to the one large index at once, and chunks were never compressed; those that are there stay as they are.

DROP TRIGGER chunk_written;
DROP TRIGGER chunk_deleted;
DROP TRIGGER filtered_no_more;

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

CREATE TRIGGER filtered_no_more AFTER INSERT ON new_ids BEGIN
    DELETE FROM filtered WHERE digest = NEW.digest;
END;
