-- name: seqs_of_ids
-- Find the seqs of so many digests, standing end to end, that are events of a connection.
SELECT g.last_seq - g.events + 1 + (instr(g.digests, i.digest) - 1) / 16 FROM all_ids i JOIN log g ON g.place = i.place
WHERE g.connection = :connection AND i.digest IN (
    WITH RECURSIVE event (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM event WHERE n + 1 < :events)
    SELECT substr(:digests, 1 + 16 * n, 16) FROM event)

-- name: confirm
-- Write down that an event was sent back, unless it is known.
INSERT INTO confirmations (connection, destination, seq, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: confirming_lane
-- Read what is known of a lane's confirmations, of its readback address and of its probe.
SELECT l.first_confirmed_at, l.last_confirmed_at, l.confirm_delay, l.target_since, c.segment_host IS NULL, c.rules ->> 'integrations',
  (SELECT min(t.created_at) FROM tokens t
   WHERE t.connection = c.id AND t.door = 'readback' AND (t.expires_at IS NULL OR t.expires_at > clock())),
  p.seq, p.at, p.outcome, p.returned_at
FROM lanes l JOIN connections c ON c.id = l.connection LEFT JOIN probes p ON p.connection = l.connection AND p.destination = l.destination
WHERE l.connection = :connection AND l.destination = :destination

-- name: count_confirmed
-- Raise a lane's count of confirmed events.
UPDATE lanes SET confirmed = confirmed + :new WHERE connection = :connection AND destination = :destination

-- name: mark_confirmed
-- Note when a confirmation came that is proof of the key in force, and how slow it was.
UPDATE lanes SET first_confirmed_at = coalesce(first_confirmed_at, :at), last_confirmed_at = max(coalesce(last_confirmed_at, 0), :at), confirm_delay = :delay
WHERE connection = :connection AND destination = :destination

-- name: ending_attempt
-- Find the try that ended an event, which is the last of those that begin at or before it, if it reaches so far.
SELECT started_at + seconds, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND first_seq <= :seq ORDER BY first_seq DESC LIMIT 1

-- name: delivered_batches
-- List a lane's delivered batches, latest first.
SELECT started_at + seconds, events, first_seq, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND decision = 'advance' ORDER BY first_seq DESC LIMIT :most

-- name: confirmed_between
-- Count the confirmed events of a batch, one of them left out.
SELECT count(*) FROM confirmations
WHERE connection = :connection AND destination = :destination AND seq BETWEEN :first AND :last AND seq IS NOT :without

-- name: confirmation
-- Read when an event was sent back.
SELECT at FROM confirmations WHERE connection = :connection AND destination = :destination AND seq = :seq

-- name: unproven_lanes
-- List the lanes of a region's connections that have a readback address, deliver, and were never confirmed nor probed with the key in force.
SELECT l.connection, l.destination FROM lanes l JOIN connections c ON c.id = l.connection
WHERE l.kind = 'segment' AND l.first_confirmed_at IS NULL AND c.region = :region AND c.segment_host IS NULL
  AND NOT EXISTS (SELECT 1 FROM probes p WHERE p.connection = l.connection AND p.destination = l.destination)
  AND EXISTS (SELECT 1 FROM tokens t WHERE t.connection = c.id AND t.door = 'readback' AND (t.expires_at IS NULL OR t.expires_at > clock()))

-- name: add_probe
-- Note that an event is about to be sent to the other region, unless one was already.
INSERT INTO probes (connection, destination, seq, at) VALUES (:connection, :destination, :seq, :at) ON CONFLICT DO NOTHING

-- name: end_probe
-- Note what the other region answered.
UPDATE probes SET outcome = :outcome WHERE connection = :connection AND destination = :destination AND seq = :seq

-- name: return_probe
-- Note that the probe's event was sent back.
UPDATE probes SET returned_at = coalesce(returned_at, :at) WHERE connection = :connection AND destination = :destination AND seq = :seq
