-- name: lane_signs
-- Read the signs of every lane of the worker's, save of syncs that are off, each by a seek; dead letters since a time are counted up to so many.
SELECT c.id, c.name, l.destination, c.paused OR NOT l.enabled, l.held, h.head - l.cursor, c.pending_most,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1),
  (SELECT count(*) FROM (SELECT 1 FROM dead_letters d
    WHERE d.connection = c.id AND d.destination = l.destination AND d.replay_at IS NULL AND d.died_at >= :dead_since LIMIT :most_dead))
FROM connections c JOIN heads h ON h.connection = c.id JOIN lanes l ON l.connection = c.id
WHERE l.kind = 'segment' OR (l.kind = 'stream' AND l.enabled) ORDER BY c.name, l.destination

-- name: warehouse_signs
-- Read the signs of every warehouse that is to be kept up to date, each by a seek, with what its last sync met.
SELECT c.id, c.name, l.destination, w.every, l.failures, h.head - l.cursor,
  (SELECT g.accepted_at FROM log g WHERE g.connection = c.id AND g.last_seq > l.cursor ORDER BY g.last_seq LIMIT 1),
  coalesce((SELECT s.error FROM syncs s WHERE s.connection = c.id AND s.destination = l.destination ORDER BY s.id DESC LIMIT 1), '')
FROM warehouses w JOIN lanes l ON l.connection = w.connection AND l.destination = w.destination
JOIN connections c ON c.id = w.connection JOIN heads h ON h.connection = c.id
WHERE l.enabled AND NOT c.paused AND coalesce(json_extract(w.selection, '$.enabled'), 1) ORDER BY c.name, l.destination

-- name: connection_signs
-- Read of every connection when its last event was accepted, and how many changes of shape nobody has acknowledged.
SELECT c.id, c.name, (SELECT g.accepted_at FROM log g WHERE g.connection = c.id ORDER BY g.last_seq DESC LIMIT 1),
  (SELECT count(*) FROM shape_notices n WHERE n.connection = c.id AND n.acked_at IS NULL)
FROM connections c ORDER BY c.name

-- name: accepted_by_hour
-- Count the events that the doors of a connection took in each hour of a stretch, by one seek an hour.
WITH RECURSIVE hours (start) AS (VALUES (:first) UNION ALL SELECT start + 3600 FROM hours WHERE start + 3600 < :before)
SELECT h.start, sum(n.amount) FROM hours h JOIN counts n
  ON n.connection = :connection AND n.step = 3600 AND n.start = h.start AND n.topic >= 'door:' AND n.topic < 'door;'
WHERE n.name = 'accepted' GROUP BY h.start

-- name: held_replays
-- List the replays that only a person can let go on.
SELECT r.connection, c.name, r.id, r.detail FROM replays r JOIN connections c ON c.id = r.connection WHERE r.state = 'held' ORDER BY r.id

-- name: notices
-- List notices with their connection's name, latest first: those that are open, or all, of one connection or all.
SELECT n.id, n.connection, CASE n.connection WHEN '' THEN '' ELSE coalesce(c.name, n.connection) END,
  n.cause, n.subject, n.urgency, n.text, n.opened_at, n.seen_at, n.closed_at
FROM notices n LEFT JOIN connections c ON c.id = n.connection
WHERE (:connection IS NULL OR n.connection = :connection) AND (:closed OR n.closed_at IS NULL) ORDER BY n.id DESC LIMIT :most

-- name: open_causes
-- Count open notices by cause.
SELECT cause, count(*) FROM notices WHERE closed_at IS NULL GROUP BY cause

-- name: open_notice
-- Open a notice, unless there is one for that.
INSERT INTO notices (connection, cause, subject, urgency, text, opened_at, seen_at)
VALUES (:connection, :cause, :subject, :urgency, :text, :now, :now)
ON CONFLICT (connection, cause, subject) WHERE closed_at IS NULL DO NOTHING RETURNING id

-- name: see_notice
-- Write down that the cause of a notice is still there, and what there is to say now.
UPDATE notices SET urgency = :urgency, text = :text, seen_at = :now
WHERE connection = :connection AND cause = :cause AND subject = :subject AND closed_at IS NULL

-- name: close_notice
-- Close a notice whose cause nobody has seen meanwhile.
UPDATE notices SET closed_at = :now WHERE id = :id AND connection = :connection AND closed_at IS NULL AND seen_at = :seen_at

-- name: expired_notices
-- Tell whether a notice has been closed for long.
SELECT 1 FROM notices WHERE closed_at < :cutoff LIMIT 1

-- name: forget_notices
-- Forget notices that have been closed for long, and their posts.
DELETE FROM notices WHERE closed_at < :cutoff

-- name: post_opened
-- Put an opened notice on its way to the channels of its connection and to those for everything.
INSERT INTO notice_posts (notice, channel, what, made_at, due_at)
SELECT :id, id, 'opened', :now, :now FROM channels WHERE connection IN ('', :connection) ORDER BY id

-- name: post_closed
-- Put a closed notice on its way to whoever was told that it is open.
INSERT INTO notice_posts (notice, channel, what, made_at, due_at)
SELECT p.notice, p.channel, 'closed', :now, :now FROM notice_posts p JOIN notices n ON n.id = p.notice
WHERE p.notice = :id AND n.connection = :connection AND p.what = 'opened' ORDER BY p.channel
