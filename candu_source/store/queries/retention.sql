-- name: expired_samples
-- List the notices whose sample is past the retention of rejects.
SELECT id FROM shape_notices WHERE first_at < :cutoff AND length(sample) > 0 LIMIT :most

-- name: forget_samples
-- Forget samples past the retention of rejects; the notices stay.
UPDATE shape_notices SET sample = x'' WHERE id IN (SELECT id FROM shape_notices WHERE first_at < :cutoff AND length(sample) > 0 LIMIT :most)

-- name: prunable_connections
-- List the connections whose oldest kept event every lane has passed and retention has released; a sync that is off keeps nothing.
SELECT c.id, c.pruned_to, min(l.cursor) FROM connections c JOIN lanes l ON l.connection = c.id AND (l.kind <> 'stream' OR l.enabled)
GROUP BY c.id, c.pruned_to HAVING min(l.cursor) > c.pruned_to

-- name: prunable_chunks
-- Read the next chunks that every lane has passed, in order.
SELECT last_seq, events, accepted_at FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq <= :before ORDER BY last_seq LIMIT :most

-- name: prune_log
-- Delete chunks up to a seq, save those that a dead letter still needs.
DELETE FROM log WHERE connection = :connection AND last_seq > :after AND last_seq <= :before AND NOT EXISTS (
    SELECT 1 FROM dead_letters d WHERE d.connection = log.connection AND d.seq > log.last_seq - log.events AND d.seq <= log.last_seq)

-- name: release_passed
-- Keep the ledger exact when the tries of events that syncs passed over are deleted.
UPDATE lanes SET passed_expired = passed_expired + (SELECT coalesce(sum(a.events), 0) FROM attempts a
  WHERE a.connection = lanes.connection AND a.destination = lanes.destination AND a.decision = 'filter' AND a.last_seq <= :before)
WHERE connection = :connection AND kind = 'stream'

-- name: prune_attempts
-- Delete the tries whose events are all released.
DELETE FROM attempts WHERE connection = :connection AND last_seq <= :before

-- name: prune_confirmations
-- Forget when released events came back, save those of chunks that a dead letter still needs.
DELETE FROM confirmations WHERE connection = :connection AND seq <= :before
  AND destination IN (SELECT destination FROM lanes WHERE connection = :connection)
  AND seq <= coalesce((SELECT g.last_seq - g.events FROM log g
    WHERE g.connection = :connection AND g.last_seq >= confirmations.seq ORDER BY g.last_seq LIMIT 1), :before)

-- name: mark_pruned
-- Put retention's mark forward.
UPDATE connections SET pruned_to = :before WHERE id = :connection

-- name: expired_dead
-- List dead letters that are past their own retention and already behind retention's mark.
SELECT d.connection, d.destination, d.seq FROM dead_letters d JOIN connections c ON c.id = d.connection
WHERE d.died_at < :cutoff AND d.replay_at IS NULL AND d.seq <= c.pruned_to LIMIT :most

-- name: drop_chunk
-- Delete the chunk of a dead letter that is gone, once retention has released it and no other dead letter needs it.
DELETE FROM log WHERE connection = :connection AND last_seq = (
    SELECT min(g.last_seq) FROM log g WHERE g.connection = :connection AND g.last_seq >= :seq)
  AND last_seq - events < :seq AND last_seq <= (SELECT pruned_to FROM connections WHERE id = :connection) AND NOT EXISTS (
    SELECT 1 FROM dead_letters d WHERE d.connection = log.connection AND d.seq > log.last_seq - log.events AND d.seq <= log.last_seq)

-- name: count_dead_expired
-- Keep the ledger exact when a dead letter is deleted.
UPDATE lanes SET dead_expired = dead_expired + 1 WHERE connection = ? AND destination = ?

-- name: expired_filtered
-- List filtered events past their retention.
SELECT connection, message_id FROM filtered WHERE accepted_at < :cutoff LIMIT :most

-- name: count_filtered_expired
-- Keep the ledger exact when a filtered event is deleted.
UPDATE connections SET filtered_expired = filtered_expired + 1 WHERE id = ?

-- name: expired_rejects
-- List rejects past their retention.
SELECT id FROM rejects WHERE last_at < :cutoff LIMIT :most

-- name: prune_rejects
-- Delete rejects past their retention.
DELETE FROM rejects WHERE id IN (SELECT id FROM rejects WHERE last_at < :cutoff LIMIT :most)
