-- name: export_chunks
-- Walk a connection's chunks in order, a step at a time.
SELECT last_seq, connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq > :after ORDER BY last_seq LIMIT :most

-- name: export_filtered
-- Walk a connection's filtered events, a step at a time.
SELECT id, message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE +connection = :connection AND id > :after ORDER BY id LIMIT :most

-- name: export_rejects
-- Walk a connection's rejects, a step at a time.
SELECT id, door, code, json(errors), count, first_at, last_at, raw FROM rejects
WHERE +connection = :connection AND id > :after ORDER BY id LIMIT :most

-- name: export_dead_letters
-- Walk a connection's dead letters, a step at a time.
SELECT rowid, destination, seq, reason, detail, died_at, replay_at FROM dead_letters
WHERE +connection = :connection AND rowid > :after ORDER BY rowid LIMIT :most

-- name: export_attempts
-- Walk the tries of a connection, a step at a time.
SELECT id, destination, first_seq, last_seq, events, replay, settled, started_at, seconds, outcome, status, detail, decision FROM attempts
WHERE +connection = :connection AND id > :after ORDER BY id LIMIT :most

-- name: export_contents
-- Walk a connection's contents, a step at a time.
SELECT rowid, content_id, slug, name, portal_id FROM contents
WHERE +connection = :connection AND rowid > :after ORDER BY rowid LIMIT :most

-- name: export_tokens
-- Walk what is known of a connection's tokens, a step at a time.
SELECT rowid, door, label, shown, created_at, expires_at FROM tokens
WHERE +connection = :connection AND rowid > :after ORDER BY rowid LIMIT :most

-- name: export_audit
-- Walk what was changed of a connection, a step at a time.
SELECT id, at, who, action, name, json(changes) FROM audit
WHERE +connection = :connection AND id > :after ORDER BY id LIMIT :most
