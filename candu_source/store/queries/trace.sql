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
SELECT g.last_seq, g.events, g.digests FROM all_ids i JOIN log g ON g.place = i.place WHERE i.digest = :digest AND g.connection = :connection

-- name: filtered_event
-- Find a filtered event by its message id.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered WHERE connection = :connection AND message_id = :message_id

-- name: event_attempts
-- List every try that had this event in it; a try has at most so many events, so it ends no further on.
SELECT destination, first_seq, last_seq, events, replay, started_at, seconds, outcome, status, detail, decision FROM attempts
WHERE connection = :connection AND last_seq >= :seq AND last_seq < :seq + :most AND first_seq <= :seq ORDER BY id

-- name: lane_cursors
-- Read how far each lane of a connection has come, what it leads to and whether it is on.
SELECT destination, cursor, kind, enabled FROM lanes WHERE connection = :connection ORDER BY destination

-- name: dead_among
-- Tell which of some events died on a lane, and which of those are asked for again.
SELECT seq, reason, replay_at, tries FROM dead_letters
WHERE connection = :connection AND destination = :destination AND seq IN (SELECT value FROM json_each(:seqs))

-- name: passed_over
-- Tell why a lane passed an event over; a row of it holds at most so many events.
SELECT outcome FROM attempts WHERE connection = :connection AND destination = :destination AND decision = 'filter'
  AND last_seq >= :seq AND last_seq < :seq + :most AND first_seq <= :seq LIMIT 1

-- name: confirmed_among
-- Tell which of some events Segment sent back, and when.
SELECT seq, at FROM confirmations
WHERE connection = :connection AND destination = :destination AND seq IN (SELECT value FROM json_each(:seqs))

-- name: import_state
-- Read how far an import got.
SELECT read_to, before FROM imports WHERE connection = :connection AND file = :file

-- name: move_import
-- Write down how far an import got.
INSERT INTO imports (connection, file, read_to, before) VALUES (:connection, :file, :read_to, :before)
ON CONFLICT (connection, file) DO UPDATE SET read_to = excluded.read_to, before = excluded.before
