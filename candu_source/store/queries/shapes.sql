-- name: shape_cursor
-- Read how far the watch on shapes has read a source.
SELECT read_to FROM cursors WHERE name = 'shapes:' || :source

-- name: move_shape_cursor
-- Write down how far the watch has read, unless another has read on meanwhile.
INSERT INTO cursors (name, read_to) VALUES ('shapes:' || :source, :read_to)
ON CONFLICT (name) DO UPDATE SET read_to = excluded.read_to WHERE read_to = :after

-- name: unread_log
-- Read the chunks of all connections beyond a place, in order.
SELECT place, connection, door, accepted_at, '' AS code, raws FROM log WHERE place > :after ORDER BY place LIMIT :most

-- name: unread_filtered
-- Read the filtered events of all connections beyond an id, in order.
SELECT id, connection, door, accepted_at, '' AS code, raw FROM filtered WHERE id > :after ORDER BY id LIMIT :most

-- name: unread_rejects
-- Read the refused inputs of all connections beyond an id, in order.
SELECT id, connection, door, first_at, code, raw FROM rejects WHERE id > :after ORDER BY id LIMIT :most

-- name: learned_shape
-- Read what was learned of an event's shape.
SELECT path, type, always FROM shapes WHERE connection = :connection AND door = :door AND event = :event

-- name: learn_shape
-- Write down what is known of an event's shape from now on.
INSERT INTO shapes (connection, door, event, path, type, always) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, door, event, path, type) DO NOTHING

-- name: noticed_changes
-- Read what was noticed of an event's shape.
SELECT change, path, type FROM shape_notices WHERE connection = :connection AND door = :door AND event = :event

-- name: shaped_events
-- List the events of which something was learned or noticed at a door.
SELECT event FROM shapes WHERE connection = :connection AND door = :door
UNION SELECT event FROM shape_notices WHERE connection = :connection AND door = :door

-- name: add_shape_notice
-- Notice a change, or count it once more.
INSERT INTO shape_notices (connection, door, event, change, path, type, count, first_at, last_at, sample) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (connection, door, event, change, path, type) DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)

-- name: shape_notices
-- List what was noticed, of one connection or all, oldest first.
SELECT n.id, n.connection, coalesce(c.name, n.connection), n.door, n.event, n.change, n.path, n.type, n.count, n.first_at, n.last_at, n.acked_at
FROM shape_notices n LEFT JOIN connections c ON c.id = n.connection
WHERE (:connection IS NULL OR n.connection = :connection) AND (:id IS NULL OR n.id = :id) AND (:acked OR n.acked_at IS NULL) ORDER BY n.id

-- name: shape_sample
-- Read the first input that showed a change.
SELECT sample FROM shape_notices WHERE connection = :connection AND id = :id

-- name: ack_shape_notices
-- Acknowledge what was noticed on a connection, one notice or all.
UPDATE shape_notices SET acked_at = clock() WHERE connection = :connection AND acked_at IS NULL AND (:id IS NULL OR id = :id)
