-- name: reading
-- Read how far a reader has read.
SELECT read_to FROM cursors WHERE name = :name

-- name: move_reading
-- Write down how far a reader has read, unless another has read on meanwhile.
INSERT INTO cursors (name, read_to) VALUES (:name, :read_to)
ON CONFLICT (name) DO UPDATE SET read_to = excluded.read_to WHERE read_to = :after

-- name: set_reading
-- Put a reader somewhere.
INSERT INTO cursors (name, read_to) VALUES (:name, :read_to) ON CONFLICT (name) DO UPDATE SET read_to = excluded.read_to

-- name: new_chunks
-- Read the chunks of all connections beyond a place, in order, with what their events are found by.
SELECT place, connection, door, accepted_at, events, messages FROM log WHERE place > :after ORDER BY place LIMIT :most

-- name: new_filtered
-- Read where and when filtered events of all connections came, beyond an id, in order.
SELECT id, connection, door, accepted_at, 1, NULL FROM filtered WHERE id > :after ORDER BY id LIMIT :most

-- name: new_rejects
-- Read where and when refused inputs of all connections came, beyond an id, in order.
SELECT id, connection, door, first_at, 1, NULL FROM rejects WHERE id > :after ORDER BY id LIMIT :most

-- name: places_left
-- List the chunks between two places: retention may have taken some since they were read.
SELECT place FROM log WHERE place > :after AND place <= :read_to

-- name: add_terms
-- Let an event be found.
INSERT INTO terms (rowid, term) VALUES (?, ?)

-- name: forget_terms
-- Empty the index.
INSERT INTO terms (terms) VALUES ('delete-all')
