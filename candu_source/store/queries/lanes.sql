-- name: due_lanes
-- List the worker's lanes that are on, with something to send, due and free (or this worker's own), longest-waiting first; a clock that jumped back frees them.
SELECT l.connection, l.destination, l.cursor, l.failures, l.epoch, c.name, l.kind, c.region, c.segment_host,
  s.integration, s.choices, s.parameters, coalesce(s.secrets, c.write_key)
FROM lanes l JOIN connections c ON c.id = l.connection
LEFT JOIN streams s ON s.connection = l.connection AND s.destination = l.destination
WHERE l.kind <> 'warehouse' AND l.held IS NULL AND l.enabled AND NOT c.paused
  AND (l.failures = 0 OR NOT :healthy_only)
  AND (l.due_at <= clock() OR clock() < l.waiting_since)
  AND (l.worker IS NULL OR l.worker = :worker OR l.leased_until <= clock() OR clock() < l.leased_at)
  AND (EXISTS (SELECT 1 FROM log g WHERE g.connection = l.connection AND g.last_seq > l.cursor) OR EXISTS (
      SELECT 1 FROM dead_letters d WHERE d.connection = l.connection AND d.destination = l.destination
        AND d.replay_at IS NOT NULL AND d.due_at <= clock()) OR EXISTS (
      SELECT 1 FROM dead_letters d WHERE d.connection = l.connection AND d.destination = l.destination AND d.replay_at > clock()))
  AND NOT EXISTS (SELECT 1 FROM json_each(:busy) b WHERE b.value ->> 0 = l.connection AND b.value ->> 1 = l.destination)
ORDER BY l.turn LIMIT :most

-- name: last_turn
-- Read the turn of the lane that was claimed last.
SELECT max(turn) FROM lanes

-- name: lease
-- Take a lane, whose wait is over; the new epoch fences whoever had it.
UPDATE lanes SET worker = :worker, due_at = 0, leased_at = clock(), leased_until = clock() + :seconds, epoch = epoch + 1, turn = :turn
WHERE connection = :connection AND destination = :destination

-- name: renew
-- Prolong a lease that is still ours.
UPDATE lanes SET leased_at = clock(), leased_until = clock() + :seconds
WHERE connection = :connection AND destination = :destination AND epoch = :epoch

-- name: release_all
-- Give back every lane that this worker holds.
UPDATE lanes SET worker = NULL, leased_until = 0 WHERE worker = :worker

-- name: settled_beyond
-- List the ranges beyond the cursor that are ended already, in order.
SELECT first_seq, last_seq FROM attempts
WHERE connection = :connection AND destination = :destination AND settled AND first_seq > :cursor ORDER BY first_seq

-- name: waiting_chunks
-- Read the chunks with events of a stretch of the log, in order.
SELECT last_seq, events, messages, accepted_at FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq - events < :before - 1 ORDER BY last_seq

-- name: waiting_whole
-- Read the chunks with events of a stretch of the log, in order, with what they came as.
SELECT connection, last_seq, events, accepted_at, door, messages, raws FROM log
WHERE connection = :connection AND last_seq > :after AND last_seq - events < :before - 1 ORDER BY last_seq

-- name: replay_seqs
-- List parked events whose time has come, those that a clock which jumped back set, then dead letters that are asked for, with their tries.
SELECT * FROM (SELECT seq, tries FROM dead_letters
  WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL AND due_at > 0 AND due_at <= clock()
  ORDER BY due_at LIMIT :most)
UNION ALL SELECT * FROM (SELECT seq, tries FROM dead_letters
  WHERE connection = :connection AND destination = :destination AND replay_at > clock() LIMIT :most)
UNION ALL SELECT * FROM (SELECT seq, tries FROM dead_letters
  WHERE connection = :connection AND destination = :destination AND replay_at IS NOT NULL AND due_at = 0 ORDER BY seq LIMIT :most)
LIMIT :most

-- name: lane_cursor
-- Read where a lane stands and which claim is in force.
SELECT cursor, epoch FROM lanes WHERE connection = :connection AND destination = :destination

-- name: add_attempt
-- Write down one try.
INSERT INTO attempts (connection, destination, first_seq, last_seq, events, replay, settled, started_at, seconds, outcome, status, detail, decision)
VALUES (:connection, :destination, :first_seq, :last_seq, :events, :replay, :settled, :started_at, :seconds, :outcome, :status, :detail, :decision)

-- name: move_cursor
-- Put the cursor forward; a lane that is not waiting is healthy again.
UPDATE lanes SET cursor = :cursor, failures = CASE WHEN due_at <= clock() THEN 0 ELSE failures END
WHERE connection = :connection AND destination = :destination

-- name: wait
-- Make a lane wait; of several answers to one claim the longest wait counts.
UPDATE lanes SET failures = :failures, waiting_since = clock(), due_at = max(due_at, :due_at)
WHERE connection = :connection AND destination = :destination

-- name: pace
-- Count the events in a row that did not get through, and make a lane wait where it has to, or until a parked event is due; what is asked for waits, too.
UPDATE lanes SET failures = :failures, waiting_since = clock(), due_at = max(due_at, CASE WHEN :sooner THEN min(:due_at, coalesce((
  SELECT min(d.due_at) FROM dead_letters d WHERE d.connection = :connection AND d.destination = :destination AND d.replay_at IS NOT NULL AND d.due_at > 0
), :due_at)) ELSE :due_at END)
WHERE connection = :connection AND destination = :destination

-- name: hold
-- Hold a lane until a person mends it.
UPDATE lanes SET held = :reason, held_detail = :detail WHERE connection = :connection AND destination = :destination

-- name: unhold
-- Let the lanes of a connection go at once.
UPDATE lanes SET held = NULL, held_detail = NULL, failures = 0, due_at = 0 WHERE connection = :connection

-- name: bury
-- Set an event aside as dead.
INSERT INTO dead_letters (connection, destination, seq, reason, detail, died_at) VALUES (:connection, :destination, :seq, :reason, :detail, :now)

-- name: bury_again
-- Leave a dead letter that was sent again where it is; one that got through by another way meanwhile stays delivered.
UPDATE dead_letters SET reason = :reason, detail = :detail, died_at = :now, replay_at = NULL
WHERE connection = :connection AND destination = :destination AND seq = :seq

-- name: raise_dead
-- Forget a dead letter that was delivered after all.
DELETE FROM dead_letters WHERE connection = ? AND destination = ? AND seq = ?

-- name: park
-- Set an event aside until its own time comes.
INSERT INTO dead_letters (connection, destination, seq, reason, detail, died_at, replay_at, due_at, tries)
VALUES (:connection, :destination, :seq, :reason, :detail, :now, clock(), :due_at, :tries)

-- name: park_again
-- Set an event that was sent again aside until its next time comes; one that got through by another way meanwhile stays delivered.
UPDATE dead_letters SET reason = :reason, detail = :detail, died_at = :now, replay_at = clock(), due_at = :due_at, tries = :tries
WHERE connection = :connection AND destination = :destination AND seq = :seq
