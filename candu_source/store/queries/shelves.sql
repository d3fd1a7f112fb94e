-- name: reject_count
-- Count a connection's rejects, and how often they came.
SELECT count(*), coalesce(sum(count), 0) FROM rejects WHERE connection = :connection

-- name: dead_letters
-- List dead letters, oldest first.
SELECT destination, seq, reason, detail, died_at, replay_at FROM dead_letters WHERE connection = :connection ORDER BY seq LIMIT :most

-- name: replay_dead
-- Ask for dead letters to be sent again, all or those of one reason or seq.
UPDATE dead_letters SET replay_at = clock()
WHERE connection = :connection AND replay_at IS NULL AND (:reason IS NULL OR reason = :reason) AND (:seq IS NULL OR seq = :seq)

-- name: rejects
-- List refused inputs, latest first.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection ORDER BY last_at DESC, id DESC LIMIT :most

-- name: reject
-- Read one refused input.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection AND id = :id

-- name: replayable_rejects
-- Walk the rejects in order of their ids, a step at a time.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection AND id > :after ORDER BY id LIMIT :most

-- name: drop_reject
-- Forget a reject that has been accepted after all.
DELETE FROM rejects WHERE connection = :connection AND id = :id

-- name: filtered_page
-- Walk the filtered events in order of their ids, a step at a time.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE connection = :connection AND message_id > :after AND (:name IS NULL OR name = :name) ORDER BY message_id LIMIT :most
