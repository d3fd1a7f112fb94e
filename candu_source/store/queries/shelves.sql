-- name: reject_count
-- Count a connection's rejects, and how often they came.
SELECT count(*), coalesce(sum(count), 0) FROM rejects WHERE connection = :connection

-- name: dead_letters
-- List dead letters, oldest first.
SELECT destination, seq, reason, detail, died_at, replay_at FROM dead_letters
WHERE connection = :connection AND (replay_at IS NULL OR tries = 0) ORDER BY seq LIMIT :most

-- name: rejects
-- List refused inputs, latest first.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection ORDER BY last_at DESC, id DESC LIMIT :most

-- name: reject
-- Read one refused input.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects WHERE connection = :connection AND id = :id

-- name: drop_reject
-- Forget a reject that has been accepted after all.
DELETE FROM rejects WHERE connection = :connection AND id = :id
