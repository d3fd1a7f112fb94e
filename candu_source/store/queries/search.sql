-- name: chunk_head
-- Read where the chunk stands that holds a seq, or the next one.
SELECT last_seq, events, accepted_at, place FROM log WHERE connection = :connection AND last_seq >= :seq ORDER BY last_seq LIMIT 1

-- name: chunk_heads
-- Read where the chunks before a seq stand, newest first; a chunk has at most so many events, so it ends no further on.
SELECT last_seq, events, accepted_at, place FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq < :before + :reach AND last_seq - events + 1 < :before
ORDER BY last_seq DESC LIMIT :most

-- name: chunk_at_place
-- Read where the chunk stands that holds a place, if it is this connection's.
SELECT last_seq, events, accepted_at, place FROM (
    SELECT connection, last_seq, events, accepted_at, place FROM log WHERE place >= :place ORDER BY place LIMIT 1) WHERE connection = :connection

-- name: chunk_messages
-- Read the messages of the chunk that holds a seq, or of the next one.
SELECT last_seq, events, accepted_at, door, messages FROM log WHERE connection = :connection AND last_seq >= :seq ORDER BY last_seq LIMIT 1

-- name: head
-- Read a connection's last seq.
SELECT head FROM heads WHERE connection = :connection

-- name: searched_lanes
-- Read how far each lane of a connection has come; on a sync that is off nothing is pending.
SELECT destination, cursor FROM lanes WHERE connection = :connection AND (kind <> 'stream' OR enabled) ORDER BY destination

-- name: found_places
-- Find the places of events by their terms (each names its connection), between two places, newest first.
SELECT rowid FROM terms WHERE terms MATCH :terms AND rowid > :after AND rowid < :before ORDER BY rowid DESC LIMIT :most

-- name: dead_before
-- List the dead letters of a lane before a seq, newest first.
SELECT seq FROM dead_letters
WHERE connection = :connection AND destination = :destination AND seq < :before AND seq > :after ORDER BY seq DESC LIMIT :most

-- name: replaying_before
-- List the dead letters of a lane that are asked for again, before a seq, newest first.
SELECT seq FROM dead_letters
WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL AND seq < :before AND seq > :after
ORDER BY seq DESC LIMIT :most

-- name: confirmed_before
-- List the events of a lane that came back, before a seq, newest first.
SELECT seq FROM confirmations
WHERE connection = :connection AND destination = :destination AND seq < :before AND seq > :after ORDER BY seq DESC LIMIT :most

-- name: filtered_before
-- Walk a connection's filtered events, newest first.
SELECT id, message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE connection = :connection AND id < :before ORDER BY id DESC

-- name: filtered_named
-- Read a connection's filtered event of a message id.
SELECT id, message_id, name, reason, door, accepted_at, raw FROM filtered WHERE connection = :connection AND message_id = :message_id
