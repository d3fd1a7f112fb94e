-- name: reject_groups
-- Read how many inputs were refused by reason, how often they came, and when one came last.
SELECT p.reason, p.items, p.more, (SELECT max(r.last_at) FROM rejects r WHERE r.connection = p.connection AND r.code = p.reason) AS latest
FROM piles p WHERE p.connection = :connection AND p.shelf = 'rejects' AND p.items > 0 ORDER BY latest DESC

-- name: rejects_of
-- List refused inputs of one reason, latest first.
SELECT id, door, code, errors, count, first_at, last_at, raw FROM rejects
WHERE connection = :connection AND code = :code AND (last_at, id) < (:before, :before_id) ORDER BY last_at DESC, id DESC LIMIT :most

-- name: dead_groups
-- Read how many dead letters there are by reason and lane, how many of them are asked for again, and when the latest event of them died.
SELECT p.reason, p.name, p.items, p.more, (SELECT d.died_at FROM dead_letters d
    WHERE d.connection = p.connection AND d.reason = p.reason AND d.destination = p.name ORDER BY d.seq DESC LIMIT 1)
FROM piles p WHERE p.connection = :connection AND p.shelf = 'dead' AND p.items > 0 ORDER BY p.items DESC, p.reason, p.name

-- name: dead_of
-- List dead letters of one reason on one lane, latest first, without events that are only parked.
SELECT destination, seq, reason, detail, died_at, replay_at FROM dead_letters
WHERE connection = :connection AND destination = :destination AND reason = :reason AND seq < :before AND (replay_at IS NULL OR tries = 0)
ORDER BY seq DESC LIMIT :most

-- name: dead_on
-- List dead letters of one lane that nobody asked for again, the latest first.
SELECT seq, reason, detail, died_at, due_at, tries FROM dead_letters
WHERE connection = :connection AND destination = :destination AND replay_at IS NULL ORDER BY died_at DESC, seq DESC LIMIT :most

-- name: parked_on
-- List the events that one lane set aside to try them again, those that are due first.
SELECT seq, reason, detail, died_at, due_at, tries FROM dead_letters
WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL AND tries > 0 ORDER BY due_at, seq LIMIT :most

-- name: filtered_groups
-- Read how many events are filtered by reason and name, and when the first and the last of them were accepted.
SELECT p.reason, p.name, p.items,
  (SELECT min(f.accepted_at) FROM filtered f WHERE f.connection = p.connection AND f.reason = p.reason AND f.name = p.name),
  (SELECT max(f.accepted_at) FROM filtered f WHERE f.connection = p.connection AND f.reason = p.reason AND f.name = p.name)
FROM piles p WHERE p.connection = :connection AND p.shelf = 'filtered' AND p.items > 0 ORDER BY p.name, p.reason

-- name: filtered_of
-- List filtered events of one reason and name, latest first.
SELECT message_id, name, reason, door, accepted_at, raw FROM filtered
WHERE connection = :connection AND reason = :reason AND name = :name ORDER BY accepted_at DESC LIMIT :most

-- name: purge_piles
-- Forget what a deleted connection had aside, once that is gone.
DELETE FROM piles WHERE connection = :connection
