-- name: lane_health
-- Read how the lanes of a connection are, counting nothing but what waits aside.
SELECT l.destination, l.kind, l.began, l.enabled, l.held, l.held_detail, l.failures, l.due_at, l.confirmed, c.paused, h.head, l.cursor, l.dead_expired,
  l.passed_expired + (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.decision = 'filter') AS passed_over,
  (SELECT coalesce(sum(p.items), 0) FROM piles p WHERE p.connection = c.id AND p.shelf = 'dead' AND p.name = l.destination) AS dead,
  (SELECT coalesce(sum(p.more), 0) FROM piles p WHERE p.connection = c.id AND p.shelf = 'dead' AND p.name = l.destination) AS replaying,
  (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.settled AND a.first_seq > l.cursor) AS ahead,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1) AS oldest_pending
FROM connections c JOIN heads h ON h.connection = c.id JOIN lanes l ON l.connection = c.id
WHERE c.id = :connection ORDER BY l.destination

-- name: piles
-- Read how much went aside, by shelf, reason and name.
SELECT shelf, reason, name, items, more FROM piles WHERE connection = :connection AND items > 0

-- name: filtered_released
-- Read how many filtered events retention has deleted.
SELECT filtered_expired FROM connections WHERE id = :connection
