-- name: tallies
-- Count where the events of every lane are, from the rows themselves.
SELECT c.id, c.name, l.destination, h.head, c.pruned_to, l.cursor, l.held, l.dead_expired, c.filtered_expired, c.paused, l.failures, l.due_at,
  l.held_detail, l.began, l.kind, l.enabled,
  l.passed_expired + (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.decision = 'filter') AS passed_over,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination) AS dead,
  (SELECT count(*) FROM dead_letters d WHERE d.connection = c.id AND d.destination = l.destination AND d.replay_at IS NOT NULL) AS replaying,
  (SELECT count(*) FROM filtered f WHERE f.connection = c.id) AS filtered,
  (SELECT coalesce(sum(a.events), 0) FROM attempts a
    WHERE a.connection = c.id AND a.destination = l.destination AND a.settled AND a.first_seq > l.cursor) AS ahead,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1) AS oldest_pending
FROM connections c JOIN heads h ON h.connection = c.id JOIN lanes l ON l.connection = c.id
WHERE :connection IS NULL OR c.id = :connection ORDER BY c.name, l.destination

-- name: log_span
-- Count the events that the log keeps beyond retention's mark, where they begin and end, and the chunks that do not follow the one before.
SELECT coalesce(sum(events), 0), coalesce(min(last_seq - events + 1), 0), coalesce(max(last_seq), 0), coalesce(sum(last_seq - events != before), 0)
FROM (SELECT last_seq, events, lag(last_seq, 1, :after) OVER (ORDER BY last_seq) AS before
  FROM log WHERE connection = :connection AND last_seq > :after)

-- name: id_faults
-- Count the events in the log, the ids that refuse their second copies, and those of them that name a chunk which is not there.
SELECT (SELECT coalesce(sum(events), 0) FROM log), (SELECT count(*) FROM all_ids),
  (SELECT count(*) FROM all_ids i WHERE NOT EXISTS (SELECT 1 FROM log g WHERE g.place = i.place))

-- name: places
-- Count the events ever written, once by the seqs given out, on deleted connections too, and once by SQLite's own account.
SELECT (SELECT coalesce(sum(head), 0) FROM heads) + (SELECT coalesce(sum(events), 0) FROM departures),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'log'), 0)

-- name: settled_ranges
-- List all ranges that ended events of a lane, in order, with how they ended.
SELECT first_seq, last_seq, events, decision FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND last_seq > :after ORDER BY first_seq

-- name: dead_seqs
-- List the dead letters of a lane beyond a seq.
SELECT seq FROM dead_letters WHERE connection = :connection AND destination = :destination AND seq > :after ORDER BY seq

-- name: raised_ranges
-- List what was delivered, or passed over, when it was sent again, dead letters among it.
SELECT first_seq, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND replay AND decision IN ('advance', 'filter') AND last_seq > :after
