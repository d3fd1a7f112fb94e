-- name: connection_exists
-- Tell whether a connection is still there.
SELECT 1 FROM connections WHERE id = ?

-- name: last_event
-- Read when a connection's last event was accepted.
SELECT accepted_at FROM log WHERE connection = :connection ORDER BY last_seq DESC LIMIT 1

-- name: known
-- Tell which of so many digests, standing end to end, the log has.
SELECT digest FROM all_ids WHERE digest IN (
    WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < :events)
    SELECT substr(:digests, 1 + 16 * n, 16) FROM event)

-- name: move_ids
-- Copy a stretch of the newest ids to the index of all others.
INSERT INTO ids (digest, place) SELECT digest, place FROM new_ids WHERE digest >= :first AND digest < :beyond

-- name: forget_moved
-- Forget that stretch of the newest.
DELETE FROM new_ids WHERE digest >= :first AND digest < :beyond

-- name: append
-- Write chunks at the next seqs: events written with it (this one's last included) and on its connection, connection, events, door, digests…
INSERT INTO log (accepted_at, place, last_seq, connection, events, door, digests, messages, raws)
SELECT ?1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'log'), 0) + column1,
  (SELECT head FROM heads WHERE connection = column3) + column2, column3, column4, column5, column6, column7, column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?))

-- name: add_filtered
-- Keep one filtered event, unless it is kept already.
INSERT INTO filtered (connection, message_id, digest, name, reason, door, accepted_at, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, message_id) DO NOTHING

-- name: take_filtered
-- Forget one filtered event.
DELETE FROM filtered WHERE connection = ? AND message_id = ?

-- name: add_reject
-- Keep one refused input, or count the same bytes once more.
INSERT INTO rejects (connection, digest, door, code, errors, count, first_at, last_at, raw) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (connection, digest) DO UPDATE SET count = count + 1, last_at = excluded.last_at, code = excluded.code, errors = excluded.errors
