-- name: chunk
-- Read the chunk that holds a seq.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq >= :seq ORDER BY last_seq LIMIT 1

-- name: tail
-- Read a connection's latest chunks, newest first.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq > :after ORDER BY last_seq DESC

-- name: chunk_of_id
-- Find the chunk of a message id, with the digests of its events.
SELECT g.last_seq, g.events, g.digests FROM ids i JOIN log g ON g.place = i.place WHERE i.digest = :digest AND g.connection = :connection

-- name: filtered_event
-- Find a filtered event by its message id.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered WHERE connection = :connection AND message_id = :message_id

-- name: event_attempts
-- List every try that had this event in it.
SELECT destination, first_seq, last_seq, events, replay, started_at, seconds, outcome, status, detail, decision FROM attempts
WHERE connection = :connection AND last_seq >= :seq AND first_seq <= :seq ORDER BY id

-- name: event_lanes
-- Tell for every lane whether it has passed this event, and whether the event died there.
SELECT l.destination, l.cursor >= :seq OR EXISTS (
    SELECT 1 FROM attempts a WHERE a.connection = l.connection AND a.destination = l.destination AND a.settled
      AND a.first_seq <= :seq AND a.last_seq >= :seq) AS passed, d.reason, d.detail, d.replay_at
FROM lanes l LEFT JOIN dead_letters d ON d.connection = l.connection AND d.destination = l.destination AND d.seq = :seq
WHERE l.connection = :connection

-- name: import_state
-- Read how far an import got.
SELECT read_to, before FROM imports WHERE connection = :connection AND file = :file

-- name: move_import
-- Write down how far an import got.
INSERT INTO imports (connection, file, read_to, before) VALUES (:connection, :file, :read_to, :before)
ON CONFLICT (connection, file) DO UPDATE SET read_to = excluded.read_to, before = excluded.before
