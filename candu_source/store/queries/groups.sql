-- name: reject_groups
-- Count refused inputs by reason, and how often they came.
SELECT code, count(*), sum(count), max(last_at) FROM rejects WHERE connection = :connection GROUP BY code ORDER BY max(last_at) DESC

-- name: rejects_of
-- List refused inputs of one reason, latest first.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects
WHERE connection = :connection AND code = :code AND (last_at, id) < (:before, :before_id) ORDER BY last_at DESC, id DESC LIMIT :most

-- name: dead_groups
-- Count dead letters by lane and reason.
SELECT reason, destination, count(*), sum(replay_at IS NOT NULL), max(died_at) FROM dead_letters
WHERE connection = :connection GROUP BY reason, destination ORDER BY count(*) DESC

-- name: dead_of
-- List dead letters of one reason, latest first.
SELECT destination, seq, reason, detail, died_at, replay_at FROM dead_letters
WHERE connection = :connection AND reason = :reason AND seq < :before ORDER BY seq DESC LIMIT :most

-- name: filtered_groups
-- Count filtered events by reason and name.
SELECT reason, name, count(*), min(accepted_at), max(accepted_at) FROM filtered
WHERE connection = :connection GROUP BY reason, name ORDER BY reason, name

-- name: filtered_of
-- List filtered events of one reason and name, latest first.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE connection = :connection AND reason = :reason AND name = :name ORDER BY accepted_at DESC LIMIT :most
