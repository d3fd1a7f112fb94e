-- name: add_departure
-- Remember a connection that is about to be deleted: of its events the ledger keeps the number.
INSERT INTO departures (connection, name, events, deleted_at)
SELECT c.id, c.name, h.head, clock() FROM connections c JOIN heads h ON h.connection = c.id WHERE c.id = :connection

-- name: departed_events
-- Read how many events a deleted connection ever had.
SELECT events FROM departures WHERE connection = :connection

-- name: departed
-- Find a deleted connection by name or id, the latest first.
SELECT connection FROM departures WHERE connection = :name OR name = :name ORDER BY deleted_at DESC

-- name: delete_lanes
-- Delete the lanes of a connection: nobody delivers from here on.
DELETE FROM lanes WHERE connection = :connection

-- name: delete_connection
-- Delete a connection, and with it its tokens and who may see it: no door knows it from here on.
DELETE FROM connections WHERE id = :connection

-- name: departing
-- List the deleted connections of which something may be left, first come first.
SELECT connection, deleted_at + :linger < clock() FROM departures WHERE purged_at IS NULL ORDER BY deleted_at, connection

-- name: purged
-- Write down that nothing of a deleted connection is left.
UPDATE departures SET purged_at = clock() WHERE connection = :connection

-- name: purge_replays
-- Delete the jobs of a connection.
DELETE FROM replays WHERE connection = :connection

-- name: purge_channels
-- Delete where notices of a connection alone were sent.
DELETE FROM channels WHERE connection = :connection

-- name: purge_probes
-- Delete what was sent to the other region for a connection.
DELETE FROM probes WHERE connection = :connection

-- name: purge_warehouses
-- Delete where the warehouses of a connection are; what was loaded stays there.
DELETE FROM warehouses WHERE connection = :connection

-- name: purge_streams
-- Delete the syncs of a connection.
DELETE FROM streams WHERE connection = :connection

-- name: purge_syncs
-- Delete what the syncs of a connection did.
DELETE FROM syncs WHERE connection = :connection

-- name: purge_imports
-- Delete how far a connection's imports got.
DELETE FROM imports WHERE connection = :connection

-- name: purge_last_seen
-- Delete when something came by the doors of a connection.
DELETE FROM last_seen WHERE connection = :connection

-- name: purge_log
-- Delete about so many of a connection's oldest events, whole chunks at a time.
DELETE FROM log WHERE connection = :connection AND last_seq <= :most + (SELECT min(last_seq) FROM log WHERE connection = :connection)

-- name: purge_attempts
-- Delete some of a connection's tries.
DELETE FROM attempts WHERE connection = :connection AND id IN (SELECT id FROM attempts WHERE connection = :connection LIMIT :most)

-- name: purge_dead_letters
-- Delete some of a connection's dead letters.
DELETE FROM dead_letters WHERE connection = :connection AND rowid IN (SELECT rowid FROM dead_letters WHERE connection = :connection LIMIT :most)

-- name: purge_filtered
-- Delete some of a connection's filtered events.
DELETE FROM filtered WHERE connection = :connection AND id IN (SELECT id FROM filtered WHERE connection = :connection LIMIT :most)

-- name: purge_rejects
-- Delete some of a connection's rejects.
DELETE FROM rejects WHERE connection = :connection AND id IN (SELECT id FROM rejects WHERE connection = :connection LIMIT :most)

-- name: purge_confirmations
-- Delete some of what Segment sent back for a connection.
DELETE FROM confirmations WHERE connection = :connection AND (destination, seq) IN (
    SELECT destination, seq FROM confirmations WHERE connection = :connection LIMIT :most)

-- name: purge_contents
-- Delete some of a connection's contents.
DELETE FROM contents WHERE connection = :connection AND rowid IN (SELECT rowid FROM contents WHERE connection = :connection LIMIT :most)

-- name: purge_counts
-- Delete some of what was counted of a connection.
DELETE FROM counts WHERE connection = :connection AND (step, start, topic, name) IN (
    SELECT step, start, topic, name FROM counts WHERE connection = :connection LIMIT :most)

-- name: purge_shapes
-- Delete some of what was learned of a connection's shapes.
DELETE FROM shapes WHERE connection = :connection AND (door, event, path, type) IN (
    SELECT door, event, path, type FROM shapes WHERE connection = :connection LIMIT :most)

-- name: purge_shape_notices
-- Delete some of what was noticed of a connection's shapes.
DELETE FROM shape_notices WHERE connection = :connection AND id IN (SELECT id FROM shape_notices WHERE connection = :connection LIMIT :most)

-- name: purge_notices
-- Delete some of a connection's notices.
DELETE FROM notices WHERE connection = :connection AND id IN (SELECT id FROM notices WHERE connection = :connection LIMIT :most)
