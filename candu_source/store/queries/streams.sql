-- name: add_stream_lane
-- Open a sync's lane at the log's end, turned off; its claims are none that a sync of this name had before.
INSERT INTO lanes (connection, destination, kind, cursor, began, enabled, epoch)
SELECT connection, :destination, 'stream', head, head, 0, CAST(1000 * clock() AS INTEGER) FROM heads WHERE connection = :connection

-- name: add_stream
-- Describe a sync.
INSERT INTO streams (connection, destination, integration, choices, parameters, secrets, created_at)
VALUES (:connection, :destination, :integration, :choices, :parameters, :secrets, clock())

-- name: streams
-- List the syncs of one connection, or of all.
SELECT s.connection, s.destination, s.integration, s.choices, s.parameters, s.secrets, l.enabled, s.created_at
FROM streams s JOIN lanes l ON l.connection = s.connection AND l.destination = s.destination
WHERE :connection IS NULL OR s.connection = :connection ORDER BY s.connection, s.destination

-- name: stream_secrets
-- Read the encrypted secrets of a sync.
SELECT secrets FROM streams WHERE connection = :connection AND destination = :destination

-- name: save_stream
-- Write back what may be changed of a sync.
UPDATE streams SET choices = :choices, parameters = :parameters, secrets = :secrets
WHERE connection = :connection AND destination = :destination

-- name: remove_stream
-- Forget a sync.
DELETE FROM streams WHERE connection = :connection AND destination = :destination

-- name: remove_stream_dead
-- Forget the dead letters and parked events of a lane that is taken away.
DELETE FROM dead_letters WHERE connection = :connection AND destination = :destination

-- name: stream_switch
-- Tell whether a sync is on.
SELECT enabled FROM lanes WHERE connection = :connection AND destination = :destination AND kind = 'stream'

-- name: wake_lane
-- Let a lane try at once what it waits with: somebody changed where it leads to.
UPDATE lanes SET failures = 0, due_at = 0, held = NULL, held_detail = NULL WHERE connection = :connection AND destination = :destination

-- name: begin_anew
-- Turn a sync's lane on, beginning where the log ends; what is under way on it was taken before, and counts no more.
UPDATE lanes SET enabled = 1, cursor = :cursor, worker = NULL, leased_until = 0, epoch = epoch + 1
WHERE connection = :connection AND destination = :destination

-- name: lane_end
-- Read up to where a lane is ended, and where the log ends.
SELECT l.cursor, h.head FROM lanes l JOIN heads h ON h.connection = l.connection
WHERE l.connection = :connection AND l.destination = :destination
