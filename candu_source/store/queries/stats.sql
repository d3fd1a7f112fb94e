-- name: lane_health
-- Read how the lanes of a connection are, counting nothing but what waits aside.
SELECT l.destination, l.enabled, l.held, l.held_detail, l.failures, l.due_at, l.confirmed, c.paused, h.head, l.cursor, l.dead_expired,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination) AS dead,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination AND d.replay_at IS NOT NULL) AS replaying,
  (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.settled AND a.first_seq > l.cursor) AS ahead,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1) AS oldest_pending
FROM connections c JOIN heads h ON h.connection = c.id JOIN lanes l ON l.connection = c.id
WHERE c.id = :connection ORDER BY l.destination

-- name: dead_by_reason
-- Count dead letters by lane and reason, those asked for again included.
SELECT destination, reason, count(*) FROM dead_letters INDEXED BY dead_reasons WHERE connection = :connection GROUP BY destination, reason

-- name: replaying_by_reason
-- Count dead letters that are asked for again, by lane and reason.
SELECT destination, reason, count(*) FROM dead_letters WHERE connection = :connection AND replay_at IS NOT NULL GROUP BY destination, reason

-- name: filtered_by_reason
-- Count filtered events by reason.
SELECT reason, count(*) FROM filtered WHERE connection = :connection GROUP BY reason

-- name: filtered_released
-- Read how many filtered events retention has deleted.
SELECT filtered_expired FROM connections WHERE id = :connection

-- name: rejects_by_reason
-- Count refused inputs by reason, and how often they came.
SELECT code, count(*), sum(count) FROM rejects WHERE connection = :connection GROUP BY code
