-- name: parked_count
-- Count the events that a sync set aside to try them again, with when the first of them is due.
SELECT count(*), min(due_at) FROM dead_letters
WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL AND tries > 0

-- name: last_setback
-- Find what went wrong last with an event that is still set aside or dead.
SELECT died_at, reason, detail FROM dead_letters WHERE connection = :connection AND destination = :destination
ORDER BY died_at DESC LIMIT 1
